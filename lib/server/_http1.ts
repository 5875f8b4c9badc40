import { Buffer } from "node:buffer";
import type { Server as Http1Server, ServerResponse } from "node:http";
import type { Http2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";

/** How a client of HTTP/2 begins. */
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Connections that do not speak HTTP/2, of which those that are idle have to be closed for a server to be. */
export class Http1Connections {
  readonly #sockets = new Set<Socket>();
  readonly #busy = new Set<Socket>();
  #closing = false;

  /** Takes a connection that has begun. */
  add(socket: Socket) {
    if (this.#closing) socket.end();
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
      if (this.#closing) socket.end();
    });
  }

  /** Closes connections, those with a request under way once that is answered. */
  close() {
    this.#closing = true;
    for (const socket of this.#sockets) {
      if (!this.#busy.has(socket)) socket.end();
    }
  }
}

/** A server in the clear that speaks HTTP/2 and HTTP/1, whichever a client begins with. */
export function createClearServer(
  http2: Http2Server,
  http1: Http1Server,
  connections: Http1Connections,
): Server {
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
