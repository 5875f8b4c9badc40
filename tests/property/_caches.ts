import {
  type Cache,
  type Client,
  createSnapshot,
  LinearCache,
  MuxCache,
  OnDemandCache,
  type Snapshot,
  SnapshotCache,
  type Subscription,
} from "../../lib/cache/mod.ts";
import {
  isCollection,
  type Resource,
  shortName,
  TypeUrl,
} from "../../lib/resource/mod.ts";
import { resource, typeOf } from "../protocol/_resources.ts";
import type { FakeClock } from "../support/clock.ts";

/** Resources of one type by name. */
export type Resources = ReadonlyMap<string, Resource>;

/** A cache under test, and beside it, as plainly as can be, what it has to serve. */
export interface Subject {
  readonly cache: Cache;
  /** Carries out a command; false if it is none of its own. */
  execute(verb: string, words: readonly string[]): boolean;
  /** What a client is to have, if it asks for it; undefined if nothing is said to it. */
  truth(
    node: string,
    typeUrl: string,
    subscription: Subscription,
  ): Resources | undefined;
  /** Whether changes are made before others break. */
  readonly makeBeforeBreak: boolean;
  /** Whether nobody can know yet if there is a resource of that name. */
  isPending?(typeUrl: string, name: string): boolean;
  /** Does what is still to be done for all to come to rest. */
  rest?(): void;
  /** Throws if what the cache says of its clients is not so. `isQuiet` if all was read and answered. */
  check?(clients: readonly Client[], isQuiet: boolean): void;
}

export const types = [
  "Cluster",
  "ClusterLoadAssignment",
  "Listener",
  "RouteConfiguration",
] as const;

const nothing: Resources = new Map();

/** Clusters that are always there under the option `crowd`, so many that maps of them are no longer copied whole. */
const crowd = Array.from(
  { length: 70 },
  (_, at) => resource(TypeUrl.Cluster, `crowd-${at}`),
);

/** Resources as scripts write them, by type: `Cluster a b=2 Listener l->r`. Those with a `-` are removals. */
function grouped(
  words: readonly string[],
): Map<string, { set: Resource[]; remove: string[] }> {
  const groups = new Map<string, { set: Resource[]; remove: string[] }>();
  let group: { set: Resource[]; remove: string[] } | undefined;
  let typeUrl = "";
  for (const word of words) {
    const type = typeOf(word);
    if (type) {
      typeUrl = type;
      groups.set(type, group = { set: [], remove: [] });
    } else if (word.startsWith("-")) group!.remove.push(long(word.slice(1)));
    else group!.set.push(resource(typeUrl, long(word)));
  }
  return groups;
}

/** `g:1` is short for a member of a glob collection, `g:*` for the collection. */
export function long(name: string): string {
  return name.replace(/^g:/, "xdstp://x/t/g/");
}

function byName(resources: Iterable<Resource>): Map<string, Resource> {
  return new Map([...resources].map((resource) => [resource.name, resource]));
}

/**
 * - `set n1 Cluster a b=2`: a snapshot of all of it
 * - `with n1 Cluster a b=2`: the same, made of the one before by what differs
 * - `delete n1`
 */
export class SnapshotSubject implements Subject {
  readonly cache: SnapshotCache;
  readonly makeBeforeBreak: boolean;
  readonly #versioned: boolean;
  readonly #isCrowded: boolean;
  readonly #truth = new Map<string, Map<string, Map<string, Resource>>>();
  #changes = 0;

  constructor(options: readonly string[], clock: FakeClock) {
    const ads = options.includes("ads");
    this.makeBeforeBreak = ads && !options.includes("at-once");
    this.#versioned = options.includes("versioned");
    this.#isCrowded = options.includes("crowd");
    const makeBeforeBreak = this.makeBeforeBreak;
    this.cache = new SnapshotCache({
      ads,
      makeBeforeBreak,
      clock,
      drain: 0,
      emptyEndpoints: false,
    });
  }

  execute(verb: string, [key, ...words]: readonly string[]): boolean {
    if (verb === "delete") {
      this.#truth.delete(key);
      this.cache.delete(key);
      return true;
    }
    if (verb !== "set" && verb !== "with") return false;
    const wanted = new Map<string, Map<string, Resource>>();
    for (const [typeUrl, { set }] of grouped(["Cluster", ...words])) {
      const isCrowd = this.#isCrowded && typeUrl === TypeUrl.Cluster;
      wanted.set(typeUrl, byName(isCrowd ? [...crowd, ...set] : set));
    }
    const before = this.#truth.get(key);
    this.#truth.set(key, wanted);
    const version = this.#versioned ? `v${++this.#changes}` : undefined;
    const snapshot = before && verb === "with"
      ? this.#changed(this.cache.get(key)!, before, wanted, version)
      : createSnapshot({
        version,
        resources: [...wanted.values()].flatMap((its) => [...its.values()]),
      });
    this.cache.set(key, snapshot);
    return true;
  }

  truth(node: string, typeUrl: string): Resources | undefined {
    const key = this.#truth.get(node);
    return key && (key.get(typeUrl) ?? nothing);
  }

  check(clients: readonly Client[], isQuiet: boolean) {
    for (const node of new Set(clients.map(({ node }) => node.id))) {
      for (const { types } of this.cache.status(node)) {
        for (const { typeUrl, state, blocked, subscription } of types) {
          const what = `${node}'s ${shortName(typeUrl)} is ${state}`;
          if (isQuiet && (state === "pending" || state === "sent")) {
            throw new Error(`${what}, and everything was answered`);
          }
          if (blocked?.reason !== "names_not_requested") continue;
          const met = blocked.waitingFor
            .filter((its) => its.typeUrl === typeUrl)
            .flatMap(({ names }) => names)
            .filter((its) => subscription.names.has(its));
          if (met.length > 0) {
            throw new Error(`${what} for ${met}, which it asks for`);
          }
        }
      }
    }
  }

  #changed(
    snapshot: Snapshot,
    before: Map<string, Map<string, Resource>>,
    wanted: Map<string, Map<string, Resource>>,
    version: string | undefined,
  ): Snapshot {
    const set = [...wanted].flatMap(([typeUrl, resources]) =>
      [...resources.values()].filter(({ name, version }) =>
        before.get(typeUrl)?.get(name)?.version !== version
      )
    );
    const gone = [...before].flatMap(([typeUrl, resources]) =>
      [...resources.keys()].filter((name) => !wanted.get(typeUrl)?.has(name))
        .map((name) => ({ typeUrl, name }))
    );
    return snapshot.with({ set, delete: gone, version });
  }
}

/** `update Cluster a=2 -b` and `replace Cluster a`, of a cache for each type. */
export class LinearSubject implements Subject {
  readonly cache: Cache;
  readonly makeBeforeBreak: boolean;
  readonly #caches = new Map<string, LinearCache>();
  readonly #crowd: readonly Resource[];
  readonly #truth = new Map<string, Map<string, Resource>>();

  constructor(options: readonly string[], clock: FakeClock) {
    const makeBeforeBreak = options.includes("mbb");
    this.makeBeforeBreak = makeBeforeBreak;
    const versionPrefix = options.includes("versioned") ? "v" : undefined;
    for (const type of types) {
      const options = {
        versionPrefix,
        clock,
        makeBeforeBreak,
        drain: 0,
        resources: [],
      };
      this.#caches.set(
        TypeUrl[type],
        new LinearCache(TypeUrl[type], options),
      );
    }
    this.cache = new MuxCache(({ typeUrl }) => this.#caches.get(typeUrl));
    this.#crowd = options.includes("crowd") ? crowd : [];
    this.#caches.get(TypeUrl.Cluster)!.replace(this.#crowd);
    this.#truth.set(TypeUrl.Cluster, byName(this.#crowd));
  }

  execute(verb: string, words: readonly string[]): boolean {
    if (verb !== "update" && verb !== "replace") return false;
    for (const [typeUrl, { set, remove }] of grouped(words)) {
      const cache = this.#caches.get(typeUrl)!;
      if (verb === "replace") {
        const all = typeUrl === TypeUrl.Cluster
          ? [...this.#crowd, ...set]
          : set;
        this.#truth.set(typeUrl, byName(all));
        cache.replace(all);
        continue;
      }
      const truth = new Map(this.#truth.get(typeUrl));
      for (const name of remove) truth.delete(name);
      for (const resource of set) truth.set(resource.name, resource);
      this.#truth.set(typeUrl, truth);
      cache.update({ set, delete: remove });
    }
    return true;
  }

  truth(_node: string, typeUrl: string): Resources {
    return this.#truth.get(typeUrl) ?? nothing;
  }
}

/**
 * Finds what `find Cluster a=2 -b` says there is; `find-quietly` does not tell the cache, and `invalidate a` does. What is
 * named c is found when `answer` says so.
 */
export class OnDemandSubject implements Subject {
  readonly cache: OnDemandCache;
  readonly makeBeforeBreak = false;
  readonly #table = new Map<string, Map<string, Resource>>();
  /** What the resolver answered last; undefined that there is none. */
  readonly #answers = new Map<string, Map<string, Resource | undefined>>();
  /** Types and names that were invalidated, and were not asked for since. */
  readonly #invalidated = new Set<string>();
  /** Types and names that it ever answered. */
  readonly #answered = new Set<string>();
  /** What it was asked, and has not answered. */
  #questions: (() => void)[] = [];

  constructor(clock: FakeClock) {
    this.cache = new OnDemandCache(({ typeUrl, name }, signal) => {
      this.#invalidated.delete(`${typeUrl} ${name}`);
      const answer = () => {
        const found = this.#table.get(typeUrl)?.get(name);
        if (!signal.aborted) {
          this.#answersOf(typeUrl).set(name, found);
          this.#answered.add(`${typeUrl} ${name}`);
        }
        return found;
      };
      if (name !== "c") return answer();
      return new Promise((resolve) =>
        this.#questions.push(() => resolve(answer()))
      );
    }, { clock });
  }

  execute(verb: string, words: readonly string[]): boolean {
    if (verb === "answer") {
      for (const answer of this.#questions.splice(0)) answer();
      return true;
    }
    if (verb === "invalidate") {
      for (const name of words) this.#invalidate(long(name));
      return true;
    }
    if (verb !== "find" && verb !== "find-quietly") return false;
    for (const [typeUrl, { set, remove }] of grouped(words)) {
      const table = this.#table.get(typeUrl) ?? new Map();
      this.#table.set(typeUrl, table);
      for (const resource of set) table.set(resource.name, resource);
      for (const name of remove) table.delete(name);
      if (verb === "find-quietly") continue;
      for (const name of [...set.map(({ name }) => name), ...remove]) {
        this.#invalidate(name, typeUrl);
      }
    }
    return true;
  }

  truth(_node: string, typeUrl: string, { names }: Subscription): Resources {
    const truth = new Map<string, Resource>();
    const answers = this.#answersOf(typeUrl);
    for (const name of names) {
      // What was invalidated, and is asked for, is asked for again; what there was stands until that is answered.
      const found = this.#invalidated.has(`${typeUrl} ${name}`)
        ? this.#table.get(typeUrl)?.get(name)
        : answers.get(name);
      if (found) truth.set(name, found);
    }
    return truth;
  }

  isPending(typeUrl: string, name: string): boolean {
    return !isCollection(name) && !this.#answered.has(`${typeUrl} ${name}`);
  }

  #answersOf(typeUrl: string): Map<string, Resource | undefined> {
    let answers = this.#answers.get(typeUrl);
    if (!answers) this.#answers.set(typeUrl, answers = new Map());
    return answers;
  }

  #invalidate(name: string, typeUrl?: string) {
    for (
      const known of typeUrl === undefined ? this.#answers.keys() : [typeUrl]
    ) {
      this.#invalidated.add(`${known} ${name}`);
    }
    this.cache.invalidate(name, typeUrl);
  }

  rest() {
    this.execute("answer", []);
  }
}

/**
 * Clusters by two linear caches, one for clients that ask for all and one for others, endpoints found on demand, and the
 * rest from a snapshot. Its commands are those of all three; `other Cluster a=2 -b` updates the second linear cache.
 */
export class MuxSubject implements Subject {
  readonly cache: Cache;
  readonly makeBeforeBreak = false;
  readonly #linear: LinearSubject;
  readonly #other: LinearSubject;
  readonly #onDemand: OnDemandSubject;
  readonly #snapshots: SnapshotSubject;

  constructor(options: readonly string[], clock: FakeClock) {
    this.#linear = new LinearSubject(options, clock);
    this.#other = new LinearSubject([], clock);
    this.#onDemand = new OnDemandSubject(clock);
    this.#snapshots = new SnapshotSubject(options, clock);
    this.cache = new MuxCache(({ typeUrl, subscription }) =>
      this.#pick(typeUrl, subscription).cache
    );
  }

  execute(verb: string, words: readonly string[]): boolean {
    return verb === "other"
      ? this.#other.execute("update", words)
      : this.#linear.execute(verb, words) ||
        this.#onDemand.execute(verb, words) ||
        this.#snapshots.execute(verb, words);
  }

  truth(node: string, typeUrl: string, subscription: Subscription) {
    return this.#pick(typeUrl, subscription).truth(node, typeUrl, subscription);
  }

  isPending(typeUrl: string, name: string): boolean {
    return typeUrl === TypeUrl.ClusterLoadAssignment &&
      this.#onDemand.isPending(typeUrl, name);
  }

  rest() {
    this.#onDemand.rest();
  }

  #pick(typeUrl: string, { wildcard }: Subscription): Subject {
    if (typeUrl === TypeUrl.Cluster) {
      return wildcard ? this.#linear : this.#other;
    }
    if (typeUrl === TypeUrl.ClusterLoadAssignment) return this.#onDemand;
    return this.#snapshots;
  }
}
