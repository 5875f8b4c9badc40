import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type {
  Blocked,
  FailureCode,
  Outcome,
  Refusal,
  ResourceState,
  Subscription,
  View,
} from "../cache/mod.ts";
import { type Resource, shortName, TypeUrl } from "../resource/mod.ts";
import { dependentsOf, prerequisitesOf, rank } from "./order.ts";
import type { StreamRequest } from "./request.ts";
import type { Protocol, Response, Responses } from "./response.ts";
import { type Answer, TypeState } from "./type_state.ts";

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
  /** The client has answered all that it was sent of a type and lacks nothing of the view but what `outcome` says. */
  | { kind: "settled"; typeUrl: string; view: View; outcome: Outcome }
  /** End the stream with an error that the client caused. */
  | { kind: "fail"; code: FailureCode; message: string };

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

/** What a stream is. */
export interface StreamOptions {
  /** State of the world, or delta. */
  protocol: Protocol;
  /** What makes the responses, shared by all streams of the protocol on a server. */
  responses: Responses;
  /** The type of a single-type service; undefined on ADS. */
  typeUrl?: string;
  /** How many names a client may ask for of one type. Default: 100 000. */
  maxNames?: number;
  /**
   * Whether a first request of a type that names nothing asks for all of it. Default: it does. Proxyless gRPC clients
   * never mean that.
   */
  legacyWildcard?: (typeUrl: string, node: Node) => boolean;
  /** Whether there are `wait` actions: to look for what waits, and for what, takes time. Default: false. */
  reportsWaits?: boolean;
  /**
   * Whether the version in a first request is always taken for what the client has, as a poll needs that has nothing else
   * to say it with. Default: unless the caller gave the version and the client asks for names, of which that tells nothing.
   */
  trustsVersion?: boolean;
}

const unsubscribed: ResourceState = {
  state: "unsubscribed",
  version: undefined,
  newest: undefined,
  resource: undefined,
  refusal: undefined,
  waitsFor: [],
};

/** How many names a client may ask for of one type unless it is said otherwise. */
export const DEFAULT_MAX_NAMES = 100_000;

/**
 * One xDS stream as a state machine: an event goes in, what is to be done comes out. It does no I/O, has no clock, and
 * calls nobody back. Of each type at most one response is under way; what changes meanwhile is sent as one once it was
 * answered, so that a slow client costs no more than its newest state.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */
export class Stream {
  readonly #options: StreamOptions;
  readonly #maxNames: number;
  /** In the order in which they are served. */
  readonly #types: TypeState[] = [];
  #node: Node | undefined;
  #hasSent = false;
  /** The waits that were reported, by type, written out. */
  readonly #waits = new Map<string, string>();
  /** By type, names that the client needs for what it was sent, of types that it has not asked for yet. */
  readonly #referred = new Map<string, readonly ReadonlySet<string>[]>();

  /** Makes a stream that has just been opened. */
  constructor(options: StreamOptions) {
    this.#options = options;
    this.#maxNames = options.maxNames ?? DEFAULT_MAX_NAMES;
  }

  /** Takes an event and returns what is to be done. Not to be called again before that is done or noted. */
  step(event: StreamEvent): StreamAction[] {
    switch (event.kind) {
      case "request":
        return this.#request(event.request);
      case "changed":
        this.#find(event.typeUrl)?.offer(event.view, event.names);
        return [{ kind: "ready" }];
      case "watched": {
        const state = this.#find(event.typeUrl);
        if (!state) return [];
        state.makeBeforeBreak = event.makeBeforeBreak;
        if (!event.drains) state.drain = "none";
        else if (state.drain === "none") state.drain = "needed";
        return [];
      }
      case "drained": {
        const state = this.#find(event.typeUrl);
        if (state?.drain === "under way") state.drain = "done";
        return [{ kind: "ready" }];
      }
      case "hold":
        this.#find(event.typeUrl)?.hold();
        return [];
      case "heartbeat":
        this.#find(event.typeUrl)?.heartbeat();
        return [{ kind: "ready" }];
      case "pull":
        return this.#pull();
    }
  }

  /** Type URLs of what the client asked for. */
  get typeUrls(): string[] {
    return this.#types.map(({ typeUrl }) => typeUrl);
  }

  /** The names of a type that the client asks for or was told of. */
  names(typeUrl: string): Iterable<string> {
    return this.#find(typeUrl)?.names() ?? [];
  }

  /** Where the client stands with a resource. */
  inspect(typeUrl: string, name: string): ResourceState {
    const state = this.#find(typeUrl);
    if (!state) return unsubscribed;
    const relations = state.hasLeftovers
      ? [prerequisitesOf, dependentsOf]
      : [prerequisitesOf];
    const waitsFor = state.isQuiet && !state.hasLeftovers ? [] : relations
      .flatMap((relation) => this.#others(state, relation))
      .filter((other) => !other.isQuiet || other.refusal)
      .map(({ typeUrl }) => typeUrl);
    return { ...state.inspect(name), waitsFor };
  }

  #request(request: StreamRequest): StreamAction[] {
    const node = this.#node ?? request.node;
    if (!node) {
      return [
        fail(
          "invalid_argument",
          "the first request on a stream must carry the client's node, and this one has none",
        ),
      ];
    }
    const typeUrl = request.typeUrl || this.#options.typeUrl;
    const problem = this.#typeProblem(typeUrl);
    if (typeUrl === undefined || problem) {
      return [fail("invalid_argument", problem ?? "")];
    }

    const known = this.#find(typeUrl);
    const { protocol, responses, legacyWildcard, trustsVersion = false } =
      this.#options;
    const state = known ?? new TypeState({
      typeUrl,
      protocol,
      responses,
      legacyWildcard: legacyWildcard?.(typeUrl, node) ?? true,
      trustsVersion,
    });
    if (!known) {
      this.#referred.get(typeUrl)?.forEach((names) => state.resend(names));
    }
    const size = state.sizeAfter(request.wanted);
    if (size > this.#maxNames) {
      const message =
        `${size} names of ${
          shortName(typeUrl)
        } are more than the ${this.#maxNames} that a stream may ask for; ` +
        "ask for fewer, or subscribe to the wildcard";
      return [fail("resource_exhausted", message)];
    }

    const verdict = state.request(request);
    if (verdict.kind === "stale") {
      return [{ kind: "stale", typeUrl, nonce: request.nonce }];
    }
    const actions: StreamAction[] = [];
    if (!this.#node) actions.push({ kind: "open", node });
    else if (request.node) actions.push({ kind: "node", node: request.node });
    this.#node = request.node ?? node;
    if (verdict.answer) actions.push(answered(typeUrl, verdict.answer));
    if (!known) {
      this.#referred.delete(typeUrl);
      this.#insert(state);
      actions.push({
        kind: "watch",
        typeUrl,
        subscription: state.subscription,
      });
    } else if (verdict.subscriptionChanged) {
      actions.push({
        kind: "subscribe",
        typeUrl,
        subscription: state.subscription,
      });
    }
    actions.push({ kind: "ready" });
    return actions;
  }

  #typeProblem(typeUrl: string | undefined): string | undefined {
    const own = this.#options.typeUrl;
    if (typeUrl === undefined) {
      return "a request on an aggregated stream must carry a type URL, and this one has none";
    }
    if (own !== undefined && typeUrl !== own) {
      return `this service serves ${own}, not ${JSON.stringify(typeUrl)}`;
    }
    if (!/.\/./.test(typeUrl)) {
      return `${
        JSON.stringify(typeUrl)
      } is no type URL; it has the form type.googleapis.com/envoy.config.cluster.v3.Cluster`;
    }
    return undefined;
  }

  #pull(): StreamAction[] {
    const actions: StreamAction[] = [];
    for (const state of this.#types) {
      if (!this.#isMade(state)) continue;
      const removals = this.#mayBreak(state) && isDrained(state);
      const sent = this.#send(state, removals);
      if (sent) return [sent];
    }
    // What depends on a type was found to lack nothing only after the type itself had its turn.
    for (const state of this.#types) {
      const goesOn = state.hasLeftovers && this.#isMade(state) &&
        this.#mayBreak(state);
      if (!goesOn) {
        if (state.drain !== "under way") continue;
        state.drain = "needed";
        actions.push({ kind: "undrain", typeUrl: state.typeUrl });
      } else if (isDrained(state)) {
        const sent = this.#send(state, true);
        if (sent) return [...actions, sent];
      } else if (state.drain === "needed") {
        state.drain = "under way";
        actions.push({ kind: "drain", typeUrl: state.typeUrl });
      }
    }
    const greeting = this.#greet();
    if (greeting) return [...actions, greeting];
    for (const state of this.#types) {
      const blocked = this.#blocked(state);
      if (state.hasLeftovers && !blocked) continue;
      const view = state.settlement(blocked !== undefined);
      if (!view) continue;
      const outcome = { refusal: state.refusal, blocked };
      actions.push({ kind: "settled", typeUrl: state.typeUrl, view, outcome });
    }
    if (this.#options.reportsWaits) actions.push(...this.#newWaits());
    return actions;
  }

  /** The waits that have begun, or are for something else than they were. */
  *#newWaits(): Iterable<StreamAction> {
    for (const state of this.#types) {
      const { typeUrl } = state;
      const wait = this.#waitOf(state);
      if (!wait) {
        this.#waits.delete(typeUrl);
        continue;
      }
      const written = JSON.stringify(wait);
      if (this.#waits.get(typeUrl) === written) continue;
      this.#waits.set(typeUrl, written);
      yield { kind: "wait", typeUrl, wait };
    }
  }

  #waitOf(state: TypeState): Wait | undefined {
    const removal = this.#isMade(state);
    if (removal) {
      const goesOn = isDrained(state) && this.#mayBreak(state);
      if (!state.hasLeftovers || goesOn) return undefined;
    }
    const names = removal
      ? [...state.leftovers()]
      : [...state.lacking()].map(({ name }) => name);
    if (names.length === 0) return undefined;
    const others = removal
      ? this.#others(state, dependentsOf).filter((other) =>
        !other.isQuiet || other.refusal
      )
      : this.#others(state, prerequisitesOf).filter((other) =>
        !other.isQuiet || needsRefused(state, other)
      );
    const waitingFor = others.map((other) => ({
      typeUrl: other.typeUrl,
      names: other.isQuiet ? other.refusal?.names ?? [] : other.outstanding,
      refusal: other.isQuiet ? other.refusal : undefined,
    }));
    return { removal, names, waitingFor };
  }

  #send(state: TypeState, removals: boolean): StreamAction | undefined {
    const next = state.next(removals);
    if (!next) return undefined;
    const { response, view, changed } = next;
    this.#hasSent = true;
    if (!state.hasLeftovers && state.drain === "done") state.drain = "needed";
    if (parents.includes(state.typeUrl)) this.#followUp(changed);
    return { kind: "send", typeUrl: state.typeUrl, response, view };
  }

  /**
   * An answer without resources, on a stream on which the client holds all: clients take a stream that ends without a
   * response for one that failed, and wait longer before the next one each time.
   */
  #greet(): StreamAction | undefined {
    if (this.#hasSent) return undefined;
    const state = this.#types.find((state) => state.mayAnswerEmpty);
    state?.answer();
    return state && this.#send(state, false);
  }

  /** Whether the client has taken what comes before a type: what the type refers to. */
  #isMade(state: TypeState): boolean {
    return this.#others(state, prerequisitesOf).every((other) =>
      other.isQuiet && !needsRefused(state, other)
    );
  }

  /** Whether the client has taken, of the types that refer to a type, all that no longer does. */
  #mayBreak(state: TypeState): boolean {
    return this.#others(state, dependentsOf).every((other) =>
      other.isQuiet && !other.refusal
    );
  }

  /** Why a type that waits will do so until something that was refused is replaced; undefined if it may yet go on. */
  #blocked(state: TypeState): Blocked | undefined {
    const unmade = this.#unmade(state);
    if (unmade || !state.hasLeftovers) return unmade;
    for (const other of this.#others(state, dependentsOf)) {
      const { typeUrl, refusal } = other;
      const why = refusal ? { typeUrl, refusal } : this.#unmade(other);
      if (why) return why;
    }
    return undefined;
  }

  #unmade(state: TypeState): Blocked | undefined {
    for (const other of this.#others(state, prerequisitesOf)) {
      const { typeUrl, refusal } = other;
      if (refusal && needsRefused(state, other)) return { typeUrl, refusal };
    }
    return undefined;
  }

  /** Those of the types that stand in a relation to a type which take part in make before break, as it does. */
  #others(
    state: TypeState,
    relation: (typeUrl: string) => readonly string[],
  ): TypeState[] {
    if (!state.makeBeforeBreak) return [];
    const related = relation(state.typeUrl);
    if (related.length === 0) return [];
    return this.#types.filter((other) =>
      other.makeBeforeBreak && related.includes(other.typeUrl)
    );
  }

  /**
   * A client that gets a cluster anew warms it, and needs its endpoints again for that, changed or not. Nor does it have
   * what it asks for only after it was sent what refers to it, whatever the version that it says it has.
   */
  #followUp(changed: readonly Resource[]) {
    const { responses } = this.#options;
    for (const [typeUrl, names] of responses.references(changed)) {
      const state = this.#find(typeUrl);
      if (!state) this.#refer(typeUrl, names);
      else if (typeUrl === TypeUrl.ClusterLoadAssignment) state.resend(names);
    }
  }

  #refer(typeUrl: string, names: ReadonlySet<string>) {
    const known = this.#referred.get(typeUrl) ?? [];
    // Shared with other streams as long as there are few.
    const isMany = known.length >= MANY;
    this.#referred.set(
      typeUrl,
      isMany
        ? [new Set([...known, names].flatMap((names) => [...names]))]
        : [...known, names],
    );
  }

  #find(typeUrl: string): TypeState | undefined {
    return this.#types.find((state) => state.typeUrl === typeUrl);
  }

  #insert(state: TypeState) {
    const behind = this.#types.findIndex((other) =>
      rank(other.typeUrl) > rank(state.typeUrl)
    );
    this.#types.splice(behind < 0 ? this.#types.length : behind, 0, state);
  }
}

const MANY = 8;

/** Types of which a client that is sent one asks for others at once. */
const parents: readonly string[] = [TypeUrl.Cluster, TypeUrl.Listener];

function fail(code: FailureCode, message: string): StreamAction {
  return { kind: "fail", code, message };
}

function isDrained({ drain }: TypeState): boolean {
  return drain === "none" || drain === "done";
}

/** Whether what a client lacks of a type refers to something that it refused, and of which it has no older version. */
function needsRefused(state: TypeState, other: TypeState): boolean {
  const refused = other.neverAccepted;
  if (refused.size === 0) return false;
  for (const resource of state.lacking()) {
    const needs = resource.references.references.some(({ typeUrl, name }) =>
      typeUrl === other.typeUrl && refused.has(name)
    );
    if (needs) return true;
  }
  return false;
}

function answered(
  typeUrl: string,
  { response, refusal }: Answer,
): StreamAction {
  return refusal
    ? { kind: "nack", typeUrl, response, refusal }
    : { kind: "ack", typeUrl, response };
}
