import type { ConnectError } from "@connectrpc/connect";
import type { Clock, Peer } from "../cache/mod.ts";
import { failure } from "./_status.ts";

/** Milliseconds after which the time is looked at again: somebody may have set the clock. */
const LOOK = 60 * 60_000;

/** Calls back once a peer's certificate has expired, unless what it returns is disposed of before. */
export function whenExpired(
  { certificate }: Peer,
  clock: Clock,
  expired: () => void,
): Disposable | undefined {
  const at = certificate?.expires;
  if (at === undefined) return undefined;
  let timer: Disposable | undefined;
  const look = () => {
    const left = at - clock.now();
    if (left <= 0) expired();
    else timer = clock.after(Math.min(left, LOOK), look);
  };
  look();
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}

/** What ends a stream whose client's certificate has expired. */
export function certificateExpired({ certificate }: Peer): ConnectError {
  const at = new Date(certificate?.expires ?? 0).toISOString();
  return failure(
    "unauthenticated",
    `the client's certificate expired at ${at}; connect again, with a new one`,
  );
}
