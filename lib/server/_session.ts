import { ConnectError } from "@connectrpc/connect";
import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type {
  Blocked,
  Cache,
  Client,
  Peer,
  Progress,
  ResourceState,
} from "../cache/mod.ts";
import {
  DEFAULT_NODE_BYTES,
  memoryOf,
  type Protocol,
  type RequestBounds,
  type Responses,
  Stream,
  type StreamAction,
  type StreamEvent,
  type StreamRequest,
} from "../protocol/mod.ts";
import { Allowance, type StreamLimits } from "./_allowance.ts";
import { Gate } from "./_gate.ts";
import {
  type Decision,
  Grants,
  isOther,
  type Question,
  questionOf,
} from "./_grants.ts";
import { decodeRequest } from "./_request.ts";
import { Owed } from "./_owed.ts";
import type { ConnectionMemory, StreamMemory } from "./_memory.ts";
import {
  cacheFailure,
  failure,
  internalFailure,
  LimitError,
} from "./_status.ts";
import type { SentTimes } from "./_sent_times.ts";
import type { Stalls } from "./_stalls.ts";
import { Teller } from "./_tell.ts";
import { Watches, type WatchingStream } from "./_watches.ts";
import type { Access } from "./access.ts";
import type { InspectedResource } from "./csds.ts";
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
  /** Default: 128 KiB. */
  nodeBytes?: number;
  /** Default: 100. */
  maxTypes?: number;
  legacyWildcard: (client: Client, typeUrl: string) => boolean | undefined;
  /** Whether the version in the first request is always taken for what the client has. Default: false. */
  trustsVersion?: boolean;
  /** Who may do what; all may do all if it is left out. */
  access: Access | undefined;
  /** What keeps the limits, but for that of names; there are none if it is left out. */
  limits?: StreamLimits;
  observer: Observer | undefined;
  /** Counts what is held on behalf of the client; nothing does if it is left out. */
  memory?: ConnectionMemory;
  /** Sees what waits for long; if it is left out, nobody is told of that, nor when something goes on. */
  stalls?: Stalls;
  /** Keeps when what was sent; left out, nobody asks for it. */
  times?: SentTimes;
}

/** A lower limit of names is not checked before a request is decoded. */
const FEWEST_BOUND = 10_000;

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
  /** Why the session ended: an error, null if it ended as it should, undefined if it has not. */
  ended: Error | null | undefined;
  /** Called when there may be a response to take, or the session has ended. Nothing is to be taken within the call. */
  wake: () => void = () => {};
  /** What is held on behalf of the client. */
  readonly memory: StreamMemory | undefined;
  readonly #told: Teller | undefined;
  readonly #grants: Grants | undefined;
  readonly #allowance: Allowance | undefined;
  readonly #stream: Stream;
  readonly #watches: Watches;
  readonly #owed: Owed;
  /** Where requests wait; undefined until one had to. */
  #gate: Gate | undefined;
  readonly #onEnd: (() => void) | undefined;
  readonly #times: SentTimes | undefined;
  readonly #bounds: RequestBounds;
  #ready = false;

  constructor(options: SessionOptions, onEnd?: () => void) {
    const { protocol, typeUrl, responses, maxNames, access, observer } =
      options;
    this.id = options.id;
    this.peer = options.peer;
    this.protocol = protocol;
    this.typeUrl = typeUrl;
    const { nodeBytes = DEFAULT_NODE_BYTES } = options;
    // Fewer are left to the stream, which knows what the client had asked for before.
    this.#bounds = { names: Math.max(maxNames, FEWEST_BOUND), nodeBytes };
    this.#watches = new Watches(options.cache, this);
    this.#owed = Owed.of(options.cache);
    this.#told = observer && new Teller(observer, this, options.stalls);
    this.#onEnd = onEnd;
    this.#times = options.times;
    const { trustsVersion } = options;
    const isWildcard = (client: Client, typeUrl: string) => {
      try {
        return options.legacyWildcard(client, typeUrl);
      } catch (cause) {
        throw internalFailure("legacyWildcard", cause);
      }
    };
    this.#stream = new Stream({
      protocol,
      typeUrl,
      responses,
      maxNames,
      maxTypes: options.maxTypes,
      legacyWildcard: (typeUrl, node) =>
        isWildcard(this.client ?? this.#clientOf(node), typeUrl),
      reportsBlocked: observer !== undefined,
      trustsVersion,
    });
    this.memory = options.memory?.stream((error) => this.end(error));
    this.#told?.open();
    const { limits } = options;
    this.#allowance = limits && new Allowance(limits, this);
    const grants = this.#grants = access && new Grants(access, this.peer);
    try {
      const decision = grants?.authenticate(
        options.headers?.() ?? new Headers(),
      );
      if (decision) this.#await(decision, undefined, () => this.#count());
      else this.#count();
    } catch (refusal) {
      // Later, when there is someone to be woken.
      this.#await(Promise.reject(refusal), undefined, () => {});
    }
  }

  /** Who opened the stream. */
  get identity(): unknown {
    return this.#grants?.identity;
  }

  /** Whether something is to be decided before the client is served. */
  get standsStill(): boolean {
    return this.#gate?.waitsFor !== undefined;
  }

  *inspect(): Iterable<InspectedResource> {
    for (const typeUrl of this.#stream.typeUrls) {
      const times = this.#times?.of(typeUrl);
      for (const name of this.#stream.names(typeUrl)) {
        const state = this.#stream.inspect(typeUrl, name);
        yield { typeUrl, name, state, sentAt: times?.get(name) };
      }
    }
  }

  stateOf(typeUrl: string, name: string): ResourceState {
    return this.#stream.inspect(typeUrl, name);
  }

  blockedOf(typeUrl: string): Blocked | undefined {
    return this.#stream.blocked(typeUrl);
  }

  step(event: StreamEvent) {
    this.#carryOutAll(event);
  }

  unserved(client: Client, typeUrl: string) {
    this.#told?.unserved(client, typeUrl);
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
    if (this.ended !== undefined) return;
    let request: StreamRequest;
    try {
      request = decodeRequest(this.protocol, message, this.#bounds);
    } catch (error) {
      this.end(ConnectError.from(error));
      return;
    }
    this.#allowance?.asked();
    this.#told?.request(request, message.length);
    const gate = this.#gate;
    if (gate?.waitsFor === undefined) this.#request(request);
    else if (gate.hold(request, message.length)) {
      this.memory?.hold(message.length);
    } else {
      const text =
        `more than ${gate.size} requests came before ${gate.waitsFor}; send fewer at once`;
      this.end(failure("resource_exhausted", text));
    }
  }

  /** The next response as a gRPC message; undefined if there is none now, or the session has ended. */
  take(): Uint8Array | undefined {
    if (!this.#ready || this.ended !== undefined) return undefined;
    if (this.standsStill) return undefined;
    // First, since carrying out what is to be done may bring the next response about.
    this.#ready = false;
    const frame = this.#carryOutAll({ kind: "pull" });
    if (frame) this.#ready = true;
    return frame;
  }

  /** Ends the session, for an error or as it should. The first to do so says why. */
  end(error: Error | null) {
    if (this.ended !== undefined) return;
    this.ended = error;
    this.#onEnd?.();
    if (this.client) this.#owed.add(this.client.node.id, this.#stream.owed);
    this.#grants?.[Symbol.dispose]();
    this.#allowance?.[Symbol.dispose]();
    this.#gate?.clear();
    this.memory?.close();
    this.#watches[Symbol.dispose]();
    this.#told?.close(error);
    this.wake();
  }

  /** Counts the stream as its peer's, once it is known who that is. */
  #count() {
    try {
      this.#allowance?.count();
    } catch (error) {
      // Later, for the same reason.
      this.#wait(
        "its peer was known",
        Promise.reject(error),
        () => {},
        (error) => this.#fail(error),
      );
    }
  }

  #request(request: StreamRequest) {
    let actions: readonly StreamAction[];
    try {
      const turn = this.#allowance?.admit(this.#told);
      if (turn) {
        const go = () => this.#request(request);
        this.#wait(
          "the stream was admitted",
          turn,
          go,
          (error) => this.#fail(error),
        );
        return;
      }
      if (!this.client) this.#resume(request);
      actions = this.#stream.step({ kind: "request", request });
      this.#allowance?.request(actions, this.client);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#perform(actions, 0);
  }

  /** Carries out what a request brought about, from an action on; waits where it is yet to be decided that it may be. */
  #perform(actions: readonly StreamAction[], from: number) {
    for (let at = from; at < actions.length; at++) {
      if (this.ended !== undefined) return;
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
    this.#allowance?.decide(true);
    const decided = () => {
      this.#allowance?.decide(false);
      go();
    };
    const what = "it was decided whether the client may make them";
    const refuse = (refusal: unknown) => this.#refuse(refusal, question);
    this.#wait(what, decision, decided, refuse);
  }

  #wait(
    what: string,
    there: Promise<void>,
    go: () => void,
    refuse: (refusal: unknown) => void,
  ) {
    this.#gate ??= new Gate();
    this.#gate.shut(
      what,
      there,
      () => {
        if (this.ended !== undefined) return;
        go();
        if (this.#ready) this.wake();
      },
      (request, bytes) => {
        this.memory?.hold(-bytes);
        if (this.ended === undefined) this.#request(request);
      },
      refuse,
    );
  }

  #fail(error: unknown) {
    this.end(ConnectError.from(error));
  }

  #refuse(refusal: unknown, question: Question | undefined) {
    if (this.ended !== undefined) return;
    const error = ConnectError.from(refusal);
    this.#told?.refuse(question, error);
    this.end(error);
  }

  #carryOutAll(event: StreamEvent): Uint8Array | undefined {
    let frame: Uint8Array | undefined;
    for (const action of this.#stream.step(event)) {
      if (this.ended !== undefined) break;
      this.guard(() => frame = this.#carryOut(action) ?? frame);
    }
    return this.ended === undefined ? frame : undefined;
  }

  #carryOut(action: StreamAction): Uint8Array | undefined {
    if (action.kind === "ready") {
      if (!this.#ready) this.wake();
      this.#ready = true;
      return undefined;
    }
    if (action.kind === "fail") {
      const { code, message, limit } = action;
      this.end(
        limit
          ? new LimitError(limit.name, limit.value, message)
          : failure(code, message),
      );
      return undefined;
    }
    if (action.kind === "open" || action.kind === "node") {
      if (isOther(action.node, this.client)) this.#identify(action.node);
      return undefined;
    }
    if (action.kind === "timer") {
      this.#watches.timer(action.id, action.after);
      return undefined;
    }
    return this.#carryOutFor(this.client!, action);
  }

  #carryOutFor(
    client: Client,
    action: Exclude<
      StreamAction,
      { kind: "ready" | "fail" | "open" | "node" | "timer" }
    >,
  ): Uint8Array | undefined {
    const { typeUrl } = action;
    if (action.kind !== "send") this.#told?.action(client, action);
    switch (action.kind) {
      case "watch":
        this.#watches.add(client, typeUrl, action.subscription);
        break;
      case "subscribe":
        this.#watches.get(typeUrl)?.subscribed?.();
        break;
      case "ack":
        this.#progress(typeUrl, { kind: "acked", view: action.view });
        break;
      case "nack": {
        const { view, refusal } = action;
        this.#progress(typeUrl, { kind: "nacked", view, refusal });
        break;
      }
      case "settled": {
        const { view, outcome } = action;
        this.#progress(typeUrl, { kind: "settled", view, outcome });
        break;
      }
      case "send":
        this.#progress(typeUrl, { kind: "sent", view: action.view });
        if (this.#times && !action.response.isHeartbeat) {
          this.#times.add(typeUrl, action.response.names);
        }
        this.#told?.action(client, action);
        return action.response.frame;
    }
    return undefined;
  }

  /** Begins with what the node needs again since its stream before. */
  #resume({ node }: StreamRequest) {
    const owed = node && this.#owed.take(node.id);
    if (owed) this.#stream.resume(owed);
  }

  #progress(typeUrl: string, progress: Progress) {
    this.#watches.get(typeUrl)?.progress?.(progress);
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
    const held = previous ? memoryOf(previous.node) : 0;
    this.memory?.hold(memoryOf(node) - held);
    this.#told?.node(client, previous);
    this.#watches.move(client);
  }
}
