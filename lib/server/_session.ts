import { Code, ConnectError } from "@connectrpc/connect";
import type { Cache, Client, Watch } from "../cache/mod.ts";
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
import type { Peer } from "./peer.ts";

/** What a session needs of the server. */
export interface SessionOptions {
  id: number;
  peer: Peer;
  protocol: Protocol;
  typeUrl: string | undefined;
  cache: Cache;
  responses: Responses;
  maxNames: number;
  observer: Observer;
}

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
    this.#stream = new Stream({ protocol, typeUrl, responses, maxNames });
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
    for (const watch of this.#watches.values()) {
      this.#guard(() => watch[Symbol.dispose]());
    }
    this.#watches.clear();
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
      const code = action.code === "invalid_argument"
        ? Code.InvalidArgument
        : Code.ResourceExhausted;
      this.end(new ConnectError(action.message, code));
      return undefined;
    }
    if (action.kind === "open") {
      this.client = { id: this.id, node: action.node };
      this.#observer({ kind: "open", stream: this, client: this.client });
      return undefined;
    }
    return this.#carryOutFor(this.client!, action);
  }

  #carryOutFor(
    client: Client,
    action: Exclude<StreamAction, { kind: "ready" | "fail" | "open" }>,
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
        this.#watch(client, action);
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
        this.#watches.get(typeUrl)?.settled?.(action.view, action.refusal);
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

  #watch(
    client: Client,
    { typeUrl, subscription }: Extract<StreamAction, { kind: "watch" }>,
  ) {
    const watch = this.#cache.watch({ client, typeUrl, subscription }, {
      changed: (view, names) => {
        if (this.#end === undefined) {
          this.#step({ kind: "changed", typeUrl, view, names });
        }
      },
      held: (waitingFor) => {
        if (this.#end === undefined) {
          this.#observer({
            kind: "hold",
            stream: this,
            client,
            typeUrl,
            waitingFor,
          });
        }
      },
    });
    if (this.#end === undefined) this.#watches.set(typeUrl, watch);
    else watch[Symbol.dispose]();
  }

  /** What a cache throws concerns the client that it was asked for, and nobody else. */
  #guard(call: () => void) {
    try {
      call();
    } catch (cause) {
      if (this.#end !== undefined) return;
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
