import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { TlsError, type TlsOptions } from "./tls.ts";

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
