import type { Refusal, View } from "../cache/mod.ts";
import { Resource } from "../resource/mod.ts";
import { type Held, type Holdings, isHeld } from "./_holdings.ts";

/** What a client had of a name before a response. */
export type Before = (name: string) => Held | undefined;

interface Entry {
  readonly refusal: Refusal;
  /** What the client has in place of what it refused. */
  readonly standing: Held | undefined;
}

/**
 * What a client refused of a type, by name, until something else is said of the name. A response that had nothing in it
 * was refused under the empty name.
 */
export class Refusals {
  readonly #entries = new Map<string, Entry>();

  /** How many names it is that something was refused of. */
  get size(): number {
    return this.#entries.size;
  }

  /** The one that was refused first; undefined if there is none. */
  get first(): Refusal | undefined {
    const [entry] = this.#entries.values();
    return entry?.refusal;
  }

  /** Why what was sent of a name was refused; undefined if it was not. */
  of(name: string): Refusal | undefined {
    return this.#entries.get(name)?.refusal;
  }

  /** Whether the client refused what was sent of a name, and has no older version. */
  isWithout(name: string): boolean {
    const entry = this.#entries.get(name);
    return entry !== undefined && name !== "" && !entry.standing;
  }

  /** The names. */
  names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Notes a refusal of some names, or of a response that had none. */
  add(refusal: Refusal, names: readonly string[], before: Before) {
    for (const name of names.length > 0 ? names : [""]) {
      this.#entries.set(name, { refusal, standing: before(name) });
    }
  }

  /** Forgets what was refused of a name; true if there was something. */
  delete(name: string): boolean {
    return this.#entries.delete(name);
  }

  /** What the client has of a name as of now, given what it would have if it had refused nothing. */
  before(before: Before): Before {
    const entries = new Map(this.#entries);
    return (name) => {
      const entry = entries.get(name);
      return entry ? entry.standing : before(name);
    };
  }

  /**
   * Names that were refused together with one that a view has something else of. Which of them was at fault is a guess,
   * since a refusal may quote what was sent, other names and all.
   */
  replacedIn(view: View, holdings: Holdings): readonly string[] {
    const replaced = new Set<Refusal>();
    for (const [name, { refusal }] of this.#entries) {
      const resource = view.resources.get(name);
      const held = holdings.of(name);
      const isSame = resource ? isHeld(held, resource) : !held;
      if (!isSame) replaced.add(refusal);
    }
    return [...this.#entries]
      .filter(([name, { refusal }]) => name !== "" && replaced.has(refusal))
      .map(([name]) => name);
  }

  /** Whether something was refused beside these. */
  hasMoreThan(resources: readonly Resource[]): boolean {
    const names = new Set(resources.map(({ name }) => name));
    for (const name of this.#entries.keys()) {
      if (name !== "" && !names.has(name)) return true;
    }
    return false;
  }

  /** What a client has of resources that it was sent: of those that it refused an older version, or nothing. */
  standingOf(resources: readonly Resource[]): readonly Resource[] {
    return resources.flatMap((resource) => {
      const entry = this.#entries.get(resource.name);
      if (!entry) return [resource];
      return entry.standing instanceof Resource ? [entry.standing] : [];
    });
  }
}
