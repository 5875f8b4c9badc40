import { Code, ConnectError } from "@connectrpc/connect";
import type { Cache, Peer, View, WatchRequest } from "../cache/mod.ts";
import type { FetchMethod } from "./_streams.ts";

/** Whether the cache has said what there is for a request. */
export interface Heard {
  view: boolean;
}

/** What came of a request. */
export type Fetched =
  /** A response, as a gRPC message. The same bytes for all who are sent the same. */
  | { kind: "response"; frame: Uint8Array }
  /** The client has what there is. */
  | { kind: "unchanged" }
  /** The cache has not said what there is. */
  | { kind: "nothing" }
  | { kind: "failed"; error: ConnectError };

/** One request, and how long it may wait. */
export interface FetchOptions {
  /** The `DiscoveryRequest`, encoded. */
  request: Uint8Array;
  peer: Peer;
  /** Whether to wait until there is something that the client does not have, or only until the cache has said anything. */
  forNews: boolean;
  /** How long to wait, in milliseconds. */
  deadline: number;
  /** Aborted when the client goes away. */
  gone: AbortSignal;
  /** Aborted when the server shuts down. */
  ending: AbortSignal | undefined;
}

/** Answers one request: a stream that ends with its first response. */
export async function fetchOnce(
  method: FetchMethod,
  { request, peer, forNews, deadline, gone, ending }: FetchOptions,
): Promise<Fetched> {
  const heard: Heard = { view: false };
  const session = method.open(peer, heard);
  let isLate = ending?.aborted ?? false;
  let wake = () => {};
  session.wake = () => wake();
  const stop = () => {
    isLate = true;
    wake();
  };
  const leave = () => session.end(goneAway(gone.reason));
  const timer = setTimeout(stop, deadline);
  ending?.addEventListener("abort", stop);
  gone.addEventListener("abort", leave);
  if (gone.aborted) leave();
  try {
    session.receive(request);
    while (true) {
      const frame = session.take();
      if (frame) return { kind: "response", frame };
      if (session.ended) {
        return { kind: "failed", error: ConnectError.from(session.ended) };
      }
      if (heard.view && (isLate || !forNews)) return { kind: "unchanged" };
      if (isLate) return { kind: "nothing" };
      await new Promise<void>((resolve) => wake = resolve);
    }
  } finally {
    clearTimeout(timer);
    ending?.removeEventListener("abort", stop);
    gone.removeEventListener("abort", leave);
    session.end(null);
  }
}

/** A cache that notes whether it has said what there is for a request, and does not renew what is sent but once. */
export function hearing(cache: Cache, heard: Heard): Cache {
  return {
    watch(request, sink) {
      return cache.watch(request, {
        changed(view, names) {
          heard.view = view !== undefined && isDecided(view, request);
          sink.changed(view, names);
        },
        held(names) {
          heard.view = false;
          sink.held?.(names);
        },
      });
    },
  };
}

function isDecided(view: View, { subscription }: WatchRequest): boolean {
  for (const name of subscription.names) {
    if (view.isPending(name)) return false;
  }
  return true;
}

function goneAway(cause: unknown): ConnectError {
  return new ConnectError(
    "the client went away",
    Code.Canceled,
    undefined,
    undefined,
    cause,
  );
}
