import type { Rollback } from "./status.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Countable } from "./stats.ts";
import type { Quarantined } from "./validation.ts";

/** What becomes of a change in a cache. `key` is the group's in a `SnapshotCache`, and undefined in a `LinearCache`. */
export type CacheEvent<K = unknown> =
  & {
    /** The cache. */
    readonly cache: Countable;
    /** The group. */
    readonly key: K;
  }
  & ChangeEvent;

/** What becomes of a change, wherever that is. */
export type ChangeEvent =
  /**
   * So many of the clients that a change concerned have answered it, in all its steps: told at a half of them, at 99 of a
   * hundred, and when the last one has. Clients that have gone are not counted, nor those that came later.
   */
  | {
    kind: "spread";
    /** 0.5, 0.99 or 1. */
    share: number;
    /** How many clients the change concerns. */
    clients: number;
    /** How many of those that have answered refused something, or are not sent what depends on what they refused. */
    refused: number;
    /** Milliseconds since the change was made. */
    duration: number;
  }
  /** A newer change overtook one before all clients had answered it. */
  | {
    kind: "overtake";
    /** How many clients the older change concerned. */
    clients: number;
    /** How many of them had answered it. */
    answered: number;
    /** Milliseconds since the older change was made. */
    duration: number;
  }
  /** A snapshot goes to some nodes first (`rollout`); told again when those have left and others try it. */
  | {
    kind: "rollout";
    /** What these nodes are sent. */
    snapshot: Snapshot;
    /** What the others have. */
    before: Snapshot;
    /** Ids of the nodes that try it. */
    nodes: readonly string[];
  }
  /** The nodes that tried a snapshot have acknowledged it, and it goes to all. */
  | {
    kind: "promote";
    /** What everybody is sent now. */
    snapshot: Snapshot;
    /** Ids of the nodes that tried it. */
    nodes: readonly string[];
    /** Milliseconds since it was set. */
    duration: number;
  }
  /** A client refused a snapshot, and its group goes back to the one before: the end of a rollout, or `onRefused: "rollback"`. */
  | {
    kind: "rollback";
    /** What, for what and to what. */
    rollback: Rollback;
  }
  /** Resources were put into quarantine that were not in it already. */
  | {
    kind: "quarantine";
    /** The resources, and what is wrong with them. */
    quarantined: readonly Quarantined[];
  };

/**
 * Told of what becomes of changes. It is called synchronously and should not take long. It may change the cache; what it
 * throws, or rejects with, is printed and breaks nothing.
 */
export type CacheObserver<K = unknown> = (event: CacheEvent<K>) => void;
