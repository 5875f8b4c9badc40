import { createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createSecureServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import {
  peerKey,
  peerOf,
  type RoutesOptions,
  serve,
  xdsRoutes,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";

/** A server of ours, or our routes in somebody else's. */
export type Way = "serve" | "xdsRoutes";
export const ways: readonly Way[] = ["serve", "xdsRoutes"];

/** Serves over TLS on a port that the system picks; mutual TLS if clients are to have certificates. */
export async function listen<Identity>(
  way: Way,
  options: RoutesOptions<Identity> & { clientCertificates?: boolean },
): Promise<AsyncDisposable & { port: number }> {
  const server = { cert: pem("server.pem"), key: pem("server.key") };
  const clientCa = options.clientCertificates ? pem("ca.pem") : undefined;
  if (way === "serve") {
    const tls = { ...server, clientCa };
    const ours = await serve({
      ...options,
      hostname: "127.0.0.1",
      port: 0,
      tls,
    });
    return {
      port: ours.addr.port,
      [Symbol.asyncDispose]: () => ours.shutdown({ deadline: 100 }),
    };
  }
  const mutual = clientCa !== undefined;
  const theirs = createSecureServer(
    {
      ...server,
      ca: clientCa,
      requestCert: mutual,
      rejectUnauthorized: mutual,
    },
    connectNodeAdapter({
      routes: xdsRoutes(options),
      contextValues: (request) =>
        createContextValues().set(peerKey, peerOf(request)),
    }),
  );
  const sessions = new Set<ServerHttp2Session>();
  theirs.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  await new Promise<void>((resolve) => theirs.listen(0, "127.0.0.1", resolve));
  return {
    port: (theirs.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) =>
        theirs.close(() => resolve())
      );
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}
