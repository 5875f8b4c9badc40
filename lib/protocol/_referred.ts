/** How many sets of names are kept of a type; they are shared with other streams. */
const MANY = 8;

/** Names, as far as it can be asked whether one is among them. */
export type Names = Pick<ReadonlySet<string>, "has">;

const any: Names = { has: () => true };

/** By type, names that a client needs for what it was sent, of types that it has not asked for yet. */
export class Referred {
  readonly #names = new Map<string, readonly Names[]>();

  /** Notes names of a type. */
  add(typeUrl: string, names: Names) {
    const known = this.#names.get(typeUrl) ?? [];
    if (known.includes(any)) return;
    // To be sent again what it has is better for a client than to cost more the longer it does not ask.
    const isMany = known.length >= MANY;
    this.#names.set(typeUrl, isMany ? [any] : [...known, names]);
  }

  /** Takes the names of a type, now that it is asked for. */
  take(typeUrl: string): Names {
    const known = this.#names.get(typeUrl) ?? [];
    this.#names.delete(typeUrl);
    return { has: (name) => known.some((names) => names.has(name)) };
  }
}
