import type { Client, Peer, Refusal, Subscription } from "../cache/mod.ts";
import type { Protocol } from "../protocol/mod.ts";

/** A client's stream, as events tell of it. */
export interface StreamInfo {
  /** Number of the stream, unique in the process. */
  readonly id: number;
  /** Who opened the connection. */
  readonly peer: Peer;
  /** State of the world, or delta. */
  readonly protocol: Protocol;
  /** The type of a single-type service; undefined on ADS. */
  readonly typeUrl: string | undefined;
  /** The client; undefined until its first request came. */
  readonly client: Client | undefined;
}

/** What happens between a server and its clients. */
export type ServerEvent =
  /** A stream's first request came, and with it the client's node. */
  | { kind: "open"; stream: StreamInfo; client: Client }
  /** A client asked for a type for the first time, or for other names of it. */
  | {
    kind: "subscribe";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    subscription: Subscription;
  }
  /** A response waits until the client has asked for some more names. */
  | {
    kind: "hold";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    waitingFor: ReadonlySet<string>;
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
  }
  /** A client refused a response, for what `refusal.message` says. */
  | {
    kind: "nack";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    nonce: string;
    refusal: Refusal;
  }
  /** A request was passed over, since it answers a response that is no longer the newest. */
  | {
    kind: "stale";
    stream: StreamInfo;
    client: Client;
    typeUrl: string;
    nonce: string;
  }
  /** A stream ended: without `error` if the client or a shutdown ended it as it should. */
  | { kind: "close"; stream: StreamInfo; error: Error | undefined };

/**
 * Told of every event, as it happens. It is called synchronously and should not take long; what it throws is printed,
 * and breaks nothing.
 */
export type Observer = (event: ServerEvent) => void;

/** An observer that cannot throw. */
export function isolated(observer: Observer | undefined): Observer {
  if (!observer) return () => {};
  return (event) => {
    try {
      observer(event);
    } catch (error) {
      console.error(
        `xds: the observer threw when it was told of ${
          JSON.stringify(event.kind)
        }:`,
        error,
      );
    }
  };
}
