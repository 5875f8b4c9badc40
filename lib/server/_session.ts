import { equals } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { type Node, NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import type {
  Cache,
  Client,
  Peer,
  ResourceState,
  Subscription,
  Watch,
} from "../cache/mod.ts";
import {
  type Protocol,
  type Responses,
  Stream,
  type StreamAction,
  type StreamEvent,
  type StreamRequest,
} from "../protocol/mod.ts";
import { Admission, type Decision, type Question } from "./_admission.ts";
import { decodeRequest } from "./_request.ts";
import { cacheFailure, failure, LimitError } from "./_status.ts";
import { actionEvent, requestEvent } from "./_tell.ts";
import type { Access } from "./access.ts";
import type { Observer, StreamInfo } from "./events.ts";

/** What a session needs of the server. */
export interface SessionOptions {
  id: number;
  peer: Peer;
  /** The request's headers, for `access`; none if left out. */
  headers?: () => Headers;
  protocol: Protocol;
  typeUrl: string | undefined;
  cache: Cache;
  responses: Responses;
  maxNames: number;
  legacyWildcard: (client: Client, typeUrl: string) => boolean;
  /** Whether the version in the first request is always taken for what the client has. Default: false. */
  trustsVersion?: boolean;
  /** Who may do what; all may do all if it is left out. */
  access: Access | undefined;
  observer: Observer | undefined;
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
  readonly #maxNames: number;
  readonly #observer: Observer | undefined;
  readonly #admission: Admission | undefined;
  readonly #stream: Stream;
  readonly #watches = new Map<string, Watch>();
  readonly #draining = new Map<string, Disposable>();
  readonly #subscriptions = new Map<string, Subscription>();
  /** When the session was opened, and the response to each type was sent; for the observer. */
  readonly #openedAt: number = 0;
  readonly #sentAt = new Map<string, number>();
  /** Why the session ended; null if it ended as it should. */
  #end: Error | null | undefined;
  readonly #onEnd: (() => void) | undefined;
  #ready = false;

  constructor(options: SessionOptions, onEnd?: () => void) {
    const { protocol, typeUrl, responses, maxNames, access, observer } =
      options;
    this.id = options.id;
    this.peer = options.peer;
    this.protocol = protocol;
    this.typeUrl = typeUrl;
    this.#cache = options.cache;
    this.#maxNames = maxNames;
    this.#observer = observer;
    this.#onEnd = onEnd;
    const { legacyWildcard, trustsVersion } = options;
    this.#stream = new Stream({
      protocol,
      typeUrl,
      responses,
      maxNames,
      legacyWildcard: (typeUrl, node) =>
        legacyWildcard(this.client ?? this.#clientOf(node), typeUrl),
      reportsWaits: observer !== undefined,
      trustsVersion,
    });
    if (observer) {
      this.#openedAt = performance.now();
      observer({ kind: "open", stream: this });
    }
    if (!access) return;
    const admission = this.#admission = new Admission(access, this.peer);
    let decision: Decision | undefined;
    try {
      decision = admission.authenticate(options.headers?.() ?? new Headers());
    } catch (refusal) {
      // Later, when there is someone to be woken.
      decision = Promise.reject(refusal);
    }
    if (decision) this.#await(decision, undefined, () => {});
  }

  /** Who opened the stream. */
  get identity(): unknown {
    return this.#admission?.identity;
  }

  /** Why the session ended: an error, null if it ended as it should, undefined if it has not. */
  get ended(): Error | null | undefined {
    return this.#end;
  }

  /** What the client asks for or was told of, with where it stands. */
  *inspect(): Iterable<
    { typeUrl: string; name: string; state: ResourceState }
  > {
    for (const typeUrl of this.#stream.typeUrls) {
      for (const name of this.#stream.names(typeUrl)) {
        yield { typeUrl, name, state: this.#stream.inspect(typeUrl, name) };
      }
    }
  }

  /** Takes a request in its encoded form. */
  receive(message: Uint8Array) {
    if (this.#end !== undefined) return;
    let request: StreamRequest;
    try {
      request = decodeRequest(this.protocol, message);
    } catch (error) {
      this.end(ConnectError.from(error));
      return;
    }
    this.#observer?.(requestEvent(this, request, message.length));
    const gate = this.#admission?.gate;
    if (!gate?.isShut) this.#request(request);
    else if (!gate.hold(request, message.length)) {
      const text =
        `more than ${gate.size} requests came before it was decided whether the client may make them; ` +
        "send fewer at once";
      this.end(failure("resource_exhausted", text));
    }
  }

  /** The next response as a gRPC message; undefined if there is none now, or the session has ended. */
  take(): Uint8Array | undefined {
    if (!this.#ready || this.#end !== undefined) return undefined;
    if (this.#admission?.gate.isShut) return undefined;
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
    this.#onEnd?.();
    this.#admission?.[Symbol.dispose]();
    this.#disposeWatches();
    if (this.#observer) {
      if (error instanceof LimitError) {
        const { limit, value, rawMessage: message } = error;
        this.#observer({
          kind: "limit",
          limit,
          value,
          peer: this.peer,
          stream: this,
          message,
        });
      }
      const status = error ? ConnectError.from(error) : undefined;
      this.#observer({
        kind: "close",
        stream: this,
        client: this.client,
        duration: performance.now() - this.#openedAt,
        code: status?.code ?? 0,
        message: status?.rawMessage ?? "",
        error: error ?? undefined,
      });
    }
    this.wake();
  }

  #request(request: StreamRequest) {
    this.#perform(this.#stream.step({ kind: "request", request }), 0);
  }

  /** Carries out what a request brought about, from an action on; waits where it is yet to be decided that it may be. */
  #perform(actions: readonly StreamAction[], from: number) {
    for (let at = from; at < actions.length; at++) {
      if (this.#end !== undefined) return;
      const action = actions[at];
      const question = this.#admission && this.#question(action, actions);
      if (question) {
        let decision: Decision | undefined;
        try {
          decision = this.#admission!.decide(question);
        } catch (refusal) {
          this.#refuse(refusal, question);
          return;
        }
        if (decision) {
          // What was granted is not decided again, so it goes on with the same action.
          this.#await(decision, question, () => this.#perform(actions, at));
          return;
        }
      }
      this.#guard(() => this.#carryOut(action));
    }
  }

  /** What is to be decided before an action is carried out. */
  #question(
    action: StreamAction,
    actions: readonly StreamAction[],
  ): Question | undefined {
    if (action.kind === "open") {
      // Before anybody is told of a node that the client may not be.
      const watch = actions.find((other) => other.kind === "watch");
      return watch && { ...watch, node: action.node };
    }
    if (action.kind === "watch" || action.kind === "subscribe") {
      return { ...action, node: this.client!.node };
    }
    return action.kind === "node" && this.#isOther(action.node)
      ? { node: action.node, typeUrl: undefined, subscription: undefined }
      : undefined;
  }

  /** Stands still until something is decided; then goes on, or ends. */
  #await(decision: Decision, question: Question | undefined, go: () => void) {
    this.#admission!.gate.shut(
      decision,
      () => {
        go();
        if (this.#ready) this.wake();
      },
      (request) => {
        if (this.#end === undefined) this.#request(request);
      },
      (refusal) => this.#refuse(refusal, question),
    );
  }

  #refuse(refusal: unknown, question: Question | undefined) {
    if (this.#end !== undefined) return;
    const error = ConnectError.from(refusal);
    this.#observer?.({
      kind: "refuse",
      stream: this,
      node: question?.node,
      typeUrl: question?.typeUrl ?? "",
      code: error.code,
      message: error.rawMessage,
      error,
    });
    this.end(error);
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
      // All that a stream's own state has a limit of is names.
      this.end(
        action.code === "resource_exhausted"
          ? new LimitError("names", this.#maxNames, action.message)
          : failure(action.code, action.message),
      );
      return undefined;
    }
    if (action.kind === "open" || action.kind === "node") {
      if (this.#isOther(action.node)) this.#identify(action.node);
      return undefined;
    }
    return this.#carryOutFor(this.client!, action);
  }

  #carryOutFor(
    client: Client,
    action: Exclude<StreamAction, { kind: "ready" | "fail" | "open" | "node" }>,
  ): Uint8Array | undefined {
    const { typeUrl } = action;
    if (action.kind !== "send") this.#tell(client, action);
    switch (action.kind) {
      case "watch":
        this.#subscriptions.set(typeUrl, action.subscription);
        this.#watch(client, typeUrl, action.subscription);
        break;
      case "subscribe":
        this.#watches.get(typeUrl)?.subscribed?.();
        break;
      case "nack":
        this.#watches.get(typeUrl)?.refused?.(action.refusal);
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
      case "send":
        this.#watches.get(typeUrl)?.sent?.(action.view);
        this.#tell(client, action);
        return action.response.frame;
    }
    return undefined;
  }

  /** Tells the observer of an action, if there is one: nothing is made for nobody. */
  #tell(client: Client, action: StreamAction & { typeUrl: string }) {
    const observer = this.#observer;
    if (!observer) return;
    const { kind, typeUrl } = action;
    const now = performance.now();
    if (kind === "send") this.#sentAt.set(typeUrl, now);
    const latency = now - (this.#sentAt.get(typeUrl) ?? now);
    const event = actionEvent(this, client, action, latency);
    if (event) observer(event);
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
        this.#observer?.({ kind: "hold", ...about, waitingFor });
      },
      heartbeat: () => step({ kind: "heartbeat", typeUrl }),
    });
    // Which of several caches serves the type may change with the names.
    const announce = () =>
      step({
        kind: "watched",
        typeUrl,
        makeBeforeBreak: watch.makeBeforeBreak ?? false,
        drains: watch.drain !== undefined,
      });
    announce();
    const held: Watch = {
      get drain() {
        return watch.drain;
      },
      subscribed: () => {
        watch.subscribed?.();
        announce();
      },
      sent: (view) => watch.sent?.(view),
      refused: (refusal) => watch.refused?.(refusal),
      settled: (view, outcome) => watch.settled?.(view, outcome),
      [Symbol.dispose]: () => {
        isCurrent = false;
        watch[Symbol.dispose]();
      },
    };
    if (this.#end === undefined) this.#watches.set(typeUrl, held);
    else held[Symbol.dispose]();
  }

  #isOther(node: Node): boolean {
    return !this.client || !equals(NodeSchema, node, this.client.node);
  }

  #clientOf(node: Node): Client {
    const { id, peer, identity } = this;
    return { id, node, peer, identity };
  }

  /** Goes on as that node: what it is served may be another's. What it holds stands, so it is sent what differs. */
  #identify(node: Node) {
    this.#disposeWatches();
    const previous = this.client;
    const client = this.client = this.#clientOf(node);
    this.#observer?.({ kind: "node", stream: this, client, previous });
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
      this.end(cacheFailure(cause));
    }
  }
}
