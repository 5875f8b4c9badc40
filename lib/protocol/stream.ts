import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { Blocked, FailureCode, ResourceState } from "../cache/mod.ts";
import { shortName, traitsOf } from "../resource/mod.ts";
import type { StreamAction, StreamEvent } from "./events.ts";
import type { StreamRequest } from "./request.ts";
import type { Protocol, Responses } from "./response.ts";
import { Sequencer } from "./sequencing.ts";
import { type Answer, TypeState } from "./type_state.ts";

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
  /** How many types a client may ask for. Default: 100. */
  maxTypes?: number;
  /**
   * Whether a first request of a type that names nothing asks for all of it. Default, and where it returns undefined: that
   * of listeners, clusters and scoped routes does. That of secrets never does.
   */
  legacyWildcard?: (typeUrl: string, node: Node) => boolean | undefined;
  /** Whether there are `blocked` actions: to look for what waits, and for what, takes time. Default: false. */
  reportsBlocked?: boolean;
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
};

/** How many names a client may ask for of one type unless it is said otherwise. */
export const DEFAULT_MAX_NAMES = 100_000;
/** How many types a client may ask for unless it is said otherwise. */
export const DEFAULT_MAX_TYPES = 100;

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
  readonly #maxTypes: number;
  /** In the order in which they are served. */
  readonly #types: TypeState[] = [];
  readonly #sequencer: Sequencer;
  #node: Node | undefined;
  #hasSent = false;
  /** What was reported to be blocked, by type, written out. */
  #blocked: Map<string, string> | undefined;

  /** Makes a stream that has just been opened. */
  constructor(options: StreamOptions) {
    this.#options = options;
    this.#maxNames = options.maxNames ?? DEFAULT_MAX_NAMES;
    this.#maxTypes = options.maxTypes ?? DEFAULT_MAX_TYPES;
    this.#sequencer = new Sequencer({
      responses: options.responses,
      // A poll asks for one type.
      isAggregated: options.typeUrl === undefined && !options.trustsVersion,
      types: this.#types,
    });
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
        state.sequencing = event.sequencing;
        state.history = event.history ?? [];
        return [];
      }
      case "timer":
        return [
          ...this.#sequencer.timer(event.id),
          ...this.#sequencer.takeTimers(),
          { kind: "ready" },
        ];
      case "heartbeat":
        this.#find(event.typeUrl)?.heartbeat();
        return [{ kind: "ready" }];
      case "pull":
        return this.#pull();
    }
  }

  /** Names, by type, that the client needs again and has not acknowledged, whatever it will say that it has. */
  get owed(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#sequencer.owed;
  }

  /** Begins with what the client was owed when its stream before ended. */
  resume(owed: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#sequencer.resume(owed);
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
    return state.inspect(name);
  }

  /** What of a type waits now, and for what; undefined if nothing does. */
  blocked(typeUrl: string): Blocked | undefined {
    const state = this.#find(typeUrl);
    return state && this.#sequencer.blocked(state);
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
    if (!known && this.#types.length >= this.#maxTypes) {
      const value = this.#maxTypes;
      const message =
        `${typeUrl} would be one more than the ${value} types that a stream may ask for; open another stream for it`;
      return [fail("resource_exhausted", message, { name: "types", value })];
    }
    const { protocol, responses, trustsVersion = false } = this.#options;
    const state = known ?? new TypeState({
      typeUrl,
      protocol,
      responses,
      legacyWildcard: this.#isLegacyWildcard(typeUrl, node),
      trustsVersion,
    });
    const size = state.sizeAfter(request.wanted, this.#maxNames);
    if (size > this.#maxNames) {
      const message =
        `${size} names of ${
          shortName(typeUrl)
        } are more than the ${this.#maxNames} that a stream may ask for; ` +
        "ask for fewer, or subscribe to the wildcard";
      const limit = { name: "names", value: this.#maxNames } as const;
      return [fail("resource_exhausted", message, limit)];
    }

    const sequencer = this.#sequencer;
    const referred = known ? undefined : sequencer.takeReferred(typeUrl);
    const ignoresClaim = !known && sequencer.ignoresClaim(typeUrl);
    const verdict = state.request(request, referred, ignoresClaim);
    if (verdict.kind === "stale") {
      return [{ kind: "stale", typeUrl, nonce: request.nonce }];
    }
    const actions: StreamAction[] = [];
    if (!this.#node) actions.push({ kind: "open", node });
    else if (request.node) actions.push({ kind: "node", node: request.node });
    this.#node = request.node ?? node;
    const { answer, change } = verdict;
    if (answer) {
      sequencer.answered(state, answer);
      actions.push(answered(typeUrl, answer));
    }
    if (!known) {
      this.#insert(state);
      sequencer.opened(state);
    }
    const { subscription } = state;
    if (change) sequencer.requested(state, change.added, change.dropped);
    if (!known) actions.push({ kind: "watch", typeUrl, subscription });
    else if (change) actions.push({ kind: "subscribe", typeUrl, subscription });
    // What something is withheld of is looked at again first.
    const { updates, removals } = state.withheld;
    if (updates.size + removals.size === 0) {
      actions.push(...this.#settlement(state));
    }
    actions.push(...sequencer.takeTimers(), { kind: "ready" });
    return actions;
  }

  #isLegacyWildcard(typeUrl: string, node: Node): boolean {
    const { legacyWildcard, secret } = traitsOf(typeUrl);
    if (secret) return false;
    return this.#options.legacyWildcard?.(typeUrl, node) ?? legacyWildcard;
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
    const sent = this.#next() ?? this.#greet();
    const timers = this.#sequencer.takeTimers();
    if (sent) return [sent, ...timers];
    const settled = this.#types.flatMap((state) => [
      ...this.#settlement(state),
    ]);
    const actions = [...settled, ...timers];
    if (this.#options.reportsBlocked) actions.push(...this.#newlyBlocked());
    return actions;
  }

  /** Sends the first of what may be sent. */
  #next(): StreamAction | undefined {
    let again = true;
    // What a type is found to lack decides what others wait for, one after the other.
    for (let pass = 0; again && pass <= this.#types.length; pass++) {
      again = false;
      for (const state of this.#types) {
        if (!state.mayHaveNext) continue;
        const { isInProgress, revision, withheld } = state;
        const sent = this.#send(state);
        if (sent) return sent;
        again ||= isInProgress !== state.isInProgress ||
          revision !== state.revision || withheld.differs(state.withheld);
      }
    }
    return undefined;
  }

  /** Tells that the newest set of a type is in force now, if it is and that was not told. */
  *#settlement(state: TypeState): Iterable<StreamAction> {
    const settlement = state.settlement();
    if (!settlement) return;
    const { view, drained } = settlement;
    const { updates, removals } = state.withheld;
    const isBlocked = updates.has("dependency_nacked") ||
      removals.has("dependency_nacked");
    const blocked = isBlocked ? this.#sequencer.blocked(state) : undefined;
    const outcome = { refusal: state.refusal, blocked, drained };
    yield { kind: "settled", typeUrl: state.typeUrl, view, outcome };
  }

  /** What is blocked now, or by something else than it was, and what no longer is. */
  *#newlyBlocked(): Iterable<StreamAction> {
    for (const state of this.#types) {
      const { typeUrl } = state;
      const blocked = this.#sequencer.blocked(state);
      if (!blocked) {
        if (this.#blocked?.delete(typeUrl)) {
          yield { kind: "unblocked", typeUrl };
        }
        continue;
      }
      const written = JSON.stringify(blocked);
      if (this.#blocked?.get(typeUrl) === written) continue;
      (this.#blocked ??= new Map()).set(typeUrl, written);
      yield { kind: "blocked", typeUrl, blocked };
    }
  }

  #send(state: TypeState): StreamAction | undefined {
    const sequencer = this.#sequencer;
    const sent = state.next(sequencer.restrain(state));
    if (!sent) return undefined;
    this.#hasSent = true;
    sequencer.sent(state, sent);
    const { response, view } = sent;
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
    return state && this.#send(state);
  }

  #find(typeUrl: string): TypeState | undefined {
    return this.#types.find((state) => state.typeUrl === typeUrl);
  }

  #insert(state: TypeState) {
    const behind = this.#types.findIndex((other) => rank(other) > rank(state));
    this.#types.splice(behind < 0 ? this.#types.length : behind, 0, state);
  }
}

function fail(
  code: FailureCode,
  message: string,
  limit?: Extract<StreamAction, { kind: "fail" }>["limit"],
): StreamAction {
  return { kind: "fail", code, message, limit };
}

function answered(
  typeUrl: string,
  { response, view, refusal }: Answer,
): StreamAction {
  return refusal
    ? { kind: "nack", typeUrl, response, view, refusal }
    : { kind: "ack", typeUrl, response, view };
}

function rank({ typeUrl }: TypeState): number {
  return traitsOf(typeUrl).rank;
}
