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
