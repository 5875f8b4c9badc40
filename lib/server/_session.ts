import { equals } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import {
  type Cache,
  type Client,
  type FailureCode,
  type Peer,
  RequestError,
  type Subscription,
  type Watch,
} from "../cache/mod.ts";
import {
  decodeDeltaRequest,
  decodeSotwRequest,
  type Protocol,
  type Responses,
  Stream,
  type StreamAction,
  type StreamEvent,
  type StreamRequest,
} from "../protocol/mod.ts";
import type { Observer, StreamInfo } from "./events.ts";

/** What a session needs of the server. */
export interface SessionOptions {
  id: number;
  peer: Peer;
  protocol: Protocol;
  typeUrl: string | undefined;
  cache: Cache;
  responses: Responses;
  maxNames: number;
  legacyWildcard: (client: Client, typeUrl: string) => boolean;
  /** Whether the version in the first request is always taken for what the client has. Default: false. */
  trustsVersion?: boolean;
  observer: Observer;
}

const codes: Readonly<Record<FailureCode, Code>> = {
  invalid_argument: Code.InvalidArgument,
  not_found: Code.NotFound,
  permission_denied: Code.PermissionDenied,
  resource_exhausted: Code.ResourceExhausted,
  unauthenticated: Code.Unauthenticated,
  unavailable: Code.Unavailable,
};

/**
 * Carries out what a stream's state machine says: between the bytes of one client and the cache. Responses are taken
 * when the client can be sent one, so that what it does not read is not made.
 */
export class Session implements StreamInfo {
  readonly id: number;
  readonly peer: Peer;
  readonly protocol: Protocol;
  readonly typeUrl: string | undefined;
  client: Client | undefined;
  /** Called when there may be a response to take, or the session has ended. Nothing is to be taken within the call. */
  wake: () => void = () => {};
  readonly #cache: Cache;
  readonly #observer: Observer;
  readonly #stream: Stream;
  readonly #watches = new Map<string, Watch>();
  readonly #draining = new Map<string, Disposable>();
  readonly #subscriptions = new Map<string, Subscription>();
  /** Why the session ended; null if it ended as it should. */
  #end: Error | null | undefined;
  #ready = false;

  constructor(options: SessionOptions) {
    const { protocol, typeUrl, responses, maxNames } = options;
    this.id = options.id;
    this.peer = options.peer;
    this.protocol = protocol;
    this.typeUrl = typeUrl;
    this.#cache = options.cache;
    this.#observer = options.observer;
    const { legacyWildcard, trustsVersion } = options;
    this.#stream = new Stream({
      protocol,
      typeUrl,
      responses,
      maxNames,
      legacyWildcard: (typeUrl, node) =>
        legacyWildcard(this.client ?? this.#clientOf(node), typeUrl),
      trustsVersion,
    });
  }

  /** Why the session ended: an error, null if it ended as it should, undefined if it has not. */
  get ended(): Error | null | undefined {
    return this.#end;
  }

  /** Takes a request in its encoded form. */
  receive(message: Uint8Array) {
    if (this.#end !== undefined) return;
    let request: StreamRequest;
    try {
      request = this.protocol === "sotw"
        ? decodeSotwRequest(message)
        : decodeDeltaRequest(message);
    } catch (cause) {
      const name = this.protocol === "sotw"
        ? "DiscoveryRequest"
        : "DeltaDiscoveryRequest";
      const text =
        `a message of ${message.length} bytes does not parse as ${name}: ${
          reasonOf(cause)
        }`;
      this.end(
        new ConnectError(
          text,
          Code.InvalidArgument,
          undefined,
          undefined,
          cause,
        ),
      );
      return;
    }
    this.#step({ kind: "request", request });
  }

  /** The next response as a gRPC message; undefined if there is none now, or the session has ended. */
  take(): Uint8Array | undefined {
    if (!this.#ready || this.#end !== undefined) return undefined;
    // First, since carrying out what is to be done may bring the next response about.
    this.#ready = false;
    const frame = this.#step({ kind: "pull" });
    if (frame) this.#ready = true;
    return frame;
  }

  /** Ends the session, for an error or as it should. The first to do so says why. */
  end(error: Error | null) {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#disposeWatches();
    this.#observer({ kind: "close", stream: this, error: error ?? undefined });
    this.wake();
  }

  #step(event: StreamEvent): Uint8Array | undefined {
    let frame: Uint8Array | undefined;
    for (const action of this.#stream.step(event)) {
      if (this.#end !== undefined) break;
      this.#guard(() => frame = this.#carryOut(action) ?? frame);
    }
    return this.#end === undefined ? frame : undefined;
  }

  #carryOut(action: StreamAction): Uint8Array | undefined {
    if (action.kind === "ready") {
      if (!this.#ready) this.wake();
      this.#ready = true;
      return undefined;
    }
    if (action.kind === "fail") {
      this.end(new ConnectError(action.message, codes[action.code]));
      return undefined;
    }
    if (action.kind === "open") {
      this.client = this.#clientOf(action.node);
      this.#observer({ kind: "open", stream: this, client: this.client });
      return undefined;
    }
    if (action.kind === "node") {
      if (!equals(NodeSchema, action.node, this.client!.node)) {
        this.#identify(action.node);
      }
      return undefined;
    }
    return this.#carryOutFor(this.client!, action);
  }

  #carryOutFor(
    client: Client,
    action: Exclude<StreamAction, { kind: "ready" | "fail" | "open" | "node" }>,
  ): Uint8Array | undefined {
    const { typeUrl } = action;
    const about = { stream: this, client, typeUrl };
    switch (action.kind) {
      case "watch":
        this.#observer({
          kind: "subscribe",
          ...about,
          subscription: action.subscription,
        });
        this.#subscriptions.set(typeUrl, action.subscription);
        this.#watch(client, typeUrl, action.subscription);
        break;
      case "subscribe":
        this.#observer({
          kind: "subscribe",
          ...about,
          subscription: action.subscription,
        });
        this.#watches.get(typeUrl)?.subscribed?.();
        break;
      case "ack": {
        const { version, nonce } = action.response;
        this.#observer({ kind: "ack", ...about, version, nonce });
        break;
      }
      case "nack":
        this.#observer({
          kind: "nack",
          ...about,
          nonce: action.response.nonce,
          refusal: action.refusal,
        });
        break;
      case "stale":
        this.#observer({ kind: "stale", ...about, nonce: action.nonce });
        break;
      case "settled":
        this.#watches.get(typeUrl)?.settled?.(action.view, action.outcome);
        break;
      case "drain": {
        const done = () => {
          if (this.#end === undefined) this.#step({ kind: "drained", typeUrl });
        };
        const draining = this.#watches.get(typeUrl)?.drain?.(done);
        if (draining) this.#draining.set(typeUrl, draining);
        else done();
        break;
      }
      case "undrain":
        this.#draining.get(typeUrl)?.[Symbol.dispose]();
        this.#draining.delete(typeUrl);
        break;
      case "send": {
        const { version, nonce, names, removed, frame } = action.response;
        this.#watches.get(typeUrl)?.sent?.(action.view);
        this.#observer({
          kind: "send",
          ...about,
          version,
          nonce,
          names,
          removed,
          bytes: frame.length,
        });
        return frame;
      }
    }
    return undefined;
  }

  #watch(client: Client, typeUrl: string, subscription: Subscription) {
    let isCurrent = true;
    const step = (event: StreamEvent) => {
      if (isCurrent && this.#end === undefined) this.#step(event);
    };
    const inspect = (name: string) => this.#stream.inspect(typeUrl, name);
    const watched = { client, typeUrl, subscription, inspect };
    const watch = this.#cache.watch(watched, {
      changed: (view, names) => step({ kind: "changed", typeUrl, view, names }),
      held: (waitingFor) => {
        if (!isCurrent || this.#end !== undefined) return;
        this.#step({ kind: "hold", typeUrl });
        const about = { stream: this, client, typeUrl };
        this.#observer({ kind: "hold", ...about, waitingFor });
      },
      heartbeat: () => step({ kind: "heartbeat", typeUrl }),
    });
    const makeBeforeBreak = watch.makeBeforeBreak ?? false;
    const drains = watch.drain !== undefined;
    step({ kind: "watched", typeUrl, makeBeforeBreak, drains });
    const held: Watch = {
      makeBeforeBreak,
      drain: watch.drain,
      subscribed: () => watch.subscribed?.(),
      sent: (view) => watch.sent?.(view),
      settled: (view, outcome) => watch.settled?.(view, outcome),
      [Symbol.dispose]: () => {
        isCurrent = false;
        watch[Symbol.dispose]();
      },
    };
    if (this.#end === undefined) this.#watches.set(typeUrl, held);
    else held[Symbol.dispose]();
  }

  #clientOf(node: Client["node"]): Client {
    return { id: this.id, node, peer: this.peer };
  }

  /** Goes on with another node: what it is served may be another's. What it holds stands, so it is sent what differs. */
  #identify(node: Client["node"]) {
    this.#disposeWatches();
    const client = this.client = this.#clientOf(node);
    for (const [typeUrl, subscription] of this.#subscriptions) {
      if (this.#end !== undefined) return;
      this.#guard(() => this.#watch(client, typeUrl, subscription));
    }
  }

  #disposeWatches() {
    for (const watch of this.#watches.values()) {
      this.#guard(() => watch[Symbol.dispose]());
    }
    this.#watches.clear();
    for (const draining of this.#draining.values()) draining[Symbol.dispose]();
    this.#draining.clear();
  }

  /** What a cache throws concerns the client that it was asked for, and nobody else. */
  #guard(call: () => void) {
    try {
      call();
    } catch (cause) {
      if (this.#end !== undefined) return;
      if (cause instanceof RequestError) {
        const code = codes[cause.code];
        const { message } = cause;
        this.end(new ConnectError(message, code, undefined, undefined, cause));
        return;
      }
      const error = cause instanceof ConnectError ? cause : new ConnectError(
        `the cache failed: ${reasonOf(cause)}`,
        Code.Internal,
        undefined,
        undefined,
        cause,
      );
      this.end(error);
    }
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
