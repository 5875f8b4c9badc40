import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  ErrorCode,
  headerBlock,
  type Request,
  type Stream,
  type StreamHandler,
} from "../http2/mod.ts";
import { ByteBuffer } from "./_byte_buffer.ts";
import type { Http2Socket } from "./_http2_socket.ts";
import type { HttpHandler } from "./_http_handler.ts";
import type { ConnectionMemory, StreamMemory } from "./_memory.ts";
import type { Rotation } from "./_rotation.ts";
import type { LimitError } from "./_status.ts";
import { headersOf } from "./_xds_stream.ts";

const goOn = headerBlock([[":status", "100"]]);

/** Answers a request of HTTP/2 as a handler says. */
export async function exchange(
  stream: Stream,
  request: Request,
  { peer, memory, rotation }: Http2Socket,
  handle: HttpHandler,
): Promise<void> {
  const body = new Exchange(stream, memory, rotation);
  stream.handler = body;
  const { scheme, authority, method, path } = request;
  const header = headersOf(request);
  if (header.get("expect")?.toLowerCase() === "100-continue") {
    stream.respond(goOn);
  }
  try {
    const response = await handle({
      httpVersion: "2.0",
      method,
      path,
      origin: `${scheme}://${authority || "localhost"}`,
      header,
      body,
      peer,
      signal: body.signal,
    });
    const answer = method === "HEAD"
      ? { ...response, body: undefined }
      : response;
    await body.respond(answer, header.get("content-type") ?? "");
  } catch (error) {
    if (!body.signal.aborted) {
      console.error(`xds: answering ${method} ${path} failed:`, error);
    }
    stream.reset(ErrorCode.InternalError);
  } finally {
    body.memory.close();
  }
}

/** Bytes of a request that are read and dropped once it is answered; a client that sends more is told to stop. */
const MOST_DROPPED = 16 * 1024 * 1024;

/** Media types of requests that may go on for as long as their responses do. */
const streaming = /^application\/(grpc|connect\+)/;

/** The body of a request, to be read as it comes, and the response to it. */
class Exchange implements StreamHandler, AsyncIterable<Uint8Array> {
  /** What is held of the request. */
  readonly memory: StreamMemory;
  readonly #stream: Stream;
  readonly #rotation: Rotation;
  /** Why no more of the request is taken. */
  #exceeded: LimitError | undefined;
  readonly #gone = new AbortController();
  readonly #came = new ByteBuffer();
  #isComplete = false;
  #arrived: (() => void) | undefined;
  #chunk: Uint8Array | undefined;
  #pulled: (() => void) | undefined;

  constructor(stream: Stream, memory: ConnectionMemory, rotation: Rotation) {
    this.#stream = stream;
    this.#rotation = rotation;
    this.memory = memory.stream((error) => {
      this.#exceeded = error;
      this.#arrived?.();
    });
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  data(bytes: Uint8Array, start: number, end: number) {
    this.#came.add(bytes, start, end);
    this.#arrived?.();
  }

  end() {
    this.#isComplete = true;
    this.#arrived?.();
  }

  expire() {
    this.#stream.reset(ErrorCode.Cancel);
  }

  pull(): Uint8Array | undefined {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    if (!chunk) this.#pulled?.();
    return chunk;
  }

  close(code: ErrorCode | undefined) {
    const isRight = code === undefined || code === ErrorCode.NoError;
    this.#gone.abort(isRight ? undefined : resetError(code));
    this.#arrived?.();
    this.#pulled?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (true) {
      if (this.#exceeded) throw this.#exceeded;
      if (this.#came.size > 0) {
        await this.#rotation.slot();
        const part = this.#came.take();
        this.memory.hold(part.length);
        this.#stream.consume(part.length);
        yield part;
      } else if (this.#isComplete) return;
      else if (this.signal.aborted) throw this.signal.reason;
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#arrived = resolve;
        await promise;
      }
    }
  }

  /** Sends a response, to a request of a media type. */
  async respond(
    response: UniversalServerResponse,
    type: string,
  ): Promise<void> {
    const { status, header = [], body, trailer } = response;
    const chunks = body?.[Symbol.asyncIterator]();
    try {
      // Not before the first: until then the handler may change the fields.
      let next = await chunks?.next();
      const head = headerBlock([[":status", String(status)], ...header]);
      this.#stream.respond(head);
      while (next && !next.done) {
        await this.#send(next.value);
        next = await chunks!.next();
      }
    } catch (error) {
      await chunks?.throw?.(error).catch(() => {});
      throw error;
    }
    if (!streaming.test(type)) await this.#drop();
    // They, too, may be known only now.
    const trailers = [...trailer ?? []];
    this.#stream.finish(
      trailers.length > 0 ? headerBlock(trailers) : undefined,
    );
  }

  /** Reads what is left of the request: some clients do not get over a stream that ends while they write to it. */
  async #drop() {
    let dropped = 0;
    try {
      for await (const part of this) {
        dropped += part.length;
        if (dropped > MOST_DROPPED) return;
      }
    } catch {
      // Who is gone has nothing more to say.
    }
  }

  /** Sends a chunk, and waits until the client took it. */
  async #send(chunk: Uint8Array) {
    if (chunk.length === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#chunk = chunk;
    this.#pulled = resolve;
    this.#stream.wake();
    await promise;
    this.signal.throwIfAborted();
  }
}

const codes: Readonly<Record<number, Code>> = {
  [ErrorCode.RefusedStream]: Code.Unavailable,
  [ErrorCode.Cancel]: Code.Canceled,
  [ErrorCode.EnhanceYourCalm]: Code.ResourceExhausted,
};

function resetError(code: ErrorCode): ConnectError {
  return new ConnectError(
    `the stream was reset with code ${code} of HTTP/2`,
    codes[code] ?? Code.Internal,
  );
}
