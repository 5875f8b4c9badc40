import type { Blocked, Client, Refusal } from "./cache.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Subscription } from "./subscription.ts";

/** A snapshot that was taken back. */
export interface Rollback {
  /** What was refused. */
  readonly from: Snapshot;
  /** What the group has instead. */
  readonly to: Snapshot;
  /** Who refused it. */
  readonly client: Client;
  /** The type of what was refused. */
  readonly typeUrl: string;
  /** What was refused, and why. */
  readonly refusal: Refusal;
}

/** Where a client stands with one type. */
export interface TypeStatus {
  /** The type. */
  readonly typeUrl: string;
  /** What the client asked for. */
  readonly subscription: Subscription;
  /**
   * - `"absent"`: no snapshot is set for the client's key
   * - `"pending"`: about to be sent, as soon as the client has answered or read what came before
   * - `"sent"`: sent and not yet answered
   * - `"blocked"`: not sent, or not to the end, for what `blocked` says
   * - `"accepted"`: the client has all that the snapshot has for it; removals may still wait, as `blocked` says
   * - `"refused"`: the client refused it, for what `refusal` says; nothing is sent until the snapshot changes
   */
  readonly state:
    | "absent"
    | "pending"
    | "sent"
    | "blocked"
    | "accepted"
    | "refused";
  /** The type's version in the snapshot; undefined if there is none. */
  readonly version: string | undefined;
  /** The client's NACK, when `"refused"`. */
  readonly refusal: Refusal | undefined;
  /** What waits, and for what; undefined if nothing does. */
  readonly blocked: Blocked | undefined;
}

/** Where a connected client stands. */
export interface ClientStatus {
  /** The client. */
  readonly client: Client;
  /** Each type that it asked for, in the order in which it did. */
  readonly types: readonly TypeStatus[];
}

/** What came of a snapshot. */
export interface Settlement {
  /** True if no client refused anything. */
  readonly accepted: boolean;
  /** If the snapshot was taken back: why. The clients then stand where they do with the one before. */
  readonly rollback: Rollback | undefined;
  /** The clients that were connected, each type of theirs `"accepted"`, `"refused"` or `"blocked"` (or `"absent"`, without a snapshot). */
  readonly clients: readonly ClientStatus[];
}
