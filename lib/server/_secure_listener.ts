import type { Server, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { Listening } from "./_listener.ts";
import { isRefused, secureOptions } from "./_secure_options.ts";
import type { TlsOptions } from "./tls.ts";

export { checkTls } from "./_check_tls.ts";

/** A server over TLS, of clients that speak HTTP/2. */
export function secureListener(
  tls: TlsOptions,
  { http2, handshakeTimeout, late, undecided }: Listening,
): Server {
  const acceptedAt = new WeakMap<Socket, number>();
  const listener = createServer({
    ...secureOptions(tls),
    ALPNProtocols: ["h2"],
    handshakeTimeout,
  }, (socket: TLSSocket & { _parent?: Socket }) => {
    const raw = socket._parent ?? socket;
    const accepted = acceptedAt.get(raw);
    undecided.delete(raw);
    if (isRefused(socket, tls)) {
      socket.on("error", () => socket.destroy());
      socket.destroy();
    } else if (socket.alpnProtocol === "h2") {
      http2(socket, accepted ?? performance.now());
    } else refuse(socket);
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
