import { covers } from "../cache/mod.ts";
import type { Resource } from "../resource/mod.ts";
import type { TypeState } from "./type_state.ts";

/**
 * What a client is about to ask for of a type, since it was sent something that refers to it: the endpoints of a new
 * cluster. It cannot use that before it has asked and was answered, and it asks only once it has taken in what it was
 * sent, which may be after it has acknowledged it.
 */
export class Expected {
  readonly #of: TypeState;
  /** What refers to each name. */
  readonly #referrers = new Map<string, Resource>();

  constructor(of: TypeState) {
    this.#of = of;
  }

  /** Notes names that the client does not ask for yet, and which of the resources that it is sent refers to each. */
  add(unasked: ReadonlySet<string>, resources: readonly Resource[]) {
    const { typeUrl } = this.#of;
    for (const resource of resources) {
      for (const reference of resource.references.references) {
        if (reference.typeUrl !== typeUrl || reference.onDemand) continue;
        const { name } = reference;
        if (unasked.has(name)) this.#referrers.set(name, resource);
      }
    }
  }

  /** Names that there is something by and that the client has yet to ask for. */
  names(types: readonly TypeState[]): readonly string[] {
    const names: string[] = [];
    for (const [name, referrer] of this.#referrers) {
      if (covers(this.#of.subscription, name) || !stands(referrer, types)) {
        this.#referrers.delete(name);
      } else if (this.#of.inspect(name).newest !== undefined) names.push(name);
    }
    return names;
  }
}

/** Whether the client has a resource, or is about to, and is to keep it. */
function stands(
  { typeUrl, name, version }: Resource,
  types: readonly TypeState[],
): boolean {
  const known = types.find((type) => type.typeUrl === typeUrl)?.inspect(name);
  return known !== undefined && known.newest === version &&
    (known.state === "sent" || known.state === "accepted");
}
