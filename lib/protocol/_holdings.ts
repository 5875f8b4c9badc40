import { sameContent, type View } from "../cache/mod.ts";
import { hashText, hex64 } from "../resource/_hash.ts";
import { Resource } from "../resource/mod.ts";

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
  #sum = 0n;
  readonly #sums: boolean;

  /** @param sums whether the version of what is held by name will be asked for */
  constructor(sums: boolean) {
    this.#sums = sums;
  }

  /** What the client was sent by name, and, under a wildcard, what it has beside `base`. */
  get named(): ReadonlyMap<string, Held> {
    return this.#named;
  }

  /** The version of what is held by name. */
  get version(): string {
    return hex64(this.#sum);
  }

  /** What the client has of a name. */
  of(name: string): Held | undefined {
    return this.base?.resources.get(name) ?? this.#named.get(name);
  }

  /** Notes what the client has of a name by itself; undefined if nothing is known of that. */
  set(name: string, held: Held | undefined) {
    if (this.#sums) {
      this.#sum += fingerprintOf(name, held) -
        fingerprintOf(name, this.#named.get(name));
    }
    if (held === undefined) this.#named.delete(name);
    else this.#named.set(name, held);
  }

  /** Notes that the client has all of a view, and nothing beside it but that. */
  replace(view: View, beside: Map<string, Held>) {
    this.base = view;
    this.#named = beside;
    this.#sum = 0n;
    if (!this.#sums) return;
    for (const [name, held] of beside) this.#sum += fingerprintOf(name, held);
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
  let sum = 0n;
  for (const name of names) {
    sum += fingerprintOf(name, view.resources.get(name) ?? null);
  }
  return hex64(sum);
}

/** What a name adds to the version of what a client asks for by names: that there is none is something to know, too. */
function fingerprintOf(name: string, held: Held | undefined): bigint {
  if (held instanceof Resource) return held.fingerprint;
  return held === null ? hashText(name) : 0n;
}
