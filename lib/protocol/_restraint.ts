import type { BlockedReason } from "../cache/mod.ts";
import type { Resource } from "../resource/mod.ts";

/**
 * Why a change is withheld from a client: a reason that clients and operators are told of, or one that concerns the type
 * alone: the client NACKed this content, the NACK of a response is being narrowed down to one resource, or the cache does
 * not know yet whether the name exists.
 */
export type Reason = BlockedReason | "nacked" | "isolating" | "undecided";

/** Which changes of a type must wait, and why; made anew for each response. */
export interface Restraint {
  /** Why no update may be sent; undefined if some may. */
  readonly allUpdates: Reason | undefined;
  /** Why no removal may be sent; undefined if some may. */
  readonly allRemovals: Reason | undefined;
  /** Why an update must wait; left out if all may be sent. */
  readonly update?: (resource: Resource) => Reason | undefined;
  /** Why a removal must wait; left out if all may be sent. */
  readonly removal?: (name: string) => Reason | undefined;
  /**
   * A resource that the client needs for what it was sent before, of a name that the newest set lacks; why that has to wait;
   * or undefined if the client does not need one.
   */
  readonly substitute?: (name: string) => Resource | Reason | undefined;
}

/** Everything may be sent. */
export const unrestrained: Restraint = {
  allUpdates: undefined,
  allRemovals: undefined,
};

/** Reasons that end without anybody's doing: the client answers or requests, or time passes. */
const passing: readonly Reason[] = [
  "names_not_requested",
  "dependency_unacked",
  "isolating",
  "undecided",
];

/** Whether what waits will be sent without a new resource set, and soon. */
export function isPassing(reason: Reason): boolean {
  return passing.includes(reason);
}

/** What a plan left out, and why. */
export class Withheld {
  readonly #updates = new Set<Reason>();
  readonly #removals = new Set<Reason>();

  /** Notes that updates are withheld. */
  update(reason: Reason) {
    this.#updates.add(reason);
  }

  /** Notes that removals are withheld. */
  removal(reason: Reason) {
    this.#removals.add(reason);
  }

  /** Reasons why updates are withheld. */
  get updates(): ReadonlySet<Reason> {
    return this.#updates;
  }

  /** Reasons why removals are withheld. */
  get removals(): ReadonlySet<Reason> {
    return this.#removals;
  }

  /** Whether something is withheld that will be sent without a new resource set. */
  get passes(): boolean {
    return [...this.#updates].some(isPassing);
  }

  /** Whether something else is withheld, or for other reasons. */
  differs(other: Withheld): boolean {
    return !sameItems(this.#updates, other.#updates) ||
      !sameItems(this.#removals, other.#removals);
  }

  /** Whether a removal waits for the client's answers. */
  get removalPasses(): boolean {
    return [...this.#removals].some(isPassing);
  }
}

function sameItems<T>(one: ReadonlySet<T>, other: ReadonlySet<T>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item));
}
