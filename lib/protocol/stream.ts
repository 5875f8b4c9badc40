import type { Node } from "@xds/envoy/envoy/config/core/v3";
import { covers, type FailureCode, type ResourceState } from "../cache/mod.ts";
import { type Resource, shortName, TypeUrl } from "../resource/mod.ts";
import {
  blockedBy,
  isDrained,
  isMade,
  mayBreak,
  waitOf,
  waitsFor,
} from "./_gates.ts";
import { Expected } from "./_expected.ts";
import { Referred } from "./_referred.ts";
import type { StreamAction, StreamEvent } from "./events.ts";
import { rank } from "./order.ts";
import type { StreamRequest } from "./request.ts";
import type { Protocol, Responses } from "./response.ts";
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
  #node: Node | undefined;
  #hasSent = false;
  /** The waits that were reported, by type, written out. */
  #waits: Map<string, string> | undefined;
  /** Names that the client needs for what it was sent. */
  #referred: Referred | undefined;

  /** Makes a stream that has just been opened. */
  constructor(options: StreamOptions) {
    this.#options = options;
    this.#maxNames = options.maxNames ?? DEFAULT_MAX_NAMES;
    this.#maxTypes = options.maxTypes ?? DEFAULT_MAX_TYPES;
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
    const types = this.#types;
    return {
      ...state.inspect(name),
      waitsFor: waitsFor(state, types),
      blocked: blockedBy(state, types),
    };
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
    const { protocol, responses, legacyWildcard, trustsVersion = false } =
      this.#options;
    const state = known ?? new TypeState({
      typeUrl,
      protocol,
      responses,
      legacyWildcard: legacyWildcard?.(typeUrl, node) ?? true,
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

    const referred = known ? undefined : this.#referred?.take(typeUrl);
    const verdict = state.request(request, referred);
    if (verdict.kind === "stale") {
      return [{ kind: "stale", typeUrl, nonce: request.nonce }];
    }
    const actions: StreamAction[] = [];
    if (!this.#node) actions.push({ kind: "open", node });
    else if (request.node) actions.push({ kind: "node", node: request.node });
    this.#node = request.node ?? node;
    if (verdict.answer) actions.push(answered(typeUrl, verdict.answer));
    if (!known) {
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
    const types = this.#types;
    const actions: StreamAction[] = [];
    for (const state of types) {
      if (!isMade(state, types)) continue;
      const removals = mayBreak(state, types) && isDrained(state);
      const sent = this.#send(state, removals);
      if (sent) return [sent];
    }
    // What depends on a type was found to lack nothing only after the type itself had its turn.
    for (const state of this.#types) {
      const goesOn = state.hasLeftovers && isMade(state, types) &&
        mayBreak(state, types);
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
      const blocked = blockedBy(state, types);
      if (state.hasLeftovers && !blocked) continue;
      const view = state.settlement(blocked !== undefined);
      if (!view) continue;
      const outcome = { refusal: state.refusal, blocked };
      actions.push({ kind: "settled", typeUrl: state.typeUrl, view, outcome });
    }
    if (this.#options.reportsWaits) actions.push(...this.#newWaits());
    return actions;
  }

  /** The waits that have begun, are for something else than they were, or are over. */
  *#newWaits(): Iterable<StreamAction> {
    for (const state of this.#types) {
      const { typeUrl } = state;
      const wait = waitOf(state, this.#types);
      if (!wait) {
        if (this.#waits?.delete(typeUrl)) yield { kind: "resume", typeUrl };
        continue;
      }
      const written = JSON.stringify(wait);
      if (this.#waits?.get(typeUrl) === written) continue;
      (this.#waits ??= new Map()).set(typeUrl, written);
      yield { kind: "wait", typeUrl, wait };
    }
  }

  #send(state: TypeState, removals: boolean): StreamAction | undefined {
    const next = state.next(removals);
    if (!next) return undefined;
    const { response, view, changed } = next;
    this.#hasSent = true;
    if (!state.hasLeftovers && state.drain === "done") state.drain = "needed";
    if (parents.includes(state.typeUrl)) this.#followUp(state, changed);
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

  /**
   * A client that gets a cluster anew warms it, and needs its endpoints again for that, changed or not. Nor does it have
   * what it asks for only after it was sent what refers to it, whatever the version that it says it has.
   */
  #followUp(parent: TypeState, changed: readonly Resource[]) {
    const { responses } = this.#options;
    for (const [typeUrl, names] of responses.references(changed)) {
      const state = this.#find(typeUrl);
      if (!state) (this.#referred ??= new Referred()).add(typeUrl, names);
      else if (typeUrl === TypeUrl.ClusterLoadAssignment) {
        state.resend(names);
        if (!parent.makeBeforeBreak || !state.makeBeforeBreak) continue;
        const unasked = [...names]
          .filter((name) => !covers(state.subscription, name));
        if (unasked.length === 0) continue;
        state.expected ??= new Expected(state);
        state.expected.add(new Set(unasked), changed);
      }
    }
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

/** Types of which a client that is sent one asks for others at once. */
const parents: readonly string[] = [TypeUrl.Cluster, TypeUrl.Listener];

function fail(
  code: FailureCode,
  message: string,
  limit?: Extract<StreamAction, { kind: "fail" }>["limit"],
): StreamAction {
  return { kind: "fail", code, message, limit };
}

function answered(
  typeUrl: string,
  { response, refusal }: Answer,
): StreamAction {
  return refusal
    ? { kind: "nack", typeUrl, response, refusal }
    : { kind: "ack", typeUrl, response };
}
