import {
  bigintOf,
  digitsOf,
  type Hash,
  Sum,
  textHash,
} from "../resource/_hash.ts";
import { fingerprintOf, haveSameVersion } from "../resource/resource.ts";
import { canonicalName, collectionOf, type Resource } from "../resource/mod.ts";
import { changed } from "./_layers.ts";

/** What may be said of a view beside its resources. */
export interface ViewOptions {
  /** The caller's version. Default: derived from the content. */
  version?: string;
  /** Whether it is not known yet if there is a resource of that name, so that nobody may be told that there is none. */
  isPending?: (name: string) => boolean;
}

/**
 * All resources of one type as they stood at one moment. Immutable, so that what a client holds can be kept as a view,
 * and what it lacks found by comparing two of them; the comparison is made once however many clients need it.
 */
export class View {
  /** By name. */
  readonly resources: ReadonlyMap<string, Resource>;
  #given: string | undefined;
  readonly #isPending: ((name: string) => boolean) | undefined;
  #sum: Hash | undefined;
  /** Names in which it differs from others; made when first needed, since most are only compared with the one before. */
  #changes: WeakMap<View, ReadonlySet<string>> | undefined;
  #history: History | undefined;
  /** Its place in the history. */
  #number = 0;
  /** The view that this one is, but for some resources of an older one. */
  #keptOn: View | undefined;
  #variants: readonly View[] = noViews;
  #expiring: ReadonlyMap<string, Resource> | undefined;
  #allExpiring: readonly Resource[] | undefined;
  #shortestTtl: number | undefined;
  #invalid: readonly Resource[] | undefined;
  #collections: Map<string, ReadonlySet<string>> | undefined;

  /**
   * Makes a view.
   *
   * @param resources by name; not to be written to afterwards
   * @throws {TypeError} if the version is empty
   */
  constructor(
    resources: ReadonlyMap<string, Resource>,
    options: ViewOptions = {},
  ) {
    if (options.version === "") {
      throw new TypeError(
        "the version is empty, by which clients say that they have none: leave it out to have it derived from the content",
      );
    }
    this.resources = resources;
    this.#given = options.version;
    this.#isPending = options.isPending;
  }

  /** The caller's version, or sixteen hexadecimal digits derived from the names and versions of all resources. */
  get version(): string {
    return this.#given ?? digitsOf(this.#hash);
  }

  /** True if the caller gave the version, so that it says nothing of the content. */
  get versionGiven(): boolean {
    return this.#given !== undefined;
  }

  /** The sum of the resources' fingerprints, in 64 bits. */
  get sum(): bigint {
    return bigintOf(this.#hash);
  }

  get #hash(): Hash {
    if (this.#sum === undefined) {
      const sum = new Sum();
      for (const resource of this.resources.values()) {
        sum.add(fingerprintOf(resource));
      }
      this.#sum = sum;
    }
    return this.#sum;
  }

  /** Those of its resources that have a TTL. */
  get expiring(): readonly Resource[] {
    return this.#allExpiring ??= [...this.#expiringByName.values()];
  }

  /** The shortest TTL of any of its resources, in milliseconds; Infinity if none has one. */
  get shortestTtl(): number {
    return this.#shortestTtl ??= shortestTtl(this.expiring);
  }

  get #expiringByName(): ReadonlyMap<string, Resource> {
    return this.#expiring ??= new Map(
      [...this.resources].filter(([, resource]) => expires(resource)),
    );
  }

  /**
   * Those of its resources that break a rule of Envoy's protos. Once they were asked for, a view that is made of this one
   * has only what differs to check.
   */
  get invalid(): readonly Resource[] {
    return this.#invalid ??= [...this.resources.values()].filter(isInvalid);
  }

  /** Whether it is not known yet if there is a resource of that name. */
  isPending(name: string): boolean {
    return this.#isPending?.(name) ?? false;
  }

  /** Names of the resources that belong to a glob collection, by its canonical name. */
  collection(glob: string): ReadonlySet<string> {
    if (!this.#collections) {
      const collections = new Map<string, Set<string>>();
      for (const name of this.resources.keys()) {
        const collection = collectionOf(name);
        if (collection === undefined) continue;
        const names = collections.get(collection);
        if (names) names.add(name);
        else collections.set(collection, new Set([name]));
      }
      this.#collections = collections;
    }
    return this.#collections.get(glob) ?? none;
  }

  /**
   * A view with some resources set and some removed, at a cost that is proportional to these, about; nor does it take a
   * search to tell the two apart.
   */
  with(
    set: Iterable<Resource>,
    remove: Iterable<string>,
    options: ViewOptions = {},
  ): View {
    const changes = new Map<string, Resource | undefined>();
    for (const said of remove) {
      const name = canonicalName(said);
      if (this.resources.has(name)) changes.set(name, undefined);
    }
    for (const resource of set) {
      const { name } = resource;
      if (sameContent(this.resources.get(name), resource)) changes.delete(name);
      else changes.set(name, resource);
    }
    const names = new Set(changes.keys());
    const view = new View(changed(this.resources, changes), {
      isPending: this.#isPending,
      ...options,
    });
    if (this.#sum !== undefined) view.#sum = this.#sumAfter(changes);
    view.#expiring = this.#expiringAfter(changes);
    view.#shortestTtl = this.#shortestTtlAfter(changes);
    view.#invalid = this.#invalid && invalidAfter(this.#invalid, changes);
    this.#history ??= new History(this);
    if (this.#history.newest === this) {
      view.#number = this.#history.add(view, names);
      view.#history = this.#history;
    }
    // A change of all is more than the history keeps.
    if (view.#step(this) === undefined) view.#note(this, names);
    return view;
  }

  /** This set and, beside it, resources of an older one that it does not have. */
  keeping(base: View, names: Iterable<string>): View {
    const kept = new Map<string, Resource>();
    for (const name of names) {
      const resource = base.resources.get(name);
      if (resource) kept.set(name, resource);
    }
    return this.replacing(kept);
  }

  /** This set with some resources in place of its own, or without them (undefined), for as long as a client needs that. */
  replacing(changes: ReadonlyMap<string, Resource | undefined>): View {
    const view = new View(changed(this.resources, changes), {
      // A caller's version stands for other content, so that it takes more to tell this one.
      version: this.#given && `${this.#given}+${versionOfChanges(changes)}`,
      isPending: this.#isPending,
    });
    if (this.#sum !== undefined) view.#sum = this.#sumAfter(changes);
    view.#keptOn = this;
    view.#note(this, new Set(changes.keys()));
    this.#variants = [...this.#variants, view].slice(-MOST_VARIANTS);
    return view;
  }

  /**
   * Sets that were made of this one by {@linkcode View.replacing} last: a client that reconnects in the middle of a change
   * says that it has the version of one of them.
   */
  get variants(): readonly View[] {
    return this.#variants;
  }

  /** Names of the resources that were set, changed or removed between an older view and this one. */
  since(base: View): ReadonlySet<string> {
    if (base === this) return none;
    let names = this.#step(base) ?? base.#step(this) ??
      this.#changes?.get(base) ?? base.#changes?.get(this);
    if (!names) {
      names = this.#differing(base);
      this.#note(base, names);
    }
    return names;
  }

  #sumAfter(changes: ReadonlyMap<string, Resource | undefined>): Hash {
    const sum = Sum.of(this.#sum!);
    for (const [name, after] of changes) {
      const before = this.resources.get(name);
      if (before) sum.subtract(fingerprintOf(before));
      if (after) sum.add(fingerprintOf(after));
    }
    return sum;
  }

  /** At a cost that is proportional to the changes, about, as all have a TTL in some caches. */
  #expiringAfter(
    changes: ReadonlyMap<string, Resource | undefined>,
  ): ReadonlyMap<string, Resource> {
    const before = this.#expiringByName;
    const own = new Map<string, Resource | undefined>();
    for (const [name, resource] of changes) {
      if (resource && expires(resource)) own.set(name, resource);
      else if (before.has(name)) own.set(name, undefined);
    }
    return own.size === 0 ? before : changed(before, own);
  }

  /** Undefined if that takes a search: one that had the shortest has it no longer. */
  #shortestTtlAfter(
    changes: ReadonlyMap<string, Resource | undefined>,
  ): number | undefined {
    const before = this.#shortestTtl;
    if (before === undefined) return undefined;
    let isLost = false;
    let shortest = Infinity;
    for (const [name, resource] of changes) {
      const ttl = this.resources.get(name)?.ttl;
      isLost ||= ttl !== undefined && ttl <= before;
      shortest = Math.min(shortest, resource?.ttl ?? Infinity);
    }
    if (shortest <= before) return shortest;
    return isLost ? undefined : before;
  }

  /** In what it differs from the view that it was made of. */
  #step(base: View): ReadonlySet<string> | undefined {
    return this.#history && this.#history === base.#history &&
        this.#number === base.#number + 1
      ? this.#history.step(this.#number)
      : undefined;
  }

  #note(base: View, names: ReadonlySet<string>) {
    this.#changes ??= new WeakMap();
    this.#changes.set(base, names);
  }

  #differing(base: View): Set<string> {
    const candidates = this.#candidates(base);
    const names = new Set<string>();
    for (const name of candidates ?? this.resources.keys()) {
      const resource = this.resources.get(name);
      const before = base.resources.get(name);
      const same = resource ? sameContent(before, resource) : !before;
      if (!same) names.add(name);
    }
    if (candidates) return names;
    for (const name of base.resources.keys()) {
      if (!this.resources.has(name)) names.add(name);
    }
    return names;
  }

  /** Names outside which the views do not differ; undefined if that takes a search. */
  #candidates(base: View): Iterable<string> | undefined {
    if (base.#keptOn) {
      const kept = base.#changes!.get(base.#keptOn)!;
      if (base.#keptOn === this) return kept;
      const names = this.#candidates(base.#keptOn);
      return names && new Set([...names, ...kept]);
    }
    if (this.#keptOn) {
      const names = this.#keptOn === base ? [] : this.#keptOn.#candidates(base);
      return names && new Set([...names, ...this.#changes!.get(this.#keptOn)!]);
    }
    if (!this.#history || this.#history !== base.#history) return undefined;
    return this.#history.between(base.#number, this.#number);
  }
}

/** What a line of views, each made of the one before, differs in; as far back as costs no more than the views. */
class History {
  newest: View;
  /** The names in which each view differs from the one before; the first belongs to the view after `#first`. */
  #log: ReadonlySet<string>[] = [];
  #first = 0;
  /** How many of the log's first are forgotten. */
  #forgotten = 0;
  #size = 0;

  constructor(view: View) {
    this.newest = view;
  }

  /** Takes the next view. Returns its number. */
  add(view: View, names: ReadonlySet<string>): number {
    this.#log.push(names);
    this.#size += names.size + 1;
    while (this.#size > Math.max(1_024, view.resources.size)) {
      this.#size -= this.#log[this.#forgotten].size + 1;
      this.#log[this.#forgotten++] = none;
    }
    if (this.#forgotten > this.#log.length / 2) {
      this.#log = this.#log.slice(this.#forgotten);
      this.#first += this.#forgotten;
      this.#forgotten = 0;
    }
    this.newest = view;
    return this.#first + this.#log.length;
  }

  /** In what the view of a number differs from the one before; undefined if that is forgotten. */
  step(number: number): ReadonlySet<string> | undefined {
    const at = number - 1 - this.#first;
    return at < this.#forgotten ? undefined : this.#log[at];
  }

  between(older: number, newer: number): Set<string> | undefined {
    const from = older - this.#first;
    const to = newer - this.#first;
    if (from < this.#forgotten || to < from) return undefined;
    const names = new Set<string>();
    for (const logged of this.#log.slice(from, to)) {
      for (const name of logged) names.add(name);
    }
    return names;
  }
}

/** Those that are invalid, after changes. */
function invalidAfter(
  resources: readonly Resource[],
  changes: ReadonlyMap<string, Resource | undefined>,
): readonly Resource[] {
  const added: Resource[] = [];
  for (const resource of changes.values()) {
    if (resource && isInvalid(resource)) added.push(resource);
  }
  if (resources.length === 0) return added.length > 0 ? added : nothing;
  return [...resources.filter(({ name }) => !changes.has(name)), ...added];
}

/** True if a client that holds the first needs not be sent the second. */
export function sameContent(
  held: Resource | undefined,
  resource: Resource,
): boolean {
  return held === resource ||
    (held !== undefined && held.ttl === resource.ttl &&
      haveSameVersion(held, resource));
}

/** The shortest TTL of some resources; Infinity if none has one. */
export function shortestTtl(resources: Iterable<Resource>): number {
  let shortest = Infinity;
  for (const { ttl = Infinity } of resources) {
    shortest = Math.min(shortest, ttl);
  }
  return shortest;
}

function expires({ ttl }: Resource): boolean {
  return ttl !== undefined;
}

function isInvalid({ violations }: Resource): boolean {
  return violations.length > 0;
}

/** How many variants of a set are remembered. */
const MOST_VARIANTS = 8;

/** Distinguishes sets that a caller's version does not, since they differ from the caller's in these. */
function versionOfChanges(
  changes: ReadonlyMap<string, Resource | undefined>,
): string {
  const sum = new Sum();
  for (const [name, resource] of changes) {
    sum.add(resource ? fingerprintOf(resource) : textHash(name));
  }
  return digitsOf(sum);
}

const none: ReadonlySet<string> = new Set();
const nothing: readonly Resource[] = [];
const noViews: readonly View[] = [];
