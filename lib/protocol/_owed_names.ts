/** Names that a client needs again, by type, until it acknowledges a response that was sent since and has them. */
export class OwedNames {
  /** The nonce of the response that last had a name; undefined if it is yet to be sent. */
  readonly #types = new Map<string, Map<string, string | undefined>>();

  /** Notes that the client needs a name again. */
  add(typeUrl: string, name: string) {
    const names = this.#types.get(typeUrl) ?? new Map();
    this.#types.set(typeUrl, names.set(name, undefined));
  }

  /** A response was sent. */
  sent(typeUrl: string, nonce: string, names: Iterable<string>) {
    const owed = this.#types.get(typeUrl);
    if (!owed) return;
    for (const name of names) if (owed.has(name)) owed.set(name, nonce);
  }

  /** The client acknowledged a response. */
  acked(typeUrl: string, nonce: string) {
    const owed = this.#types.get(typeUrl);
    if (!owed) return;
    for (const [name, last] of owed) if (last === nonce) owed.delete(name);
    if (owed.size === 0) this.#types.delete(typeUrl);
  }

  /** The client requests some names no longer. */
  unsubscribed(typeUrl: string, names: Iterable<string>) {
    const owed = this.#types.get(typeUrl);
    if (!owed) return;
    for (const name of names) owed.delete(name);
    if (owed.size === 0) this.#types.delete(typeUrl);
  }

  /** All of them. */
  all(): ReadonlyMap<string, ReadonlySet<string>> {
    const all = new Map<string, ReadonlySet<string>>();
    for (const [typeUrl, names] of this.#types) {
      all.set(typeUrl, new Set(names.keys()));
    }
    return all;
  }
}
