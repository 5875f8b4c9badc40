import type { Protocol } from "../../lib/protocol/mod.ts";
import { collectionOf, traitsOf } from "../../lib/resource/mod.ts";
import { type ContentKey, Told } from "./_told.ts";

/** What one client asks for of one type, as it means it. */
export class Wish {
  opened = false;
  hasNamed = false;
  wildcard = false;
  names: ReadonlySet<string> = new Set();
  told: Told;
  /** What was refused and was not accepted since: its content, or null if it was to be removed. */
  readonly refused = new Map<string, ContentKey | null>();
  /** Whether the response that it answered last had nothing in it, and was refused. */
  refusedNothing = false;
  /** Names of what it took, or lost, with a response that it refused in part, so that the version it says it has is not that of it. */
  readonly partial = new Set<string>();
  /** Names of which it did not have what it said, when it reconnected with a version: no server can know of them. */
  readonly unknown = new Set<string>();
  /** Names that were refused with one answer: all are sent again when one of them is replaced. */
  readonly together: ReadonlySet<string>[] = [];
  /** Whether a NACK named no culprit, so that it stands, though all parts were ACKed, until one is replaced. */
  isUnresolved = false;
  /** Names of which the client refused to hear that there is nothing. */
  readonly unheard = new Set<string>();

  constructor(readonly typeUrl: string, readonly protocol: Protocol) {
    this.told = this.newlyTold();
  }

  newlyTold(): Told {
    const { protocol, typeUrl } = this;
    const full = protocol === "sotw" &&
      traitsOf(typeUrl).composition === "full";
    return new Told(full);
  }

  /** Whether something that was refused stands. */
  get refuses(): boolean {
    return this.refusedNothing || this.isUnresolved ||
      this.refused.size + this.unheard.size > 0;
  }

  isNamed = (name: string): boolean =>
    this.names.has(name) || this.names.has(collectionOf(name) ?? "");
  isAsked = (name: string): boolean => this.wildcard || this.isNamed(name);
}
