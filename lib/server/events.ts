import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type {
  Blocked,
  Client,
  Peer,
  Refusal,
  Subscription,
} from "../cache/mod.ts";
import type { Protocol } from "../protocol/mod.ts";
import type { LimitName } from "./limits.ts";

/** A client's stream, as events tell of it. */
export interface StreamInfo {
  /** Number of the stream, unique in the process. */
  readonly id: number;
  /** Who opened the connection. */
  readonly peer: Peer;
  /** Who `authenticate` found that to be; undefined without one, and until it has. */
  readonly identity: unknown;
  /** State of the world, or delta. */
  readonly protocol: Protocol;
  /** The type of a single-type service; undefined on ADS. */
  readonly typeUrl: string | undefined;
  /** The client; undefined until its first request came and was granted. */
  readonly client: Client | undefined;
}

/**
 * A change of one type waits. Told when that begins, and again when it waits for something else; `unblocked` follows.
 */
export interface BlockedEvent extends Blocked {
  /** What it is. */
  kind: "blocked";
  /** The stream. */
  stream: StreamInfo;
  /** The client. */
  client: Client;
  /** The type of what waits. */
  typeUrl: string;
}

/**
 * What happens between a server and its clients. A `typeUrl` is empty where it is not known.
 */
export type ServerEvent =
  /** A stream was opened; nothing is known yet but where from. */
  | {
    kind: "open";
    stream: StreamInfo;
  }
  /** A stream's first request said which node the client is, or a later one that it is another. */
  | {
    kind: "node";
    stream: StreamInfo;
    client: Client;
    /** What it was before; undefined on the first request. */
    previous: Client | undefined;
  }
  /** A request came, whatever becomes of it. */
  | {
    kind: "request";
    stream: StreamInfo;
    /** The node that it carries; undefined where it is left out, as it may be after the first. */
    node: Node | undefined;
    /** The type that is asked for; empty if the request does not say, on an aggregated stream. */
    typeUrl: string;
    /** The nonce of the response that it answers; empty if it answers none. */
    nonce: string;
    /** Whether it answers a response. */
    answers: boolean;
    /** How many names are in it; in delta, of those that are subscribed to and those that no longer are. */
    names: number;
    /** Why the client refuses what the request answers; undefined if it does not. */
    error: { readonly code: number; readonly message: string } | undefined;
    /** Size of the message, in bytes. */
    bytes: number;
  }
  /** A client asked for a type for the first time, or for other names of it. */
  | {
    kind: "subscribe";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    subscription: Subscription;
  }
  /** A client was turned away by `authenticate` or `authorize`; its stream ends. */
  | {
    kind: "refuse";
    stream: StreamInfo;
    /** The node that the client says it is; undefined if it was turned away before that was known. */
    node: Node | undefined;
    /** The type that it may not have; empty if that is not what it was turned away for. */
    typeUrl: string;
    /** The gRPC status code. */
    code: number;
    /** What the client is told. */
    message: string;
    /** The error; its `cause` is what was thrown. */
    error: Error;
  }
  | BlockedEvent
  /**
   * What is blocked still is after so long (`stallAfter`), and again each time after as long as that has lasted: something
   * to look into.
   */
  | {
    kind: "stall";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    /** Milliseconds since it began. */
    duration: number;
    /** What was told of it last: what waits, and for what. */
    event: BlockedEvent;
  }
  /** What was blocked goes on, or is to be sent no longer. */
  | {
    kind: "unblocked";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    /** Milliseconds since it began. */
    duration: number;
    /** What was told of it last. */
    event: BlockedEvent;
  }
  /**
   * A client did not request names in time (`holdTimeout`) that what it was sent refers to; nothing waits for that any
   * longer. An Envoy does not where its bootstrap has a cluster or listener of the same name.
   */
  | {
    kind: "not_requested";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    /** The names. */
    names: readonly string[];
  }
  /** A client requested a type that no cache serves (see `MuxCache`), and is told that there is nothing of it. */
  | {
    kind: "unserved";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
  }
  /** A response was sent: resources by these names, and, in delta, that some were removed. */
  | {
    kind: "send";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    version: string;
    nonce: string;
    names: readonly string[];
    removed: readonly string[];
    /** Whether it is a heartbeat: it renews the TTL of its resources and holds no bodies. */
    heartbeat: boolean;
    /** Size of the message, in bytes. */
    bytes: number;
  }
  /** A client accepted a response. */
  | {
    kind: "ack";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    version: string;
    nonce: string;
    names: readonly string[];
    removed: readonly string[];
    /** Milliseconds since the response was sent. */
    latency: number;
  }
  /** A client refused a response, for what `refusal.message` says; `refusal.names` are what it is about. */
  | {
    kind: "nack";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    version: string;
    nonce: string;
    refusal: Refusal;
    /** Milliseconds since the response was sent. */
    latency: number;
  }
  /** A request was passed over, since it answers a response that is no longer the newest. */
  | {
    kind: "stale";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    nonce: string;
  }
  /** A client reached a limit. */
  | {
    kind: "limit";
    /** Which, by its name in {@linkcode Limits}. */
    limit: LimitName;
    /** What it is set to, in the unit that it is set in. */
    value: number;
    /** Who reached it. */
    peer: Peer;
    /** The stream that did; undefined for limits of a connection, and where there is no stream yet. */
    stream: StreamInfo | undefined;
    /** What the client is told, or would be if there were a way. */
    message: string;
  }
  /** A stream ended. */
  | {
    kind: "close";
    stream: StreamInfo;
    /** The client; undefined if none was known. */
    client: Client | undefined;
    /** Milliseconds since it was opened. */
    duration: number;
    /** The gRPC status code that it ended with: 0 if the client or a shutdown ended it as it should. */
    code: number;
    /** The status message; empty with code 0. */
    message: string;
    /** The error that ended it; undefined with code 0. */
    error: Error | undefined;
  };

/**
 * Told of every event, as it happens. It is called synchronously and should not take long; what it throws, or rejects
 * with, is printed and breaks nothing.
 */
export type Observer = (event: ServerEvent) => void;
