import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { ByteBuffer } from "./_byte_buffer.ts";
import type { HttpHandler } from "./_http_handler.ts";
import { headersOf, peerOf } from "./peer.ts";

/**
 * How long a connection of HTTP/1 may be idle, in milliseconds. Above the hour after which an Envoy closes it, so that
 * none is closed just when a request is sent.
 */
const IDLE = 75 * 60_000;

/** Serves connections of HTTP/1, of which those that are idle have to be closed for a server to be. */
export class Http1Connections {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #busy = new Set<Socket>();
  /** Those that are to be closed. */
  readonly #leaving = new WeakSet<Socket>();
  #closing = false;

  constructor(handle: HttpHandler) {
    this.#server = createServer(
      { keepAliveTimeout: IDLE },
      (request, response) => {
        this.#begin(response);
        answer(request, response, handle);
      },
    );
    // A server that does not listen takes itself for one that shuts down, and ends a connection after one response.
    Object.defineProperty(this.#server, "listening", { value: true });
  }

  /** Takes a connection that speaks HTTP/1, or is about to. */
  add(socket: Socket) {
    if (this.#closing) this.close(socket);
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#busy.delete(socket);
    });
    // A connection that breaks has nobody to tell.
    socket.on("error", () => socket.destroy());
    this.#server.emit("connection", socket);
  }

  /** Closes all connections that there are and will be, as {@linkcode close} does. */
  closeAll() {
    this.#closing = true;
    for (const socket of this.#sockets) this.close(socket);
  }

  /** Closes a connection, if a request is under way once that is answered. */
  close(socket: Socket) {
    this.#leaving.add(socket);
    if (!this.#busy.has(socket)) socket.destroySoon();
  }

  #begin(response: ServerResponse) {
    const { socket } = response;
    if (!socket) return;
    this.#busy.add(socket);
    if (this.#leaving.has(socket)) response.setHeader("connection", "close");
    response.on("close", () => {
      this.#busy.delete(socket);
      if (this.#leaving.has(socket)) socket.destroySoon();
    });
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: HttpHandler,
) {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  // A client that goes away is told of by the response's end.
  request.on("error", () => {});
  const { method = "", url = "", headers, socket } = request;
  const scheme = "encrypted" in socket ? "https" : "http";
  try {
    const answer = await handle({
      httpVersion: "1.1",
      method,
      path: url,
      origin: `${scheme}://${headers.host || "localhost"}`,
      header: headersOf(request),
      body: bodyOf(request, gone.signal),
      peer: peerOf(request),
      signal: gone.signal,
    });
    await respond(response, answer);
  } catch (error) {
    if (gone.signal.aborted) return;
    console.error(`xds: answering ${method} ${url} failed:`, error);
    response.destroy();
  }
  // A request that is not read to its end keeps its connection from the next.
  request.resume();
}

/** Not the request's own iterator: to leave that destroys the connection. */
async function* bodyOf(
  request: IncomingMessage,
  gone: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const came = new ByteBuffer();
  let isComplete = false;
  let wake = () => {};
  const take = (part: Uint8Array) => {
    came.add(part);
    wake();
  };
  request.on("data", take);
  request.on("end", () => {
    isComplete = true;
    wake();
  });
  gone.addEventListener("abort", () => wake());
  try {
    while (true) {
      if (came.size > 0) yield came.take();
      else if (isComplete) return;
      else {
        gone.throwIfAborted();
        await new Promise<void>((resolve) => wake = resolve);
      }
    }
  } finally {
    request.off("data", take);
  }
}

async function respond(
  response: ServerResponse,
  { status, header, body, trailer }: UniversalServerResponse,
) {
  const chunks = body?.[Symbol.asyncIterator]();
  // Not before the first: until then the handler may change the fields.
  let next = await chunks?.next();
  response.statusCode = status;
  for (const [name, value] of header ?? []) response.setHeader(name, value);
  while (next && !next.done) {
    if (!response.write(next.value)) {
      await new Promise<void>((resolve) => {
        response.once("drain", resolve);
        response.once("close", resolve);
      });
    }
    if (response.destroyed) {
      await chunks!.return?.();
      return;
    }
    next = await chunks!.next();
  }
  if (trailer) response.addTrailers(Object.fromEntries(trailer));
  response.end();
}
