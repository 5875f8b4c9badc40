import { type ContextKey, createContextKey } from "@connectrpc/connect";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { ClientCertificate, Peer } from "../cache/mod.ts";
import { subjectAltNames } from "./_alt_names.ts";

/** A peer that nothing is known of. */
export const unknownPeer: Peer = {
  hostname: "",
  port: 0,
  certificate: undefined,
};

/**
 * Under which a server adapter puts the peer of a request, for observers, `authenticate` and `authorize` to see. Without
 * it they see a peer of which nothing is known.
 *
 * @example With Connect's adapter for Node
 * ```ts
 * import { peerKey, peerOf, SnapshotCache, xdsRoutes } from "@xds/control-plane";
 * import { createContextValues } from "@connectrpc/connect";
 * import { connectNodeAdapter } from "@connectrpc/connect-node";
 *
 * const handler = connectNodeAdapter({
 *   routes: xdsRoutes({ cache: new SnapshotCache() }),
 *   contextValues: (request) => createContextValues().set(peerKey, peerOf(request)),
 * });
 * ```
 */
export const peerKey: ContextKey<Peer> = createContextKey<Peer>(unknownPeer, {
  description: "xds peer",
});

/**
 * The peer that a request of Node's HTTP server, of either version, came from, to be put under {@linkcode peerKey}.
 *
 * @param request of `node:http`, or, with a stream, of `node:http2`
 */
export function peerOf(
  request: IncomingMessage | {
    readonly stream: { readonly session?: { readonly socket: Socket } };
  },
): Peer {
  const socket = "stream" in request
    ? request.stream.session?.socket
    : request.socket;
  return socket ? peerOfSocket(socket) : unknownPeer;
}

/** The peer at the other end of a socket. */
export function peerOfSocket(socket: Socket): Peer {
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
  if (!certificate?.fingerprint256 || !certificate.raw) return undefined;
  let names: string[];
  try {
    names = subjectAltNames(certificate.raw);
  } catch {
    // What cannot be read proves nothing.
    return undefined;
  }
  const { CN } = certificate.subject ?? {};
  const expires = Date.parse(certificate.valid_to ?? "");
  return {
    commonName: (Array.isArray(CN) ? CN[0] : CN) ?? "",
    subjectAltNames: names,
    fingerprint: certificate.fingerprint256,
    ...!Number.isNaN(expires) && { expires },
  };
}

/** The headers of a request of Node's HTTP server. */
export function headersOf({ headers }: IncomingMessage): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    for (const one of [value].flat()) all.append(name, one);
  }
  return all;
}
