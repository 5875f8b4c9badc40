import type { TLSSocket } from "node:tls";
import type { TlsOptions } from "./tls.ts";

/** TLS options as Node's servers take them. */
export function secureOptions(
  { cert, key, clientCa, clientCertificate }: TlsOptions,
) {
  return {
    cert,
    key,
    ca: clientCa,
    requestCert: clientCa !== undefined,
    rejectUnauthorized: clientCa !== undefined &&
      clientCertificate !== "optional",
  };
}

/**
 * Whether a client is to be cut that gave a certificate which is not accepted, where none would have done: none is as good
 * as one that is accepted, but one that is not is no better for that.
 */
export function isRefused(
  socket: TLSSocket,
  { clientCertificate }: TlsOptions,
): boolean {
  return clientCertificate === "optional" && !socket.authorized &&
    socket.getPeerCertificate()?.raw !== undefined;
}
