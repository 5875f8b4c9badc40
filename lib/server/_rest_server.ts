import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import { ByteBuffer } from "./_byte_buffer.ts";
import type { HttpHandler } from "./_http_handler.ts";
import { isRefused, secureOptions } from "./_secure_options.ts";
import { type EffectiveLimits, MAX_TIME } from "./limits.ts";
import { headersOf, peerOf } from "./peer.ts";
import type { TlsOptions } from "./tls.ts";

/** What a server of REST needs. */
export interface RestServerOptions {
  readonly handle: HttpHandler;
  readonly tls: TlsOptions | undefined;
  readonly limits: EffectiveLimits;
  /** Takes a connection; false if there are too many, so that it is to be cut. */
  admit(socket: Socket): boolean;
  /** A connection that is to be served; it is to be closed by {@linkcode RestServer.close}. */
  opened(socket: Socket): void;
  /** A connection has more requests under way than it may. */
  tooMany(socket: Socket): void;
}

/** Bytes of a request that are read and dropped once it is answered; a client that sends more is cut. */
const MOST_DROPPED = 1024 * 1024;

/** Requests that a connection may have under way, its client not waiting for answers; fewer if streams are limited to fewer. */
const MOST_AT_ONCE = 32;

/** How often connections are looked at that are late with a request, in milliseconds. */
const LOOK = 1_000;

/** Serves HTTP/1 on a port of its own. */
export class RestServer {
  /** What listens. */
  readonly listener: Server;
  readonly #options: RestServerOptions;
  /** The requests that are under way on each connection. */
  readonly #requests = new Map<Socket, Set<AbortController>>();
  /** Those that are to be closed. */
  readonly #leaving = new WeakSet<Socket>();
  #isClosing = false;

  constructor(options: RestServerOptions) {
    this.#options = options;
    const { tls, limits } = options;
    const time = (limit: number) => limit > MAX_TIME ? 0 : limit;
    const late = time(limits.openTimeout);
    const settings: ServerOptions = {
      keepAliveTimeout: time(limits.idleTimeout),
      headersTimeout: late,
      requestTimeout: late,
      connectionsCheckingInterval: late
        ? Math.min(LOOK, Math.ceil(late / 2))
        : LOOK,
    };
    const take = (request: IncomingMessage, response: ServerResponse) =>
      this.#take(request, response);
    this.listener = tls
      ? createSecureServer({
        ...settings,
        ...secureOptions(tls),
        handshakeTimeout: Math.min(limits.handshakeTimeout, MAX_TIME),
        ALPNProtocols: ["http/1.1"],
      }, take)
      : createServer(settings, take);
    this.listener.prependListener("connection", (socket: Socket) => {
      if (!options.admit(socket)) return;
      // A connection that breaks has nobody to tell.
      socket.on("error", () => socket.destroy());
      if (!tls) this.#open(socket);
    });
    this.listener.on("secureConnection", (socket) => {
      if (isRefused(socket, tls!)) socket.destroy();
      else this.#open(socket);
    });
    this.listener.on("clientError", (_error, socket: Socket) => {
      socket.destroy();
    });
  }

  /** Closes all connections that there are and will be, as {@linkcode close} does. */
  closeAll() {
    this.#isClosing = true;
    for (const socket of this.#requests.keys()) this.close(socket);
  }

  /** Closes a connection, if requests are under way once they are answered. */
  close(socket: Socket) {
    this.#leaving.add(socket);
    if (!this.#requests.get(socket)?.size) socket.destroySoon();
  }

  #open(socket: Socket) {
    if (socket.destroyed) return;
    const requests = new Set<AbortController>();
    this.#requests.set(socket, requests);
    socket.on("close", () => {
      this.#requests.delete(socket);
      // Responses that wait behind another are not told of it.
      for (const gone of requests) gone.abort();
    });
    this.#options.opened(socket);
    if (this.#isClosing) this.close(socket);
  }

  #take(request: IncomingMessage, response: ServerResponse) {
    const { socket } = request;
    const requests = this.#requests.get(socket);
    if (!requests || socket.destroyed) return;
    const { limits, tooMany, handle } = this.#options;
    if (requests.size >= Math.min(limits.streamsPerConnection, MOST_AT_ONCE)) {
      tooMany(socket);
      socket.destroy();
      return;
    }
    const gone = new AbortController();
    requests.add(gone);
    if (this.#leaving.has(socket)) response.setHeader("connection", "close");
    response.on("close", () => {
      gone.abort();
      requests.delete(gone);
      if (requests.size === 0 && this.#leaving.has(socket)) {
        socket.destroySoon();
      }
    });
    answer(request, response, handle, gone);
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: HttpHandler,
  gone: AbortController,
) {
  // A client that goes away is told of by the response's end.
  request.on("error", () => {});
  const { method = "", url = "", headers, socket } = request;
  const scheme = "encrypted" in socket ? "https" : "http";
  try {
    const answer = await handle({
      httpVersion: "1.1",
      method,
      path: pathOf(url),
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
  drop(request);
}

/** The path of a target, which may be a whole URL (RFC 9112, 3.2.2). */
function pathOf(target: string): string {
  if (target.startsWith("/")) return target;
  const url = URL.parse(target);
  return url ? url.pathname + url.search : target;
}

/** Reads what is left of a request, which would keep the connection from the next; not if it is much. */
function drop(request: IncomingMessage) {
  if (request.complete) return;
  let dropped = 0;
  request.on("data", (part: Uint8Array) => {
    dropped += part.length;
    if (dropped > MOST_DROPPED) request.socket.destroy();
  });
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
    // One part at a time, so that what is not made use of is not read.
    request.pause();
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
      if (came.size > 0) {
        yield came.take();
        request.resume();
      } else if (isComplete) return;
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
