import type { Peer } from "../cache/mod.ts";
import type { ConnectionLimit } from "../http2/mod.ts";
import type { Observer } from "./events.ts";
import type { EffectiveLimits } from "./limits.ts";

/** Limits of connections. */
export type ToldLimit = ConnectionLimit | "connections";

/** Tells the observer of a connection's limit that was reached. */
export function limitTeller(
  limits: EffectiveLimits,
  observer: Observer | undefined,
): (limit: ToldLimit, peer: Peer) => void {
  const messages: Record<ToldLimit, string> = {
    connections:
      `there may be ${limits.connections} connections; this one was cut`,
    streamsPerConnection:
      `a connection may have ${limits.streamsPerConnection} streams open; this one was refused`,
    resetsPerSecond:
      `a peer may begin and give up ${limits.resetsPerSecond} streams a second, and four times as many at once`,
    handshakeTimeout:
      `HTTP/2 did not begin within ${limits.handshakeTimeout} ms`,
    idleTimeout: `there was no stream for ${limits.idleTimeout} ms`,
    keepalive: `nothing came within ${limits.keepalive.timeout} ms of a ping`,
    maxConnectionAge:
      `the connection is ${limits.maxConnectionAge} ms old, give or take a tenth`,
  };
  return (limit, peer) => {
    const value = limit === "keepalive"
      ? limits.keepalive.timeout
      : limits[limit];
    const message = messages[limit];
    observer?.({
      kind: "limit",
      limit,
      value,
      peer,
      stream: undefined,
      message,
    });
  };
}
