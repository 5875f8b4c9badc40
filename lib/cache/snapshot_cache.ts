import type { Node } from "@xds/envoy/envoy/config/core/v3";
import { requireValid } from "../resource/mod.ts";
import type {
  Blocked,
  Cache,
  Client,
  Peer,
  Refusal,
  Watch,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
import { type Clock, systemClock } from "./clock.ts";
import {
  explainAbsence,
  explainQuarantine,
  type Explanation,
} from "./explain.ts";
import { Group, type GroupOptions } from "./_group.ts";
import { quarantine, type Unsound } from "./_quarantine.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Subscription } from "./subscription.ts";
import {
  describeQuarantine,
  news,
  type Quarantined,
  type Validation,
} from "./validation.ts";

/** Options of a {@linkcode SnapshotCache}. */
export interface SnapshotCacheOptions<K = string> {
  /**
   * Whether a type that is asked for by names waits until the client has asked for all names of it that the resources
   * it was given refer to, so that what belongs together arrives together. For clients that use ADS. Default: false.
   */
  ads?: boolean;
  /**
   * Whether a change goes to a client in steps, each of which waits until the client has acknowledged the one before:
   * what is new of clusters and endpoints, then listeners and routes, and last the removal of what nothing refers to any
   * longer. So no request is lost on the way. On aggregated streams only. Default: what `ads` is.
   */
  makeBeforeBreak?: boolean;
  /**
   * Which group a client belongs to. Default: its node's id.
   *
   * @param node what the client says of itself
   * @param peer the other end of its connection
   * @param identity who the server's `authenticate` found it to be
   */
  nodeKey?: (node: Node, peer: Peer | undefined, identity: unknown) => K;
  /**
   * How often resources that have a TTL are refreshed, in milliseconds, give or take a tenth. Default: a third of the
   * shortest TTL.
   */
  heartbeat?: number;
  /**
   * How long to wait, once a client has acknowledged what no longer refers to something, until that is removed, in
   * milliseconds: for requests that are under way. Default: 0.
   */
  drain?: number;
  /**
   * What a refusal does. `"keep"`: the client that refused is left with what it has, others go on. `"rollback"`: the
   * whole group goes back to the last snapshot that all its clients had accepted, if there is one. Default: `"keep"`.
   */
  onRefused?: "keep" | "rollback";
  /**
   * Sends a new snapshot to some of a group's nodes first: to this share of them, above 0 and at most 1, and to at least
   * one. The others get it once these have acknowledged it; a refusal takes it back from these, and the others never see
   * it. Default: everybody gets it at once.
   */
  rollout?: { readonly canary: number };
  /** What to do with resources that break a rule of Envoy's protos. Default: `"off"`. */
  validate?: Validation;
  /**
   * Told what a snapshot put into quarantine, where `validate` is `"quarantine"`, and was not in it already.
   * Default: it is printed.
   */
  onQuarantine?: (key: K, quarantined: readonly Quarantined[]) => void;
  /** Told when a group goes back to a snapshot it had before. */
  onRollback?: (key: K, rollback: Rollback) => void;
  /** What tells the time. Default: the system. */
  clock?: Clock;
}

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
   * - `"held"`: waits until the client has asked for the names in `waitingFor`
   * - `"pending"`: about to be sent, as soon as the client has answered or read what came before
   * - `"sent"`: sent and not yet answered
   * - `"blocked"`: not sent, or not to the end, since it depends on what the client refused of another type; `blocked`
   *   says what, and nothing is sent until that is replaced
   * - `"accepted"`: the client has all that the snapshot has for it
   * - `"refused"`: the client refused it, for what `refusal` says; nothing is sent until the snapshot changes
   */
  readonly state:
    | "absent"
    | "held"
    | "pending"
    | "sent"
    | "blocked"
    | "accepted"
    | "refused";
  /** The type's version in the snapshot; undefined if there is none. */
  readonly version: string | undefined;
  /** Names that are waited for when `"held"`, otherwise empty. */
  readonly waitingFor: ReadonlySet<string>;
  /** The client's NACK, when `"refused"`. */
  readonly refusal: Refusal | undefined;
  /** What it depends on, when `"blocked"`. */
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

/**
 * Serves each group of clients a {@linkcode Snapshot}, to be replaced as a whole.
 *
 * @example
 * ```ts
 * import { createSnapshot, SnapshotCache } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 *
 * const cache = new SnapshotCache({ ads: true, nodeKey: (node) => node.cluster });
 * cache.set("edge", createSnapshot({ resources: [create(ClusterSchema, { name: "users" })] }));
 * const { accepted } = await cache.settled("edge");
 * ```
 */
export class SnapshotCache<K = string> implements Cache {
  readonly #nodeKey: NonNullable<SnapshotCacheOptions<K>["nodeKey"]>;
  readonly #makeBeforeBreak: boolean;
  readonly #drain: number;
  readonly #clock: Clock;
  readonly #onRollback: SnapshotCacheOptions<K>["onRollback"];
  readonly #validate: Validation;
  readonly #onQuarantine: NonNullable<SnapshotCacheOptions<K>["onQuarantine"]>;
  /** By the snapshot that is served instead. */
  readonly #unsound = new WeakMap<Snapshot, Unsound>();
  readonly #groupOptions: GroupOptions;
  readonly #groups = new Map<K, Group>();

  /**
   * Makes an empty cache.
   *
   * @throws {RangeError} if `rollout.canary` is not above 0 and at most 1
   */
  constructor(options: SnapshotCacheOptions<K> = {}) {
    const { ads = false, heartbeat, clock = systemClock, rollout } = options;
    const canary = rollout?.canary;
    if (canary !== undefined && !(canary > 0 && canary <= 1)) {
      throw new RangeError(
        `rollout.canary is ${canary}: it must be above 0 and at most 1`,
      );
    }
    this.#nodeKey = options.nodeKey ?? ((node) => node.id as K);
    this.#makeBeforeBreak = options.makeBeforeBreak ?? ads;
    this.#drain = options.drain ?? 0;
    this.#clock = clock;
    this.#onRollback = options.onRollback;
    this.#validate = options.validate ?? "off";
    this.#onQuarantine = options.onQuarantine ?? printQuarantined;
    const rollsBack = options.onRefused === "rollback";
    this.#groupOptions = { ads, heartbeat, clock, rollsBack, canary };
  }

  /**
   * Sets the snapshot of a key. Clients of the key are sent what they lack of it; those that connect later, too.
   *
   * @throws {ValidationError} if a resource breaks a rule of Envoy's protos, where `validate` is `"error"`; nothing is
   * changed then
   */
  set(key: K, snapshot: Snapshot): void {
    if (this.#validate !== "quarantine") {
      if (this.#validate === "error") {
        requireValid(
          snapshot.typeUrls.flatMap((typeUrl) =>
            snapshot.view(typeUrl).invalid
          ),
        );
      }
      this.#group(key).set(snapshot);
      return;
    }
    const before = this.quarantined(key);
    const sound = quarantine(snapshot, this.#groups.get(key)?.snapshot);
    const { quarantined } = sound;
    if (quarantined.length > 0) {
      this.#unsound.set(sound.snapshot, { given: snapshot, quarantined });
    }
    this.#group(key).set(sound.snapshot);
    const told = news(before, quarantined);
    if (told.length > 0) this.#onQuarantine(key, told);
  }

  /** The snapshot of a key, as it was set, what is in quarantine included. */
  get(key: K): Snapshot | undefined {
    const snapshot = this.#groups.get(key)?.snapshot;
    return snapshot && (this.#unsound.get(snapshot)?.given ?? snapshot);
  }

  /** What is left out of a key's snapshot, since it breaks a rule of Envoy's protos; where `validate` is `"quarantine"`. */
  quarantined(key: K): readonly Quarantined[] {
    const snapshot = this.#groups.get(key)?.snapshot;
    return snapshot && this.#unsound.get(snapshot)?.quarantined || [];
  }

  /**
   * Forgets the snapshot of a key. Clients of the key keep what they have, and are sent nothing until another one is
   * set. True if there was one.
   */
  delete(key: K): boolean {
    const group = this.#groups.get(key);
    if (!group?.snapshot) return false;
    group.set(undefined);
    this.#forgetIfUnused(key, group);
    return true;
  }

  /** The keys that have a snapshot. */
  *keys(): IterableIterator<K> {
    for (const [key, group] of this.#groups) {
      if (group.snapshot) yield key;
    }
  }

  /** Where each connected client of a key stands. */
  status(key: K): ClientStatus[] {
    return this.#groups.get(key)?.status() ?? [];
  }

  /**
   * Resolves once every connected client of a key has answered each of its types with the newest version; at once if
   * there is none. A client that leaves is no longer waited for, and one that comes is.
   *
   * @param options.signal ends the wait: the promise rejects with its reason
   */
  settled(key: K, options: { signal?: AbortSignal } = {}): Promise<Settlement> {
    return this.#groups.get(key)?.settled(options.signal) ??
      Promise.resolve({ accepted: true, clients: [], rollback: undefined });
  }

  /**
   * Why each connected client of a key has a resource, or has it not.
   *
   * @example
   * ```ts
   * import { createSnapshot, SnapshotCache, TypeUrl } from "@xds/control-plane";
   * import { assertEquals } from "@std/assert";
   *
   * const cache = new SnapshotCache();
   * cache.set("edge-1", createSnapshot({ resources: [] }));
   * const [{ message }] = cache.explain("edge-1", TypeUrl.Cluster, "users");
   * assertEquals(message, 'Cluster "users": no client of the key is connected');
   * ```
   */
  explain(key: K, typeUrl: string, name: string): Explanation[] {
    const explanations = this.#groups.get(key)?.explain(typeUrl, name) ??
      [explainAbsence(typeUrl, name, "no snapshot")];
    const quarantined = this.quarantined(key).find(({ resource }) =>
      resource.typeUrl === typeUrl && resource.name === name
    );
    return quarantined
      ? explanations.map((known) => explainQuarantine(known, quarantined))
      : explanations;
  }

  /** For the server. */
  watch(request: WatchRequest, sink: WatchSink): Watch {
    const { client } = request;
    const key = this.#nodeKey(client.node, client.peer, client.identity);
    const group = this.#group(key);
    const watch = group.watch(request, sink);
    return {
      makeBeforeBreak: this.#makeBeforeBreak,
      drain: this.#drain > 0
        ? (done) => this.#clock.after(this.#drain, done)
        : undefined,
      sent: (view) => group.sent(watch, view),
      refused: (refusal) => group.refused(watch, refusal),
      settled: (view, outcome) => group.answered(watch, view, outcome),
      subscribed: () => group.review(client),
      [Symbol.dispose]: () => {
        group.end(watch);
        this.#forgetIfUnused(key, group);
      },
    };
  }

  #group(key: K): Group {
    let group = this.#groups.get(key);
    if (!group) {
      const told = (rollback: Rollback) => this.#onRollback?.(key, rollback);
      this.#groups.set(key, group = new Group(this.#groupOptions, told));
    }
    return group;
  }

  #forgetIfUnused(key: K, group: Group) {
    if (group.unused && this.#groups.get(key) === group) {
      this.#groups.delete(key);
    }
  }
}

function printQuarantined(key: unknown, quarantined: readonly Quarantined[]) {
  for (const one of quarantined) {
    console.error(`xds: quarantined for ${key}: ${describeQuarantine(one)}`);
  }
}
