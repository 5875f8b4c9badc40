import { Code, ConnectError } from "@connectrpc/connect";
import {
  type ErrorCode,
  headerBlock,
  type Request,
  type Stream,
  type StreamHandler,
} from "../http2/mod.ts";
import { ByteBuffer } from "./_byte_buffer.ts";
import { MessageReader, setStatus } from "./_grpc.ts";
import { timeoutOf } from "./_grpc_timeout.ts";
import type { Backlog, Http2Socket } from "./_http2_socket.ts";
import type { Session } from "./_session.ts";
import { clientGone, LimitError } from "./_status.ts";
import { grpcContentType, type StreamMethod } from "./_streams.ts";

const accepted = headerBlock([
  [":status", "200"],
  ["content-type", "application/grpc+proto"],
  ["grpc-accept-encoding", "identity"],
]);
const fine = headerBlock([["grpc-status", "0"]]);

/** Whether a request opens a gRPC stream. */
export function isGrpc(request: Request): boolean {
  return request.method === "POST" &&
    grpcContentType(fieldOf(request, "content-type") ?? null);
}

function fieldOf({ fields }: Request, name: string): string | undefined {
  return fields.find((field) => field.name === name)?.value;
}

function late(timeout: number): ConnectError {
  const message =
    `the deadline of ${timeout} ms that the client set has passed`;
  return new ConnectError(message, Code.DeadlineExceeded);
}

/** The fields of a request. */
export function headersOf({ fields }: Request): Headers {
  const headers = new Headers();
  for (const { name, value } of fields) headers.append(name, value);
  return headers;
}

/**
 * Serves a discovery stream right on HTTP/2. It does what the handler in routes.ts does by async iterables, for a part of
 * the CPU time. Bytes are given back to the client's window once the messages in them were processed.
 */
export class XdsStream implements StreamHandler, Backlog {
  readonly #stream: Stream;
  readonly #connection: Http2Socket;
  readonly #session: Session;
  readonly #reader: MessageReader;
  /** What came and was not processed, since it was the turn of others. */
  #backlog: ByteBuffer | undefined;
  /** Whether the client has nothing more to say. */
  #isRead = false;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** Bytes of a message that is not complete, as they are counted. */
  #counted = 0;
  #pending: Uint8Array | undefined;

  constructor(
    stream: Stream,
    request: Request,
    method: StreamMethod,
    connection: Http2Socket,
  ) {
    this.#stream = stream;
    this.#connection = connection;
    const { peer, memory, rotation } = connection;
    const session = method.open(peer, () => headersOf(request), memory);
    this.#session = session;
    this.#reader = new MessageReader(
      method.maxBytes,
      (message) => {
        session.receive(message);
        return rotation.isOver;
      },
    );
    session.wake = () => this.#wake();
    const timeout = timeoutOf(fieldOf(request, "grpc-timeout"));
    if (timeout !== undefined) {
      this.#deadline = setTimeout(() => session.end(late(timeout)), timeout);
    }
    stream.respond(accepted);
    stream.wake();
  }

  data(bytes: Uint8Array, start: number, end: number) {
    if (this.#backlog) this.#backlog.add(bytes, start, end);
    else if (!this.#read(bytes, start, end)) this.#connection.later(this);
  }

  end() {
    this.#isRead = true;
    this.#stream.wake();
  }

  expire() {
    this.#session.end(null);
  }

  goOn(): boolean {
    const bytes = this.#backlog?.take();
    this.#backlog = undefined;
    if (bytes && !this.#read(bytes, 0, bytes.length)) return true;
    if (this.#isRead) this.#stream.wake();
    return false;
  }

  pull(): Uint8Array | undefined {
    this.#settle();
    const response = this.#session.take();
    const { memory } = this.#session;
    if (response && memory) {
      this.#pending = response;
      this.#connection.pending.add(response, memory);
    }
    if (response) return response;
    // What was asked for before the client's end is answered, as far as that is there already.
    if (this.#isRead && !this.#backlog && !this.#session.standsStill) {
      this.#session.end(null);
    }
    // To be asked may have ended it.
    if (this.#session.ended !== undefined) this.#wake();
    return undefined;
  }

  close(_code: ErrorCode | undefined) {
    this.#settle();
    this.#backlog = undefined;
    clearTimeout(this.#deadline);
    this.#session.end(clientGone(undefined));
  }

  /** Reads bytes; false if some are left for later. */
  #read(bytes: Uint8Array, start: number, end: number): boolean {
    const session = this.#session;
    let at = end;
    // What comes after the end is dropped.
    if (session.ended === undefined) {
      try {
        at = this.#reader.read(bytes, start, end);
      } catch (error) {
        session.end(ConnectError.from(error));
      }
    }
    if (session.ended !== undefined) {
      at = end;
      this.#reader.drop();
    } else this.#count();
    this.#stream.consume(at - start);
    if (at === end) return true;
    this.#backlog = new ByteBuffer();
    this.#backlog.add(bytes, at, end);
    return false;
  }

  /** Counts what is held of a message that is not complete. */
  #count() {
    const { held } = this.#reader;
    if (held === this.#counted) return;
    const more = held - this.#counted;
    this.#counted = held;
    this.#session.memory?.hold(more);
  }

  /** What was pulled before was sent. */
  #settle() {
    const { memory } = this.#session;
    if (!this.#pending || !memory) return;
    this.#connection.pending.delete(this.#pending, memory);
    this.#pending = undefined;
  }

  #wake() {
    const { ended } = this.#session;
    if (ended === undefined) {
      this.#stream.wake();
      return;
    }
    clearTimeout(this.#deadline);
    if (ended === null) this.#stream.finish(fine);
    else {
      const trailers: [string, string][] = [];
      setStatus(ended, (name, value) => trailers.push([name, value]));
      // Of a client that has to go, nothing is to be kept that it may not read for long.
      if (ended instanceof LimitError) this.#stream.drop();
      this.#stream.finish(headerBlock(trailers));
    }
  }
}
