import { type Awaited, type Blocked, sameContent } from "../cache/mod.ts";
import {
  emptyEndpoints,
  isCollection,
  Resource,
  traitsOf,
  TypeUrl,
} from "../resource/mod.ts";
import { Drains } from "./_drains.ts";
import { Expectations } from "./_expectations.ts";
import { OwedNames } from "./_owed_names.ts";
import { Readiness } from "./_readiness.ts";
import { Referred } from "./_referred.ts";
import type { Reason, Restraint } from "./_restraint.ts";
import { Timers } from "./_timers.ts";
import { newlyUsed } from "./_config_sources.ts";
import { resolveAddresses } from "./_addresses.ts";
import { describeBlocked } from "./_blocked.ts";
import type { StreamAction } from "./events.ts";
import type { Responses } from "./response.ts";
import type { Answer, Sent, TypeState } from "./type_state.ts";

/** What a sequencer needs of its stream. */
export interface SequencerOptions {
  readonly responses: Responses;
  /** Whether several types share the stream. */
  readonly isAggregated: boolean;
  /** The types of the stream, in the order in which they are served; the same array, kept up to date. */
  readonly types: readonly TypeState[];
}

/**
 * Decides, on an aggregated stream, which changes of a type wait for others, so that a client goes from any set of resources
 * to any other without ever using what it does not have:
 *
 * - make: a resource that sends traffic to a cluster waits until the client has acknowledged the cluster and its endpoints
 * - break: a resource is removed once the client has acknowledged that nothing it uses refers to it, and has had time to
 *   drain what it still serves existing connections with
 * - hold: an update of a type waits while the client is about to request more names of it
 *
 * Whatever a response in flight needs is sent at once, since an Envoy acknowledges clusters only once they are warm.
 */
export class Sequencer {
  readonly #responses: Responses;
  readonly #isAggregated: boolean;
  readonly #types: readonly TypeState[];
  readonly #timers = new Timers();
  readonly #expectations: Expectations;
  readonly #drains: Drains;
  readonly #readiness: Readiness;
  /** Names, by type, that the client was to be sent again for what it was sent, and has not acknowledged. */
  readonly #owed = new OwedNames();
  /** Names that warming clusters need again: an Envoy has a use for secrets only once it has the endpoints. */
  #late: { readonly typeUrl: string; readonly name: string }[] = [];
  /** Names that the client needs for what it was sent, of types that it has yet to request. */
  #referred: Referred | undefined;
  /** Whether the client came back with resources, and may have yet to request all the types that it has some of. */
  #isReturning = false;
  /** Whether the client came back with resources. */
  #hasReturned = false;
  /** Types whose older sets were looked at for what a client that came back may still use. */
  readonly #keptFor = new Set<string>();
  /** Names that a client which came back has and the newest set lacks, of which it is known why. */
  readonly #explained = new Set<string>();

  constructor(options: SequencerOptions) {
    const { responses, types, isAggregated } = options;
    this.#responses = responses;
    this.#types = types;
    this.#isAggregated = isAggregated;
    const find = (typeUrl: string) => this.#find(typeUrl);
    this.#expectations = new Expectations(responses, this.#timers, find);
    this.#drains = new Drains(this.#timers, find);
    this.#readiness = new Readiness(
      find,
      this.#expectations,
      () => this.#awaitsType(TypeUrl.Cluster),
    );
  }

  /**
   * Names, by type, that the client needs again and has not acknowledged: when its stream ends, the next one is to begin
   * with them, since the client will say that it has them.
   */
  get owed(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#owed.all();
  }

  /** Takes what the client was owed when its stream before ended. */
  resume(owed: ReadonlyMap<string, ReadonlySet<string>>) {
    for (const [typeUrl, names] of owed) this.#refer(typeUrl, names);
  }

  /** Names of a type, about to be requested first, that the client needs whatever it says that it has. */
  takeReferred(typeUrl: string): ReturnType<Referred["take"]> | undefined {
    return this.#referred?.take(typeUrl);
  }

  /**
   * Whether the version that a client says it has of a type proves nothing: an Envoy that lost its stream while a cluster
   * warmed needs the cluster's endpoints and secrets again, and requests clusters only once it has them.
   */
  ignoresClaim(typeUrl: string): boolean {
    return this.#isAggregated && warmsClusters(typeUrl) &&
      !this.#find(TypeUrl.Cluster);
  }

  /** The client requested a type for the first time. */
  opened(state: TypeState) {
    if (!this.#isAggregated) return;
    const { typeUrl, subscription, cameWith } = state;
    const clusters = this.#find(TypeUrl.Cluster);
    // An Envoy requests clusters first, unless some warm: then it is not its first stream, whatever it says that it has.
    const isEarly = !clusters &&
      (typeUrl === TypeUrl.ClusterLoadAssignment ||
        (typeUrl === TypeUrl.Listener && subscription.wildcard));
    if (cameWith || isEarly) this.#isReturning = this.#hasReturned = true;
  }

  /** The client requested other names of a type. */
  requested(
    state: TypeState,
    added: Iterable<string>,
    dropped: readonly string[],
  ) {
    this.#expectations.requested(state.typeUrl, added);
    this.#drains.unsubscribed(state.typeUrl, dropped);
    this.#owed.unsubscribed(state.typeUrl, dropped);
  }

  /** A response was sent. */
  sent(state: TypeState, sent: Sent) {
    if (sent.response.isHeartbeat) return;
    const { nonce, names } = sent.response;
    this.#owed.sent(state.typeUrl, nonce, names);
    this.#followUp(state, sent);
    if (state.typeUrl === TypeUrl.ClusterLoadAssignment) {
      for (const { typeUrl, name } of this.#late) {
        this.#find(typeUrl)?.resend([name]);
      }
    }
    this.#expectations.sent(state, sent);
    this.#drains.sent(state, sent);
  }

  /** The client answered a response. */
  answered(state: TypeState, { response, refusal }: Answer) {
    if (!refusal) this.#owed.acked(state.typeUrl, response.nonce);
    if (state.typeUrl === TypeUrl.Cluster) this.#late = [];
    this.#expectations.answered(state.typeUrl, refusal !== undefined);
    this.#drains.answered(state, refusal !== undefined);
  }

  /** A timer went off. Returns actions that report what waited in vain. */
  timer(id: string): StreamAction[] {
    this.#timers.fired(id);
    if (id === RETURNING) {
      this.#isReturning = false;
      for (const name of this.#endpointsInVain()) {
        this.#find(TypeUrl.ClusterLoadAssignment)?.note(name);
      }
      return [];
    }
    return this.#drains.timer(id) ? [] : this.#expectations.timer(id);
  }

  /** Timers to start. */
  takeTimers(): StreamAction[] {
    this.#drains.settle();
    for (const state of this.#types) {
      const { withheld } = state;
      const waits = withheld.updates.has("names_not_requested") ||
        withheld.removals.has("names_not_requested");
      if (!waits) continue;
      const after = state.sequencing?.holdTimeout ?? 0;
      this.#expectations.startTimers(after);
      if (this.#isReturning) this.#timers.start(RETURNING, after);
    }
    return this.#timers.take();
  }

  /** Which changes of a type must wait. */
  restrain(state: TypeState): Restraint {
    if (this.#hasReturned) {
      this.#keepUnexplained(state);
      this.#keepForReturned(TypeUrl.Listener);
      this.#keepForReturned(TypeUrl.RouteConfiguration);
    }
    const restraint = {
      allUpdates: this.#holds(state),
      update: this.#readiness.of(state),
      ...this.#restrainRemovals(state),
      substitute: this.#substitutes(state),
    };
    return state.typeUrl === TypeUrl.Listener
      ? resolveAddresses(state, restraint)
      : restraint;
  }

  /** What of a type waits, and for what; undefined if nothing does. */
  blocked(state: TypeState): Blocked | undefined {
    const { updates, removals } = state.withheld;
    if (!state.view || updates.size + removals.size === 0) return undefined;
    return describeBlocked(state, this.restrain(state), {
      types: this.#types,
      awaited: () => this.#awaited(state),
    });
  }

  /** Why all updates of a type wait, if the client is about to request more names of it. */
  #holds(state: TypeState): Reason | undefined {
    return this.#expectations.holds(state) ? "names_not_requested" : undefined;
  }

  #restrainRemovals(
    state: TypeState,
  ): Pick<Restraint, "allRemovals" | "removal"> {
    const { typeUrl } = state;
    const { dependents } = traitsOf(typeUrl);
    if (!state.makesBeforeBreak) {
      return {
        allRemovals: undefined,
        removal: this.#restrainWarmingRemovals(state),
      };
    }
    if (dependents.some((dependent) => this.#awaitsType(dependent))) {
      return { allRemovals: "names_not_requested" };
    }
    const present = this.#types.filter((other) =>
      other.makesBeforeBreak && dependents.includes(other.typeUrl)
    );
    if (present.some((other) => other.isInProgress)) {
      return { allRemovals: "dependency_unacked" };
    }
    const used = usedBy(present, typeUrl);
    if (typeof used === "string") return { allRemovals: used };
    if (used.size === 0 && !this.#drains.concerns(typeUrl)) {
      return { allRemovals: undefined };
    }
    const kept = this.#kept(state, used);
    return { allRemovals: undefined, removal: (name) => kept.get(name) };
  }

  /** Keeps what warming clusters need until they are warm, whether or not other changes are ordered. */
  #restrainWarmingRemovals(state: TypeState): Restraint["removal"] {
    const { typeUrl } = state;
    if (!this.#isAggregated || !warmsClusters(typeUrl)) return undefined;
    const clusters = this.#find(TypeUrl.Cluster);
    if (!clusters) {
      return (name) =>
        isEmpty(state.held(name)) ? "still_requested" : undefined;
    }
    const needed = neededFor(clusters, typeUrl);
    const reason = clusters.isInProgress
      ? "dependency_unacked"
      : "dependency_nacked";
    return (name) => needed.has(name) ? reason : undefined;
  }

  /** Names that are kept, and why: what is used, what is drained, and what these refer to, as aggregate clusters do. */
  #kept(
    state: TypeState,
    used: ReadonlyMap<string, Reason>,
  ): ReadonlyMap<string, Reason> {
    const kept = new Map<string, Reason>();
    const keep = (name: string, reason: Reason) => {
      if (kept.has(name)) return;
      kept.set(name, reason);
      for (const reference of state.held(name)?.references.references ?? []) {
        if (reference.typeUrl === state.typeUrl) keep(reference.name, reason);
      }
    };
    for (const name of state.leftovers()) {
      const reason = used.get(name) ?? this.#drains.reason(state, name);
      if (reason) keep(name, reason);
    }
    return kept;
  }

  /**
   * Finds what a client needs of a type to warm clusters that it was sent, where the newest set has it no longer: as it was
   * when these were sent, or else, of endpoints, none. An Envoy acknowledges clusters only once all are warm.
   */
  #substitutes(state: TypeState): Restraint["substitute"] {
    const { typeUrl } = state;
    if (!this.#isAggregated) return undefined;
    if (typeUrl === TypeUrl.RouteConfiguration) {
      return (name) => this.#substituteRoutes(state, name);
    }
    if (!warmsClusters(typeUrl)) return undefined;
    const isEndpoints = typeUrl === TypeUrl.ClusterLoadAssignment;
    const clusters = this.#find(TypeUrl.Cluster);
    let needed: ReadonlySet<string> | undefined;
    return (name) => {
      const isNeeded = clusters
        ? (needed ??= neededFor(clusters, typeUrl)).has(name)
        : this.#hasReturned && state.sequencing !== undefined;
      if (!isNeeded) return undefined;
      const older = this.#older(state, name);
      if (older) return older;
      const waits = !clusters && this.#isReturning &&
        (state.sequencing?.holdTimeout ?? 0) > 0;
      if (waits) return "names_not_requested";
      // Endpoints that connections are served with are not replaced by none.
      const isServed = this.#drains.isDraining(typeUrl, name);
      if (!isEndpoints || isServed) return undefined;
      const none = emptyEndpoints(name);
      return state.rejects(none) ? undefined : none;
    };
  }

  /** The newest older version of a resource that the client has not NACKed: of the sets that it was sent first. */
  #older(state: TypeState, name: string): Resource | undefined {
    for (
      const sets of [this.#expectations.setsOf(state.typeUrl), state.history]
    ) {
      for (const { resources } of sets) {
        const resource = resources.get(name);
        if (resource && !state.rejects(resource)) return resource;
      }
    }
    return undefined;
  }

  /**
   * Routes that a listener which the client has refers to, and the newest set lacks: they wait for the listener to be
   * replaced, and are sent as they were with it if the client NACKs that, for as long as the client has their clusters.
   */
  #substituteRoutes(state: TypeState, name: string) {
    const listeners = this.#find(TypeUrl.Listener);
    const clusters = this.#find(TypeUrl.Cluster);
    if (!listeners || !clusters) return undefined;
    const users = [...listeners.inUse()].filter((held) =>
      held instanceof Resource && refersTo(held, state.typeUrl, name)
    );
    if (users.length === 0) return undefined;
    if (listeners.isInProgress) return "dependency_unacked";
    const routeSets = [...state.history];
    const at = [...listeners.history].findIndex(({ resources }) =>
      users.some((held) => resources.get((held as Resource).name) === held)
    );
    const routes = routeSets[at]?.resources.get(name);
    const isServed = routes?.references.references.every((reference) =>
      reference.typeUrl !== TypeUrl.Cluster || clusters.has(reference.name)
    );
    return routes && isServed && !state.rejects(routes) ? routes : undefined;
  }

  /** Endpoints that are requested by an Envoy that requests no clusters: it waits for these. */
  *#endpointsInVain(): Iterable<string> {
    const state = this.#find(TypeUrl.ClusterLoadAssignment);
    if (!state || this.#find(TypeUrl.Cluster)) return;
    for (const name of state.subscription.names) {
      if (!state.view?.resources.has(name)) yield name;
    }
  }

  /** Whether a client that came back has yet to request a type. */
  #awaitsType(typeUrl: string): boolean {
    if (!this.#isReturning || this.#find(typeUrl)) return false;
    const listeners = this.#find(TypeUrl.Listener);
    // A gRPC client requests clusters only once it has routes.
    if (typeUrl === TypeUrl.Cluster) {
      return !listeners || asksForAll(listeners.subscription);
    }
    if (typeUrl === TypeUrl.Listener) return !listeners;
    if (!listeners) return false;
    if (this.#drains.concerns(typeUrl)) return true;
    for (const held of listeners.inUse()) {
      if (!(held instanceof Resource) || refersTo(held, typeUrl)) return true;
    }
    for (const resource of listeners.view?.resources.values() ?? []) {
      const isHeld = listeners.has(resource.name);
      if (isHeld && refersTo(resource, typeUrl)) return true;
    }
    return false;
  }

  /**
   * A client that came back may serve connections with listeners that it no longer says it has: what those of older sets
   * referred to, by their routes, too, is drained from now on.
   */
  #keepForReturned(typeUrl: string) {
    if (this.#keptFor.has(typeUrl)) return;
    const state = this.#find(typeUrl);
    const view = state?.view;
    const listeners = this.#find(TypeUrl.Listener);
    if (!state || !view || !listeners?.view) return;
    this.#keptFor.add(typeUrl);
    const drain = listeners.sequencing?.drain ?? 0;
    for (const set of state.history) {
      for (const resource of set.resources.values()) {
        if (sameContent(view.resources.get(resource.name), resource)) continue;
        // Routes that a listener of now has are those that one of then has, too.
        const isRouted = typeUrl === TypeUrl.Listener ||
          this.#drains.isDraining(typeUrl, resource.name);
        if (!isRouted) continue;
        for (const { typeUrl, name } of resource.references.references) {
          this.#drains.keep(typeUrl, name, drain);
        }
      }
    }
  }

  /**
   * What a client that came back has, and no set that is known of, was kept for connections that may last: they are drained
   * from now on.
   */
  #keepUnexplained(state: TypeState) {
    const { typeUrl, makesBeforeBreak, sequencing } = state;
    if (!makesBeforeBreak) return;
    for (const name of state.leftovers()) {
      const key = `${typeUrl} ${name}`;
      if (this.#explained.has(key)) continue;
      this.#explained.add(key);
      const isKnown = [...state.history].some(({ resources }) =>
        resources.has(name)
      );
      if (isKnown) continue;
      const drain = sequencing?.drain ?? 0;
      this.#drains.keep(typeUrl, name, drain);
      for (const its of state.held(name)?.references.references ?? []) {
        this.#drains.keep(its.typeUrl, its.name, drain);
      }
    }
  }

  /** What the client has yet to request before a type goes on. */
  *#awaited(state: TypeState): Iterable<Awaited> {
    const about = (typeUrl: string, names: readonly string[] = []) => (
      { typeUrl, names, refusal: undefined }
    );
    const { typeUrl } = state;
    const { routes, dependents } = traitsOf(typeUrl);
    const own = this.#expectations.missing(typeUrl);
    if (own.length > 0) yield about(typeUrl, own);
    if (routes) {
      const endpoints = TypeUrl.ClusterLoadAssignment;
      const missing = this.#expectations.missing(endpoints);
      if (missing.length > 0) yield about(endpoints, missing);
      if (this.#awaitsType(TypeUrl.Cluster)) yield about(TypeUrl.Cluster);
    }
    for (const dependent of dependents) {
      if (this.#awaitsType(dependent)) yield about(dependent);
    }
  }

  /**
   * A client that gets a cluster anew warms it, and needs its endpoints again for that, changed or not. Nor does it have
   * what it requests only after it was sent what refers to it, whatever the version that it says it has.
   */
  #followUp(parent: TypeState, sent: Sent) {
    if (!isParent(parent)) return;
    for (const [typeUrl, names] of this.#responses.references(sent.changed)) {
      const state = this.#find(typeUrl);
      if (!state) this.#refer(typeUrl, names);
      else if (typeUrl === TypeUrl.ClusterLoadAssignment) {
        state.resend(names);
        for (const name of names) this.#owed.add(typeUrl, name);
      }
    }
    const parents = this.#types.filter(isParent);
    for (const { typeUrl, name, awaitsEndpoints } of newlyUsed(sent, parents)) {
      if (awaitsEndpoints) this.#late.push({ typeUrl, name });
      const state = this.#find(typeUrl);
      if (!state) continue;
      this.#owed.add(typeUrl, name);
      if (!awaitsEndpoints && state.held(name)) state.resend([name]);
    }
  }

  #refer(typeUrl: string, names: ReadonlySet<string>) {
    (this.#referred ??= new Referred()).add(typeUrl, names);
  }

  #find(typeUrl: string): TypeState | undefined {
    return this.#types.find((state) => state.typeUrl === typeUrl);
  }
}

const RETURNING = "returning";

/** Whether clusters warm until they have resources of a type. */
function warmsClusters(typeUrl: string): boolean {
  return traitsOf(typeUrl).dependents.includes(TypeUrl.Cluster);
}

/** Whether a resource refers to one of a type: to any, or to the one of that name. */
function refersTo(
  { references }: Resource,
  typeUrl: string,
  name?: string,
): boolean {
  return references.references.some((its) =>
    its.typeUrl === typeUrl && (name === undefined || its.name === name)
  );
}

/** Whether a client has no endpoints of a name, since there are none. */
function isEmpty(held: unknown): boolean {
  return held instanceof Resource &&
    sameContent(held, emptyEndpoints(held.name));
}

/** Whether a client asks for resources by other than their names, as Envoys do. */
function asksForAll({ wildcard, names }: TypeState["subscription"]): boolean {
  return wildcard || [...names].some(isCollection);
}

/** Whether a client that is sent a resource of a type requests others at once. */
function isParent({ typeUrl }: TypeState): boolean {
  return typeUrl === TypeUrl.Cluster || typeUrl === TypeUrl.Listener;
}

/** Names of a type that what clients use of others refers to, and why that is so; or just why, if it is not known which. */
function usedBy(
  dependents: readonly TypeState[],
  typeUrl: string,
): ReadonlyMap<string, Reason> | Reason {
  const used = new Map<string, Reason>();
  for (const state of dependents) {
    const { withheld } = state;
    const [own] = withheld.removals;
    const removal = own === "nacked" ? "dependency_nacked" : own;
    for (const held of state.inUse()) {
      const isKnown = typeof held !== "string";
      const isChanged = isKnown
        ? state.view?.resources.has(held.name)
        : state.refusal;
      const reason = isChanged
        ? "dependency_nacked"
        : removal ?? "dependency_unacked";
      if (!isKnown) return reason;
      for (const reference of held.references.references) {
        if (reference.typeUrl === typeUrl) used.set(reference.name, reason);
      }
    }
  }
  return used;
}

/** Names of a type that clusters which the newest set lacks, and the client uses, refer to. */
function neededFor(
  clusters: TypeState,
  typeUrl: string,
): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const held of clusters.inUse()) {
    if (!(held instanceof Resource)) continue;
    for (const reference of held.references.references) {
      if (reference.typeUrl === typeUrl) needed.add(reference.name);
    }
  }
  return needed;
}
