import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type {
  FailureCode,
  Outcome,
  Refusal,
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
  /** A type is watched; whether it takes part in make before break, and whether removals wait until it is drained. */
  | {
    kind: "watched";
    typeUrl: string;
    makeBeforeBreak: boolean;
    drains?: boolean;
  }
  /** Requests that were under way when nothing referred any longer to what is to be removed have ended. */
  | { kind: "drained"; typeUrl: string }
  /** A cache has something new that waits, so that nobody may be told yet that a name does not exist. */
  | { kind: "hold"; typeUrl: string }
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
  | { kind: "ack"; typeUrl: string; response: Response }
  /** The client refused a response. */
  | { kind: "nack"; typeUrl: string; response: Response; refusal: Refusal }
  /** A request was passed over, since it answers a response that is no longer the newest. */
  | { kind: "stale"; typeUrl: string; nonce: string }
  /** There may be something to send: pull. */
  | { kind: "ready" }
  /** Send this. */
  | { kind: "send"; typeUrl: string; response: Response; view: View }
  /** Nothing refers any longer to what is to be removed of a type: let requests that are under way end, and say so. */
  | { kind: "drain"; typeUrl: string }
  /** What was to be drained is referred to again. */
  | { kind: "undrain"; typeUrl: string }
  /** Something of a type waits, by make before break, for what the client has yet to do with others; said once. */
  | { kind: "wait"; typeUrl: string; wait: Wait }
  /** What was said to wait does so no longer. */
  | { kind: "resume"; typeUrl: string }
  /** The client has answered all that it was sent of a type and lacks nothing of the view but what `outcome` says. */
  | { kind: "settled"; typeUrl: string; view: View; outcome: Outcome }
  /** End the stream with an error that the client caused. */
  | {
    kind: "fail";
    code: FailureCode;
    message: string;
    /** The limit that the client reached; undefined if that is not why. */
    limit?: { name: "names" | "types"; value: number };
  };

/** What waits of a type, and for what. */
export interface Wait {
  /** Whether these are to be removed; otherwise they are to be sent. */
  readonly removal: boolean;
  /** Names of the resources that wait. */
  readonly names: readonly string[];
  /** What they wait for; empty if that is requests under way, which are given time to end (a cache's `drain`). */
  readonly waitingFor: readonly Awaited[];
}

/** What the client has yet to take before something else goes on. */
export interface Awaited {
  /** Its type. */
  readonly typeUrl: string;
  /** Names that the client has not acknowledged; empty where they are not known yet. */
  readonly names: readonly string[];
  /** Why the client refused it, if it did; the wait lasts until that is replaced. */
  readonly refusal: Refusal | undefined;
}
