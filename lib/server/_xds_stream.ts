import { ConnectError } from "@connectrpc/connect";
import type { Peer } from "../cache/mod.ts";
import {
  type ErrorCode,
  headerBlock,
  type Request,
  type Stream,
  type StreamHandler,
} from "../http2/mod.ts";
import { MessageReader, setStatus } from "./_grpc.ts";
import type { Session } from "./_session.ts";
import { clientGone } from "./_status.ts";
import { grpcContentType, type StreamMethod } from "./_streams.ts";

const accepted = headerBlock([
  [":status", "200"],
  ["content-type", "application/grpc+proto"],
  ["grpc-accept-encoding", "identity"],
]);
const fine = headerBlock([["grpc-status", "0"]]);

/** Whether a request opens a gRPC stream. */
export function isGrpc({ method, fields }: Request): boolean {
  if (method !== "POST") return false;
  const type = fields.find(({ name }) => name === "content-type");
  return grpcContentType(type?.value ?? null);
}

/** The fields of a request. */
export function headersOf({ fields }: Request): Headers {
  const headers = new Headers();
  for (const { name, value } of fields) headers.append(name, value);
  return headers;
}

/**
 * Serves a discovery stream right on HTTP/2. It does what the handler in routes.ts does by async iterables, for a part of
 * the CPU time.
 */
export class XdsStream implements StreamHandler {
  readonly #stream: Stream;
  readonly #session: Session;
  readonly #reader: MessageReader;

  constructor(
    stream: Stream,
    request: Request,
    method: StreamMethod,
    peer: Peer,
  ) {
    this.#stream = stream;
    const session = method.open(peer, () => headersOf(request));
    this.#session = session;
    this.#reader = new MessageReader(
      method.maxBytes,
      (message) => session.receive(message),
    );
    session.wake = () => this.#wake();
    stream.respond(accepted);
    stream.wake();
  }

  data(bytes: Uint8Array, start: number, end: number) {
    this.#stream.consume(end - start);
    // What comes after the end is dropped.
    if (this.#session.ended !== undefined) return;
    try {
      this.#reader.read(bytes, start, end);
    } catch (error) {
      this.#session.end(ConnectError.from(error));
    }
  }

  end() {
    this.#session.end(null);
  }

  expire() {
    this.#session.end(null);
  }

  pull(): Uint8Array | undefined {
    const response = this.#session.take();
    // To be asked may have ended it.
    if (!response && this.#session.ended !== undefined) this.#wake();
    return response;
  }

  close(_code: ErrorCode | undefined) {
    this.#session.end(clientGone(undefined));
  }

  #wake() {
    const { ended } = this.#session;
    if (ended === undefined) this.#stream.wake();
    else if (ended === null) this.#stream.finish(fine);
    else {
      const trailers: [string, string][] = [];
      setStatus(ended, (name, value) => trailers.push([name, value]));
      this.#stream.finish(headerBlock(trailers));
    }
  }
}
