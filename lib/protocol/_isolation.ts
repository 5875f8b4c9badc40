/** How many NACKs may be spent on finding culprits, before all that remain are taken for culprits. */
const MOST_NACKS = 64;

/**
 * Finds which of the names in a response that was NACKed as a whole are at fault: halves are sent by themselves, and the
 * halves of those that are NACKed again.
 */
export class Isolation {
  /** Names that are sent together, the next ones first. */
  #groups: string[][];
  #head: ReadonlySet<string>;
  #nacks = 0;

  constructor(names: readonly string[]) {
    this.#groups = halves(names);
    this.#head = new Set(this.#groups[0]);
  }

  /** Whether nothing is left to be found. */
  get isOver(): boolean {
    return this.#groups.length === 0;
  }

  /** Whether a name may be sent now. */
  admits(name: string): boolean {
    return this.#head.has(name);
  }

  /** Goes on to the next names: those that were sent are not at fault, or need not be sent any longer. */
  next() {
    this.#groups.shift();
    this.#head = new Set(this.#groups[0]);
  }

  /** The names that were sent were NACKed as a whole. Returns those that are at fault. */
  split(): readonly string[] {
    const names = this.#groups.shift() ?? [];
    if (++this.#nacks > MOST_NACKS) {
      const rest = [...names, ...this.#groups.flat()];
      this.#groups = [];
      this.#head = new Set();
      return rest;
    }
    const isFound = names.length < 2;
    if (!isFound) this.#groups.unshift(...halves(names));
    this.#head = new Set(this.#groups[0]);
    return isFound ? names : [];
  }

  /** Takes names out that are known to be at fault. */
  remove(names: readonly string[]) {
    if (names.length === 0) return;
    const found = new Set(names);
    this.#groups = this.#groups
      .map((group) => group.filter((name) => !found.has(name)))
      .filter((group) => group.length > 0);
    this.#head = new Set(this.#groups[0]);
  }
}

function halves(names: readonly string[]): string[][] {
  const middle = Math.ceil(names.length / 2);
  return [names.slice(0, middle), names.slice(middle)]
    .filter((half) => half.length > 0);
}
