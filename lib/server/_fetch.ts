import { ConnectError } from "@connectrpc/connect";
import type { Cache, Peer, View, WatchRequest } from "../cache/mod.ts";
import type { Ending } from "./_ending.ts";
import type { FetchMethod } from "./_streams.ts";
import { clientGone, failure } from "./_status.ts";

const UNDECIDED =
  "it was not decided in time who the client is, or what it may have; try again";

/**
 * What the cache has said of a request: nothing of use, some of what was asked for while it does not know yet whether
 * there is more, or all.
 */
export interface Heard {
  of: "nothing" | "some" | "all";
  /** Called when it has said something more. */
  more: () => void;
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
  /** The request's headers, asked for if anybody wants to see them. */
  headers: () => Headers;
  /** Whether to wait until there is something that the client does not have, or only until the cache has said anything. */
  forNews: boolean;
  /** How long to wait, in milliseconds. */
  deadline: number;
  /** Aborted when the client goes away. */
  gone: AbortSignal;
  /** Aborted when the server shuts down. */
  ending: Ending;
}

/** Answers one request: a stream that ends with its first response. */
export async function fetchOnce(
  method: FetchMethod,
  { request, peer, headers, forNews, deadline, gone, ending }: FetchOptions,
): Promise<Fetched> {
  let isLate = ending.isOver;
  let wake = () => {};
  const heard: Heard = { of: "nothing", more: () => wake() };
  const session = method.open(peer, headers, heard);
  session.wake = () => wake();
  const stop = () => {
    isLate = true;
    wake();
  };
  const leave = () => session.end(clientGone(gone.reason));
  const timer = setTimeout(stop, deadline);
  ending.add(stop);
  gone.addEventListener("abort", leave);
  if (gone.aborted) leave();
  try {
    session.receive(request);
    while (true) {
      const isTold = heard.of === "all" || (isLate && heard.of === "some");
      const frame = isTold ? session.take() : undefined;
      if (frame) return { kind: "response", frame };
      if (session.ended) {
        return { kind: "failed", error: ConnectError.from(session.ended) };
      }
      if (isTold && (isLate || !forNews)) return { kind: "unchanged" };
      if (isLate && session.standsStill) {
        return { kind: "failed", error: failure("unavailable", UNDECIDED) };
      }
      if (isLate) return { kind: "nothing" };
      await new Promise<void>((resolve) => wake = resolve);
    }
  } finally {
    clearTimeout(timer);
    ending.delete(stop);
    gone.removeEventListener("abort", leave);
    session.end(null);
  }
}

/** A cache that notes what it has said of a request, and renews nothing, since what is sent is sent once. */
export function hearing(cache: Cache, heard: Heard): Cache {
  return {
    watch(request, sink) {
      return cache.watch(request, {
        changed(view, names) {
          heard.of = view ? extentOf(view, request) : "nothing";
          sink.changed(view, names);
          heard.more();
        },
      });
    },
  };
}

function extentOf(view: View, { subscription }: WatchRequest): Heard["of"] {
  const names = [...subscription.names];
  if (!names.some((name) => view.isPending(name))) return "all";
  return names.some((name) => view.resources.has(name)) ? "some" : "nothing";
}
