import { hex64 } from "../resource/_hash.ts";
import type { Resource } from "../resource/mod.ts";

/**
 * All resources of one type as they stood at one moment. Immutable, so that what a client holds can be kept as a view,
 * and what it lacks found by comparing two of them; the comparison is made once however many clients need it.
 */
export class View {
  /** By name. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly #given: string | undefined;
  #sum: bigint | undefined;
  readonly #changes = new WeakMap<View, ReadonlySet<string>>();

  /**
   * Makes a view.
   *
   * @param resources by name; not to be written to afterwards
   * @param version the caller's version; default: derived from the content
   */
  constructor(resources: ReadonlyMap<string, Resource>, version?: string) {
    this.resources = resources;
    this.#given = version;
  }

  /** The caller's version, or sixteen hexadecimal digits derived from the names and versions of all resources. */
  get version(): string {
    return this.#given ?? hex64(this.sum);
  }

  /** True if the caller gave the version, so that it says nothing of the content. */
  get versionGiven(): boolean {
    return this.#given !== undefined;
  }

  /** The sum of the resources' fingerprints, in 64 bits. */
  get sum(): bigint {
    if (this.#sum === undefined) {
      let sum = 0n;
      for (const resource of this.resources.values()) {
        sum += resource.fingerprint;
      }
      this.#sum = BigInt.asUintN(64, sum);
    }
    return this.#sum;
  }

  /** A view with some resources set and some removed, whose difference from this one needs no search. */
  with(
    set: Iterable<Resource>,
    remove: Iterable<string>,
    version?: string,
  ): View {
    const resources = new Map(this.resources);
    const names = new Set<string>();
    let sum = this.#sum;
    const count = (name: string, after: Resource | undefined) => {
      const before = resources.get(name);
      if (sum === undefined) return before;
      sum = BigInt.asUintN(
        64,
        sum - (before?.fingerprint ?? 0n) + (after?.fingerprint ?? 0n),
      );
      return before;
    };
    for (const name of remove) {
      if (count(name, undefined) && resources.delete(name)) names.add(name);
    }
    for (const resource of set) {
      const before = count(resource.name, resource);
      resources.set(resource.name, resource);
      if (!sameContent(before, resource)) names.add(resource.name);
    }
    const view = new View(resources, version);
    view.#sum = sum;
    view.#changes.set(this, names);
    return view;
  }

  /** Names of the resources that were set, changed or removed between an older view and this one. */
  since(base: View): ReadonlySet<string> {
    if (base === this) return none;
    let names = this.#changes.get(base);
    if (!names) {
      this.#changes.set(
        base,
        names = differing(base.resources, this.resources),
      );
    }
    return names;
  }
}

/** True if a client that holds the first needs not be sent the second. */
export function sameContent(
  held: Resource | undefined,
  resource: Resource,
): boolean {
  return held === resource ||
    (held !== undefined && held.version === resource.version &&
      held.ttl === resource.ttl);
}

const none: ReadonlySet<string> = new Set();

function differing(
  before: ReadonlyMap<string, Resource>,
  after: ReadonlyMap<string, Resource>,
): Set<string> {
  const names = new Set<string>();
  for (const resource of after.values()) {
    if (!sameContent(before.get(resource.name), resource)) {
      names.add(resource.name);
    }
  }
  for (const name of before.keys()) {
    if (!after.has(name)) names.add(name);
  }
  return names;
}
