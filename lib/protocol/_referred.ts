/** How many sets of names are kept apart; as long as there are no more, they are shared with other streams. */
const MANY = 8;

/** By type, names that a client needs for what it was sent, of types that it has not asked for yet. */
export class Referred {
  readonly #names = new Map<string, readonly ReadonlySet<string>[]>();

  /** Notes names of a type. */
  add(typeUrl: string, names: ReadonlySet<string>) {
    const known = this.#names.get(typeUrl) ?? [];
    const all = [...known, names];
    this.#names.set(
      typeUrl,
      known.length < MANY ? all : [new Set(all.flatMap((names) => [...names]))],
    );
  }

  /** The names of a type. */
  of(typeUrl: string): readonly ReadonlySet<string>[] {
    return this.#names.get(typeUrl) ?? [];
  }

  /** Forgets the names of a type. */
  delete(typeUrl: string) {
    this.#names.delete(typeUrl);
  }
}
