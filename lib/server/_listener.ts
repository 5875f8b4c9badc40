import { createServer, type Server, type Socket } from "node:net";
import { createServer as createSecureServer, type TLSSocket } from "node:tls";
import type { TlsOptions } from "./tls.ts";

/** How a client of HTTP/2 begins. */
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Takes connections by what they speak. */
export interface Listening {
  /** One of HTTP/2, accepted at a time of `performance.now()`. */
  http2(socket: Socket, acceptedAt: number): void;
  /** One of HTTP/1; undefined if that is not spoken. */
  http1: ((socket: Socket) => void) | undefined;
  /** Milliseconds until it is to be known what a connection speaks. */
  handshakeTimeout: number;
  /** Told of a connection of which it was not known in time. */
  late(socket: Socket): void;
  /** Those of which it is yet to be known. */
  undecided: Set<Socket>;
}

/** A server that is to listen. */
export function listenerOf(
  tls: TlsOptions | undefined,
  listening: Listening,
): Server {
  return tls ? secureListener(tls, listening) : clearListener(listening);
}

/** In the clear, a client says what it speaks by how it begins. */
function clearListener(listening: Listening): Server {
  return createServer((socket) => {
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

/** Over TLS, a client says what it speaks by ALPN. */
function secureListener(
  { cert, key, clientCa, clientCertificate = "required" }: TlsOptions,
  { http1, http2, handshakeTimeout, late, undecided }: Listening,
): Server {
  const acceptedAt = new WeakMap<Socket, number>();
  const isOptional = clientCertificate === "optional";
  const listener = createSecureServer({
    cert,
    key,
    ca: clientCa,
    requestCert: clientCa !== undefined,
    rejectUnauthorized: clientCa !== undefined && !isOptional,
    ALPNProtocols: http1 ? ["h2", "http/1.1"] : ["h2"],
    handshakeTimeout,
  }, (socket: TLSSocket & { _parent?: Socket }) => {
    const raw = socket._parent ?? socket;
    const accepted = acceptedAt.get(raw);
    undecided.delete(raw);
    // None is as good as one that is accepted, but one that is not is no better for that.
    if (isOptional && !socket.authorized && socket.getPeerCertificate()?.raw) {
      socket.on("error", () => socket.destroy());
      socket.destroy();
      return;
    }
    if (socket.alpnProtocol === "h2") {
      http2(socket, accepted ?? performance.now());
    } else if (http1) http1(socket);
    else refuse(socket);
  });
  listener.on("connection", (socket: Socket) => {
    acceptedAt.set(socket, performance.now());
    undecided.add(socket);
    socket.on("close", () => undecided.delete(socket));
  });
  listener.on("tlsClientError", (error, socket) => {
    if (/handshake timeout/i.test(error.message)) late(socket);
    socket.destroy();
  });
  return listener;
}

/** Tells who does not speak HTTP/2 that nothing else is spoken. */
function refuse(socket: Socket) {
  const text = "This port speaks HTTP/2 alone, by ALPN h2.\n";
  socket.on("error", () => socket.destroy());
  socket.write(
    "HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-type: text/plain\r\n" +
      `content-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
  );
  socket.destroySoon();
}
