import { createServer, type Server, type Socket } from "node:net";

/** How a client of HTTP/2 begins. */
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Takes connections by what they speak. */
export interface Listening {
  /** One of HTTP/2, accepted at a time of `performance.now()`. */
  http2(socket: Socket, acceptedAt: number): void;
  /** One of HTTP/1; undefined if that is not spoken. */
  http1: ((socket: Socket) => void) | undefined;
  /** Milliseconds until it is to be known what a connection speaks; no more than a timer can be set to. */
  handshakeTimeout: number;
  /** Told of a connection of which it was not known in time. */
  late(socket: Socket): void;
  /** Those of which it is yet to be known. */
  undecided: Set<Socket>;
}

/** A server in the clear, where a client says what it speaks by how it begins. */
export function clearListener(listening: Listening): Server {
  return createServer((socket) => {
    if (socket.destroyed) return;
    const acceptedAt = performance.now();
    const { http1 } = listening;
    if (http1) sniff(socket, acceptedAt, http1, listening);
    else listening.http2(socket, acceptedAt);
  });
}

function sniff(
  socket: Socket,
  acceptedAt: number,
  http1: (socket: Socket) => void,
  { http2, handshakeTimeout, late, undecided }: Listening,
) {
  const parts: Uint8Array[] = [];
  let begun = "";
  const timer = setTimeout(() => {
    late(socket);
    socket.destroy();
  }, handshakeTimeout);
  undecided.add(socket);
  const forget = () => {
    clearTimeout(timer);
    undecided.delete(socket);
  };
  const destroy = () => socket.destroy();
  const read = (part: Uint8Array) => {
    parts.push(part);
    for (let i = 0; i < part.length && begun.length < PREFACE.length; i++) {
      begun += String.fromCharCode(part[i]);
    }
    if (begun.length < PREFACE.length && PREFACE.startsWith(begun)) return;
    forget();
    socket.off("data", read);
    socket.off("close", forget);
    socket.off("error", destroy);
    socket.pause();
    for (const part of parts.reverse()) socket.unshift(part);
    if (begun === PREFACE) http2(socket, acceptedAt);
    else http1(socket);
    socket.resume();
  };
  socket.on("data", read);
  socket.on("close", forget);
  socket.on("error", destroy);
}
