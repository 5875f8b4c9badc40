import type { AddressInfo, Server } from "node:net";

/** Where a server listens. */
export interface Address {
  /** The address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
  /** What it speaks on. */
  readonly transport: "tcp";
}

/** A server that could not listen; the system's error is the `cause`. */
export class ListenError extends Error {
  /** The kind of error. */
  override readonly name = "ListenError";
}

/**
 * Begins to listen. Errors that come later, as when there are no files left, are printed: those that are connected are
 * served on.
 *
 * @throws {ListenError} if that is not possible
 */
export function listen(
  listener: Server,
  hostname: string,
  port: number,
): Promise<Address> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error & { code?: string }) => {
      const where = `${hostname}:${port}`;
      const reason = cause.code === "EADDRINUSE"
        ? "another process listens there; choose another port, or 0 for one that is free"
        : cause.message;
      reject(
        new ListenError(`cannot listen on ${where}: ${reason}`, { cause }),
      );
    };
    listener.once("error", fail);
    listener.listen(port, hostname, () => {
      listener.off("error", fail);
      listener.on("error", (error) => {
        console.error("xds: connections cannot be accepted:", error);
      });
      const { address, port } = listener.address() as AddressInfo;
      resolve({ hostname: address, port, transport: "tcp" });
    });
  });
}

/** Stops listening, and resolves once all connections are closed. */
export function closed(listener: Server): Promise<void> {
  return new Promise((resolve) => listener.close(() => resolve()));
}
