/** How many ticks of a timer a period has: what is kept for it may be kept for one tick longer. */
const TICKS = 8;

/** Names of some types, each kept for a period; with one timer for all of them. */
export class Aging {
  /** By type, names and the tick after which they are dropped. */
  readonly #names = new Map<string, Map<string, number>>();
  #tick = 0;
  #isTicking = false;
  /** Whether the timer was started in the same step. */
  #isFresh = false;

  /** Milliseconds between ticks, of a period in milliseconds. */
  static interval(period: number): number {
    return period / TICKS;
  }

  /** Keeps a name from now on. True if the timer is to be started. */
  add(typeUrl: string, name: string): boolean {
    const starts = !this.#isTicking;
    this.#isTicking = true;
    const names = this.#names.get(typeUrl) ?? new Map<string, number>();
    this.#names.set(typeUrl, names);
    // Between two ticks, the first one to come is no whole one.
    names.set(name, this.#tick + TICKS + (starts || this.#isFresh ? 0 : 1));
    if (starts) this.#isFresh = true;
    return starts;
  }

  /** The step that may have started the timer is over. */
  settle() {
    this.#isFresh = false;
  }

  has(typeUrl: string, name: string): boolean {
    return this.#names.get(typeUrl)?.has(name) ?? false;
  }

  /** Whether there is a name of a type. */
  hasType(typeUrl: string): boolean {
    return this.#names.has(typeUrl);
  }

  delete(typeUrl: string, name: string) {
    const names = this.#names.get(typeUrl);
    if (!names?.delete(name)) return;
    if (names.size === 0) this.#names.delete(typeUrl);
  }

  /** The timer went off: drops names that were kept long enough. True if it is to be started again. */
  tick(): boolean {
    this.#tick++;
    for (const [typeUrl, names] of this.#names) {
      for (const [name, until] of names) {
        if (until <= this.#tick) names.delete(name);
      }
      if (names.size === 0) this.#names.delete(typeUrl);
    }
    this.#isTicking = this.#names.size > 0;
    return this.#isTicking;
  }
}
