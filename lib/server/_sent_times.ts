/** When a response was sent, and what was in it. */
interface Sending {
  names: readonly string[];
  readonly at: number;
}

/** How many names are kept beyond twice those that differ, before what is superseded is looked for. */
const SPARE = 256;

/**
 * When each resource was sent last on a stream. The lists of names are those of responses, which streams share, so that
 * one keeps hardly anything of its own.
 */
export class SentTimes {
  readonly #types = new Map<string, TypeTimes>();
  readonly #now: () => number;

  /** @param now the time, in milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes that resources were sent. */
  add(typeUrl: string, names: readonly string[]) {
    if (names.length === 0) return;
    let type = this.#types.get(typeUrl);
    if (!type) this.#types.set(typeUrl, type = new TypeTimes());
    type.add(names, this.#now());
  }

  /** When the resources of a type were sent last, in milliseconds since 1970. */
  of(typeUrl: string): ReadonlyMap<string, number> {
    return this.#types.get(typeUrl)?.times ?? new Map();
  }
}

class TypeTimes {
  #log: Sending[] = [];
  #size = 0;
  /** The size beyond which the log is gone through. */
  #most = SPARE;

  add(names: readonly string[], at: number) {
    this.#log.push({ names, at });
    this.#size += names.length;
    if (this.#size > this.#most) this.#compact();
  }

  get times(): ReadonlyMap<string, number> {
    const times = new Map<string, number>();
    for (const { names, at } of this.#log) {
      for (const name of names) times.set(name, at);
    }
    return times;
  }

  /** Drops what later responses had, too. */
  #compact() {
    const seen = new Set<string>();
    const kept: Sending[] = [];
    for (const sending of this.#log.toReversed()) {
      const names = sending.names.filter((name) => !seen.has(name));
      if (names.length === 0) continue;
      if (names.length < sending.names.length) sending.names = names;
      names.forEach((name) => seen.add(name));
      kept.push(sending);
    }
    this.#log = kept.reverse();
    this.#size = seen.size;
    this.#most = 2 * seen.size + SPARE;
  }
}
