import { ConnectError } from "@connectrpc/connect";
import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { Cache, Client, Peer, ResourceState } from "../cache/mod.ts";
import {
  type Protocol,
  type Responses,
  Stream,
  type StreamAction,
  type StreamEvent,
  type StreamRequest,
} from "../protocol/mod.ts";
import { Gate } from "./_gate.ts";
import {
  type Decision,
  Grants,
  isOther,
  type Question,
  questionOf,
} from "./_grants.ts";
import { decodeRequest } from "./_request.ts";
import { cacheFailure, failure, LimitError } from "./_status.ts";
import { actionEvent, requestEvent } from "./_tell.ts";
import { Watches, type WatchingStream } from "./_watches.ts";
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
export class Session implements StreamInfo, WatchingStream {
  readonly id: number;
  readonly peer: Peer;
  readonly protocol: Protocol;
  readonly typeUrl: string | undefined;
  client: Client | undefined;
  /** Called when there may be a response to take, or the session has ended. Nothing is to be taken within the call. */
  wake: () => void = () => {};
  readonly #maxNames: number;
  readonly #observer: Observer | undefined;
  readonly #grants: Grants | undefined;
  readonly #stream: Stream;
  readonly #watches: Watches;
  /** Where requests wait; undefined until one had to. */
  #gate: Gate | undefined;
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
    this.#watches = new Watches(options.cache, this);
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
    const grants = this.#grants = new Grants(access, this.peer);
    let decision: Decision | undefined;
    try {
      decision = grants.authenticate(options.headers?.() ?? new Headers());
    } catch (refusal) {
      // Later, when there is someone to be woken.
      decision = Promise.reject(refusal);
    }
    if (decision) this.#await(decision, undefined, () => {});
  }

  /** Who opened the stream. */
  get identity(): unknown {
    return this.#grants?.identity;
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

  stateOf(typeUrl: string, name: string): ResourceState {
    return this.#stream.inspect(typeUrl, name);
  }

  step(event: StreamEvent) {
    this.#carryOutAll(event);
  }

  hold(client: Client, typeUrl: string, waitingFor: ReadonlySet<string>) {
    this.step({ kind: "hold", typeUrl });
    const about = { stream: this, client, typeUrl };
    this.#observer?.({ kind: "hold", ...about, waitingFor });
  }

  guard(call: () => void) {
    try {
      call();
    } catch (cause) {
      this.end(cacheFailure(cause));
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
    const gate = this.#gate;
    if (gate?.waitsFor === undefined) this.#request(request);
    else if (!gate.hold(request, message.length)) {
      const text =
        `more than ${gate.size} requests came before ${gate.waitsFor}; send fewer at once`;
      this.end(failure("resource_exhausted", text));
    }
  }

  /** The next response as a gRPC message; undefined if there is none now, or the session has ended. */
  take(): Uint8Array | undefined {
    if (!this.#ready || this.#end !== undefined) return undefined;
    if (this.#gate?.waitsFor !== undefined) return undefined;
    // First, since carrying out what is to be done may bring the next response about.
    this.#ready = false;
    const frame = this.#carryOutAll({ kind: "pull" });
    if (frame) this.#ready = true;
    return frame;
  }

  /** Ends the session, for an error or as it should. The first to do so says why. */
  end(error: Error | null) {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#onEnd?.();
    this.#grants?.[Symbol.dispose]();
    this.#gate?.clear();
    this.#watches[Symbol.dispose]();
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
      const question = this.#grants &&
        questionOf(action, actions, this.client);
      if (question) {
        let decision: Decision | undefined;
        try {
          decision = this.#grants!.decide(question);
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
      this.guard(() => this.#carryOut(action));
    }
  }

  /** Stands still until something is decided; then goes on, or ends. */
  #await(decision: Decision, question: Question | undefined, go: () => void) {
    this.#gate ??= new Gate();
    this.#gate.shut(
      "it was decided whether the client may make them",
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

  #carryOutAll(event: StreamEvent): Uint8Array | undefined {
    let frame: Uint8Array | undefined;
    for (const action of this.#stream.step(event)) {
      if (this.#end !== undefined) break;
      this.guard(() => frame = this.#carryOut(action) ?? frame);
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
      // The one limit that the state machine keeps is that of names.
      this.end(
        action.code === "resource_exhausted"
          ? new LimitError("names", this.#maxNames, action.message)
          : failure(action.code, action.message),
      );
      return undefined;
    }
    if (action.kind === "open" || action.kind === "node") {
      if (isOther(action.node, this.client)) this.#identify(action.node);
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
        this.#watches.add(client, typeUrl, action.subscription);
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
      case "drain":
        this.#watches.drain(typeUrl);
        break;
      case "undrain":
        this.#watches.undrain(typeUrl);
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

  #clientOf(node: Node): Client {
    const { id, peer, identity } = this;
    return { id, node, peer, identity };
  }

  /** Goes on as that node: what it is served may be another's. What it holds stands, so it is sent what differs. */
  #identify(node: Node) {
    this.#watches[Symbol.dispose]();
    const previous = this.client;
    const client = this.client = this.#clientOf(node);
    this.#observer?.({ kind: "node", stream: this, client, previous });
    this.#watches.move(client);
  }
}
