import type { Server, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { Listening } from "./_listener.ts";
import type { TlsOptions } from "./tls.ts";

export { checkTls } from "./_check_tls.ts";

/** A server over TLS, where a client says what it speaks by ALPN. */
export function secureListener(
  { cert, key, clientCa, clientCertificate = "required" }: TlsOptions,
  { http1, http2, handshakeTimeout, late, undecided }: Listening,
): Server {
  const acceptedAt = new WeakMap<Socket, number>();
  const isOptional = clientCertificate === "optional";
  const listener = createServer({
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
