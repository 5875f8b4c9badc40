import type { Subscription } from "../cache/mod.ts";
import { canonicalName, collectionOf, isCollection } from "../resource/mod.ts";
import type { NameChanges, WantedNames } from "./request.ts";

/** What a request changed of a subscription. */
export interface WantedChange {
  readonly before: { readonly wildcard: boolean; readonly names: Names };
  /** Names that were not asked for before. */
  readonly added: readonly string[];
  /** Names that are no longer asked for. */
  readonly dropped: readonly string[];
  /** Delta: names that were asked for once more, `"*"` among them. */
  readonly repeated: readonly string[];
}

type Names = ReadonlySet<string>;
const none: Names = new Set();
const nothing: readonly string[] = [];

/**
 * What a client wants of one type on one stream, in either protocol.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
 */
export class Wanted implements Subscription {
  wildcard = false;
  names: Names = none;
  /** Those of the names that are glob collections. */
  collections: Names = none;
  /** Whether a request was taken already. */
  opened = false;
  /** Whether the client has ever named anything; an empty list is a wildcard only until then. */
  #hasNamed: boolean;
  /** The names of the last state-of-the-world request, as they were said. */
  #said: readonly string[] = nothing;

  /** @param legacyWildcard whether a first request that names nothing asks for all */
  constructor(legacyWildcard: boolean) {
    this.#hasNamed = !legacyWildcard;
  }

  /** True if anything is asked for. */
  get asks(): boolean {
    return this.wildcard || this.names.size > 0;
  }

  /** True if a resource of that name is asked for. */
  covers(name: string): boolean {
    return this.wildcard || this.names.has(name) ||
      (this.collections.size > 0 &&
        this.collections.has(collectionOf(name) ?? ""));
  }

  /** How many names the client would ask for after a request; where that is at most `enough`, it may be fewer. */
  sizeAfter(wanted: WantedNames | NameChanges, enough: number): number {
    if (wanted.kind === "all") return wanted.names.length;
    const most = this.names.size + wanted.subscribe.length;
    if (most <= enough) return most;
    const { names } = this.#changedBy(wanted);
    return names.size;
  }

  /** Takes what a request says; undefined if it changes nothing, as when it is but an answer. */
  take(wanted: WantedNames | NameChanges): WantedChange | undefined {
    if (wanted.kind === "all") {
      // The same list is the same object.
      if (wanted.names.length > 0 && wanted.names === this.#said) {
        return undefined;
      }
      this.#said = wanted.names;
    }
    const changed = wanted.kind === "all"
      ? this.#all(wanted.names)
      : this.#changedBy(wanted);
    const before = { wildcard: this.wildcard, names: this.names };
    const { wildcard, names, repeated } = changed;
    const opened = this.opened;
    this.opened = true;
    const added = names === before.names
      ? nothing
      : [...names].filter((name) => !before.names.has(name));
    const dropped = names === before.names
      ? nothing
      : [...before.names].filter((name) => !names.has(name));
    if (
      opened && wildcard === before.wildcard && repeated.length === 0 &&
      added.length === 0 && dropped.length === 0
    ) return undefined;
    this.wildcard = wildcard;
    if (added.length > 0 || dropped.length > 0) {
      this.names = names;
      const collections = [...names].filter(isCollection);
      this.collections = collections.length > 0 ? new Set(collections) : none;
    }
    return { before, added, dropped, repeated };
  }

  #all(said: readonly string[]) {
    const repeated = nothing;
    if (said.length === 0) {
      return { wildcard: !this.#hasNamed, names: none, repeated };
    }
    this.#hasNamed = true;
    const names = new Set(said.map(canonicalName));
    const wildcard = names.delete("*");
    return { wildcard, names: names as Names, repeated };
  }

  #changedBy({ subscribe, unsubscribe }: NameChanges) {
    let wildcard = this.wildcard;
    if (!this.opened && subscribe.length === 0) wildcard = !this.#hasNamed;
    if (subscribe.length + unsubscribe.length === 0) {
      return { wildcard, names: this.names, repeated: nothing };
    }
    const names = new Set(this.names);
    const repeated: string[] = [];
    for (const said of subscribe) {
      const name = canonicalName(said);
      if (name === "*") {
        if (this.wildcard) repeated.push(name);
        wildcard = true;
      } else if (this.names.has(name)) repeated.push(name);
      else names.add(name);
    }
    for (const said of unsubscribe) {
      if (said === "*") wildcard = false;
      else names.delete(canonicalName(said));
    }
    return { wildcard, names: names as Names, repeated };
  }
}
