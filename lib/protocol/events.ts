import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type {
  Blocked,
  FailureCode,
  Outcome,
  Refusal,
  Sequencing,
  Subscription,
  View,
} from "../cache/mod.ts";
import type { StreamRequest } from "./request.ts";
import type { Response } from "./response.ts";

/** What happens to a stream. */
export type StreamEvent =
  /** The client sent a request. */
  | { kind: "request"; request: StreamRequest }
  /** A cache has something new for a type; `names` are those that may have changed, where the cache knows. */
  | {
    kind: "changed";
    typeUrl: string;
    view: View | undefined;
    names?: ReadonlySet<string>;
  }
  /** A type is watched: how its changes are ordered, and sets that were served before. */
  | {
    kind: "watched";
    typeUrl: string;
    sequencing?: Sequencing;
    history?: Iterable<View>;
  }
  /** A timer that the stream has started went off. */
  | { kind: "timer"; id: string }
  /** Resources of a type that have a TTL are to be refreshed. */
  | { kind: "heartbeat"; typeUrl: string }
  /** The transport can take a response. */
  | { kind: "pull" };

/** What is to be done about it, in this order. */
export type StreamAction =
  /** The first request came: the client is known. */
  | { kind: "open"; node: Node }
  /** The client gave its node again, and it may differ. */
  | { kind: "node"; node: Node }
  /** Watch a type for the client. */
  | { kind: "watch"; typeUrl: string; subscription: Subscription }
  /** The client's subscription to a type that is watched has changed. */
  | { kind: "subscribe"; typeUrl: string; subscription: Subscription }
  /** The client accepted a response. */
  | { kind: "ack"; typeUrl: string; response: Response; view: View }
  /** The client refused a response. */
  | {
    kind: "nack";
    typeUrl: string;
    response: Response;
    view: View;
    refusal: Refusal;
  }
  /** A request was passed over, since it answers a response that is no longer the newest. */
  | { kind: "stale"; typeUrl: string; nonce: string }
  /** There may be something to send: pull. */
  | { kind: "ready" }
  /** Send this. */
  | { kind: "send"; typeUrl: string; response: Response; view: View }
  /** Tell the stream when so many milliseconds have passed. */
  | { kind: "timer"; id: string; after: number }
  /** A change of a type waits, and for what; told when that begins, and when it waits for something else. */
  | { kind: "blocked"; typeUrl: string; blocked: Blocked }
  /** The change that was told to wait does so no longer. */
  | { kind: "unblocked"; typeUrl: string }
  /** A client did not request in time what it was expected to; nothing waits for that any longer. */
  | { kind: "not_requested"; typeUrl: string; names: readonly string[] }
  /** The set is in force at the client, but for what `outcome` says. */
  | { kind: "settled"; typeUrl: string; view: View; outcome: Outcome }
  /** End the stream with an error that the client caused. */
  | {
    kind: "fail";
    code: FailureCode;
    message: string;
    /** The limit that the client reached; undefined if that is not why. */
    limit?: { name: "names" | "types"; value: number };
  };
