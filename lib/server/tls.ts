import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** A server's certificate, and whose certificates it accepts. All in PEM. */
export interface TlsOptions {
  /** The server's certificate, and after it those of its issuers up to one that clients know. */
  cert: string;
  /** The certificate's private key. */
  key: string;
  /**
   * Certificates of the authorities that clients' certificates must come from. A client with one of another is turned away,
   * and one without unless `clientCertificate` says otherwise.
   *
   * When a certificate expires, the streams of its connection end with `UNAUTHENTICATED`, and the connection with them:
   * clients connect again, with the certificate that they have by then.
   */
  clientCa?: string;
  /**
   * Whether a client has to have a certificate. With `"optional"`, `authenticate` is to decide what one without may, as by
   * a token; `peer.certificate` is undefined then. Default: `"required"`.
   */
  clientCertificate?: "required" | "optional";
}

/** A certificate or key that cannot be used; the parser's error is the `cause`. */
export class TlsError extends Error {
  /** The kind of error. */
  override readonly name = "TlsError";
}

/**
 * Sees to it that TLS options can be used.
 *
 * @throws {TlsError} if not; it names the option
 */
export function checkTls(options: TlsOptions): void {
  const certificate = parse(
    "tls.cert",
    "certificate",
    () => new X509Certificate(options.cert),
  );
  const key: KeyObject = parse(
    "tls.key",
    "private key",
    () => createPrivateKey(options.key),
  );
  if (!certificate.checkPrivateKey(key)) {
    throw new TlsError("tls.key is not the private key of tls.cert");
  }
  const { clientCa, clientCertificate } = options;
  if (
    clientCertificate !== undefined && clientCertificate !== "required" &&
    clientCertificate !== "optional"
  ) {
    throw new TlsError(
      `tls.clientCertificate is ${
        JSON.stringify(clientCertificate)
      }: it must be "required" or "optional"`,
    );
  }
  if (clientCertificate !== undefined && clientCa === undefined) {
    throw new TlsError(
      `tls.clientCertificate is ${
        JSON.stringify(clientCertificate)
      }, and tls.clientCa is missing: it says whose certificates are accepted`,
    );
  }
  if (clientCa !== undefined) {
    parse("tls.clientCa", "certificate", () => new X509Certificate(clientCa));
  }
}

function parse<T>(option: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TlsError(`${option} is no ${what} in PEM: ${reason}`, { cause });
  }
}
