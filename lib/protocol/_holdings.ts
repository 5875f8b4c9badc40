import { sameContent, type View } from "../cache/mod.ts";
import { digitsOf, Sum, textHash } from "../resource/_hash.ts";
import { Resource } from "../resource/mod.ts";
import { fingerprintOf } from "../resource/resource.ts";

/** What a client was last sent of a name: a resource, the version it said it has, or null for "there is none". */
export type Held = Resource | string | null;

/** What a client has of a type: what it was sent, and what it says that it had before. */
export class Holdings {
  /** What a wildcard's client was sent: all of this view. */
  base: View | undefined;
  /** The version that the client accepted last. */
  accepted = "";
  #named = new Map<string, Held>();
  /** The sum of the fingerprints of all that is held by name: the version of what a client wants by names. */
  readonly #sum: Sum | undefined;

  /** @param sums whether the version of what is held by name will be asked for */
  constructor(sums: boolean) {
    this.#sum = sums ? new Sum() : undefined;
  }

  /** What the client was sent by name, and, under a wildcard, what it has beside `base`. */
  get named(): ReadonlyMap<string, Held> {
    return this.#named;
  }

  /** The version of what is held by name. */
  get version(): string {
    return digitsOf(this.#sum ?? new Sum());
  }

  /** What the client has of a name. */
  of(name: string): Held | undefined {
    return this.base?.resources.get(name) ?? this.#named.get(name);
  }

  /** Notes what the client has of a name by itself; undefined if nothing is known of that. */
  set(name: string, held: Held | undefined) {
    if (this.#sum) {
      add(this.#sum, name, held);
      take(this.#sum, name, this.#named.get(name));
    }
    if (held === undefined) this.#named.delete(name);
    else this.#named.set(name, held);
  }

  /** Notes that the client has all of a view, and nothing beside it but that. */
  replace(view: View, beside: Map<string, Held>) {
    this.base = view;
    this.#named = beside;
    if (!this.#sum) return;
    this.#sum.reset();
    for (const [name, held] of beside) add(this.#sum, name, held);
  }
}

/** Whether what a client has of a name is this. */
export function isHeld(held: Held | undefined, resource: Resource): boolean {
  if (held === undefined || held === null) return false;
  return typeof held === "string"
    ? held === resource.version
    : sameContent(held, resource);
}

/** The version of what there is by some names. */
export function versionOf(view: View, names: Iterable<string>): string {
  const sum = new Sum();
  for (const name of names) add(sum, name, view.resources.get(name) ?? null);
  return digitsOf(sum);
}

/** Adds what a name adds to the version of what a client asks for by names: that there is none is something to know, too. */
function add(sum: Sum, name: string, held: Held | undefined) {
  if (held instanceof Resource) sum.add(fingerprintOf(held));
  else if (held === null) sum.add(textHash(name));
}

function take(sum: Sum, name: string, held: Held | undefined) {
  if (held instanceof Resource) sum.subtract(fingerprintOf(held));
  else if (held === null) sum.subtract(textHash(name));
}
