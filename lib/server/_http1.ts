import { Buffer } from "node:buffer";
import {
  createServer as createHttp1Server,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** How a client of HTTP/2 begins. */
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/**
 * How long a connection of HTTP/1 may be idle, in milliseconds. Above the hour after which an Envoy closes it, so that
 * none is closed just when a request is sent.
 */
const IDLE = 75 * 60_000;

/** Connections that do not speak HTTP/2, of which those that are idle have to be closed for a server to be. */
export class Http1Connections {
  readonly #sockets = new Set<Socket>();
  readonly #busy = new Set<Socket>();
  #closing = false;

  /** Takes a connection that has begun. */
  add(socket: Socket) {
    if (this.#closing) socket.destroySoon();
    this.#sockets.add(socket);
    socket.on("close", () => this.remove(socket));
    // A connection that breaks has nobody to tell.
    socket.on("error", () => socket.destroy());
  }

  /** Forgets a connection, as one that turns out to speak HTTP/2. */
  remove(socket: Socket) {
    this.#sockets.delete(socket);
    this.#busy.delete(socket);
  }

  /** Takes a request that has begun on a connection. */
  begin(response: ServerResponse) {
    const { socket } = response;
    if (!socket) return;
    this.#busy.add(socket);
    if (this.#closing) response.setHeader("connection", "close");
    response.on("close", () => {
      this.#busy.delete(socket);
      if (this.#closing) socket.destroySoon();
    });
  }

  /** Closes connections, those with a request under way once that is answered. */
  close() {
    this.#closing = true;
    for (const socket of this.#sockets) {
      if (!this.#busy.has(socket)) socket.destroySoon();
    }
  }
}

/** Lets a server that speaks HTTP/2 over TLS speak HTTP/1, too; it was made with `allowHTTP1`. */
export function allowHttp1(
  secure: Http2SecureServer,
  connections: Http1Connections,
) {
  Object.assign(secure, { keepAliveTimeout: IDLE });
  secure.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol !== "h2") connections.add(socket);
  });
}

/** Refuses connections over TLS that are not to speak HTTP/2. */
export function refuseHttp1(secure: Http2SecureServer) {
  secure.on("unknownProtocol", (socket: TLSSocket) => {
    const text = "This port speaks HTTP/2 alone, by ALPN h2.\n";
    socket.write(
      "HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-type: text/plain\r\n" +
        `content-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
    );
    socket.destroySoon();
  });
}

/** A server in the clear that speaks HTTP/2 and HTTP/1, whichever a client begins with. */
export function createClearServer(
  http2: Http2Server,
  handle: RequestListener,
  connections: Http1Connections,
): Server {
  const http1 = createHttp1Server({ keepAliveTimeout: IDLE }, handle);
  // A server that does not listen takes itself for one that shuts down, and ends a connection after one response.
  Object.defineProperty(http1, "listening", { value: true });
  return createServer((socket) => {
    connections.add(socket);
    let head = Buffer.alloc(0);
    const sniff = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const begun = head.toString("latin1", 0, PREFACE.length);
      if (begun.length < PREFACE.length && PREFACE.startsWith(begun)) return;
      socket.off("data", sniff);
      socket.pause();
      socket.unshift(head);
      if (begun === PREFACE) {
        connections.remove(socket);
        http2.emit("connection", socket);
      } else http1.emit("connection", socket);
      socket.resume();
    };
    socket.on("data", sniff);
  });
}
