import { type ContextKey, createContextKey } from "@connectrpc/connect";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { ClientCertificate, Peer } from "../cache/mod.ts";

/** A peer that nothing is known of. */
export const unknownPeer: Peer = {
  hostname: "",
  port: 0,
  certificate: undefined,
};

/** Under which a server adapter may put the peer of a request, for observers to see. */
export const peerKey: ContextKey<Peer> = createContextKey<Peer>(unknownPeer, {
  description: "xds peer",
});

/** The peer that a request came from. */
export function peerOf(request: Http2ServerRequest | IncomingMessage): Peer {
  const socket = "stream" in request
    ? request.stream.session?.socket
    : request.socket;
  if (!socket) return unknownPeer;
  return {
    hostname: socket.remoteAddress ?? "",
    port: socket.remotePort ?? 0,
    certificate: certificateOf(socket as Partial<TLSSocket>),
  };
}

function certificateOf(
  socket: Partial<TLSSocket>,
): ClientCertificate | undefined {
  if (!socket.authorized) return undefined;
  const certificate: Partial<PeerCertificate> | undefined = socket
    .getPeerCertificate?.();
  if (!certificate?.fingerprint256) return undefined;
  const { CN } = certificate.subject ?? {};
  return {
    commonName: (Array.isArray(CN) ? CN[0] : CN) ?? "",
    subjectAltNames: certificate.subjectaltname?.split(", ") ?? [],
    fingerprint: certificate.fingerprint256,
  };
}
