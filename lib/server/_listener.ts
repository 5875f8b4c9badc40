import { createServer, type Server, type Socket } from "node:net";

/** Takes connections of HTTP/2. */
export interface Listening {
  /** One that was accepted at a time of `performance.now()`. */
  http2(socket: Socket, acceptedAt: number): void;
  /** Milliseconds until TLS is to be there; no more than a timer can be set to. */
  handshakeTimeout: number;
  /** Told of a connection that had no TLS in time. */
  late(socket: Socket): void;
  /** Those that have no TLS yet. */
  undecided: Set<Socket>;
}

/** A server in the clear. */
export function clearListener({ http2 }: Listening): Server {
  return createServer((socket) => {
    if (!socket.destroyed) http2(socket, performance.now());
  });
}
