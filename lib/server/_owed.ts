import type { Cache } from "../cache/mod.ts";

type Names = ReadonlyMap<string, ReadonlySet<string>>;

/** How many nodes are remembered at most; those that were added first are forgotten first. */
const MOST_NODES = 10_000;

/**
 * What nodes whose stream has ended need again, by type: an Envoy whose listener warms when it loses its stream says that it
 * has the listener's secrets, and waits for them.
 */
export class Owed {
  readonly #nodes = new Map<string, Names>();

  /** Those of a cache: whichever server serves it next, the nodes are the same. */
  static of(cache: Cache): Owed {
    let owed = byCache.get(cache);
    if (!owed) byCache.set(cache, owed = new Owed());
    return owed;
  }

  /** Remembers names that a node needs again. */
  add(node: string, names: Names) {
    if (names.size === 0) return;
    this.#nodes.delete(node);
    this.#nodes.set(node, names);
    if (this.#nodes.size <= MOST_NODES) return;
    const [oldest] = this.#nodes.keys();
    this.#nodes.delete(oldest);
  }

  /** Takes the names that a node needs again. */
  take(node: string): Names | undefined {
    const names = this.#nodes.get(node);
    if (names) this.#nodes.delete(node);
    return names;
  }
}

const byCache = new WeakMap<Cache, Owed>();
