import type { Node } from "@xds/envoy/envoy/config/core/v3";
import { canonicalName, requireValid } from "../resource/mod.ts";
import type {
  Cache,
  Client,
  Peer,
  Sequencing,
  Watch,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { CacheObserver, ChangeEvent } from "./events.ts";
import {
  explainAbsence,
  explainQuarantine,
  type Explanation,
} from "./explain.ts";
import { Group, type GroupOptions } from "./_group.ts";
import { quarantine, type Unsound } from "./_quarantine.ts";
import { combined } from "./_observers.ts";
import { historyOf, sequencingOf } from "./_sequencing.ts";
import type { Snapshot } from "./snapshot.ts";
import { type CacheStats, type Countable, TypeCounts } from "./stats.ts";
import type { ClientStatus, Rollback, Settlement } from "./status.ts";
import {
  news,
  printQuarantined,
  type Quarantined,
  type Validation,
} from "./validation.ts";

/** Options of a {@linkcode SnapshotCache}. */
export interface SnapshotCacheOptions<K = string> {
  /**
   * For clients that use the aggregated stream: whether changes are ordered (see `makeBeforeBreak`), and an update of a type
   * waits while the client is about to request more names of it, so that what belongs together arrives together.
   * Default: false.
   */
  ads?: boolean;
  /**
   * Whether a change goes to a client in steps, each of which waits until the client has acknowledged the one before:
   * what is new of clusters and endpoints, then listeners and routes, and last the removal of what nothing refers to any
   * longer. So no request is lost on the way. On aggregated streams only. Default: what `ads` is.
   */
  makeBeforeBreak?: boolean;
  /**
   * How long a change may wait for a client to request names that it has not requested yet, in milliseconds; then what is
   * requested is sent, and an event tells which names were not. Default: 1 000 with `ads`. 0: nothing waits for that,
   * but then clients that acknowledge clusters before they request the endpoints may be sent routes in between.
   */
  holdTimeout?: number;
  /**
   * How many snapshots that were replaced are kept for each key. A client that reconnects with one of them is moved from
   * there to the newest in ordered steps; of a client with an older one it is not known what it has. Default: 5.
   */
  history?: number;
  /**
   * Whether a cluster whose endpoints a snapshot lacks is given none; an Envoy waits up to its initial fetch timeout (15 s)
   * for endpoints that are not sent. {@linkcode Snapshot.check} reports such clusters. Default: true.
   */
  emptyEndpoints?: boolean;
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
   * How long an Envoy serves existing connections from a listener that was changed or removed, in milliseconds: what only
   * the old one refers to (clusters, routes, endpoints) is removed that much later. Set it to a little more than Envoy's
   * `--drain-time-s`, which is 600 s unless you set it; a shorter drain keeps less on the clients. Changes that concern no
   * listener do not wait. Default: 605 000; 0 removes at once.
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
   * Default: it is printed, unless there is an `observer`.
   */
  onQuarantine?: (key: K, quarantined: readonly Quarantined[]) => void;
  /** Told when a group goes back to a snapshot it had before; what it throws is printed. */
  onRollback?: (key: K, rollback: Rollback) => void;
  /**
   * Told of what becomes of changes: how far they have come, rollouts, what is taken back or put into quarantine. Several
   * are told one after the other. Without one, how far a change has come is not looked for.
   */
  observer?:
    | CacheObserver<NoInfer<K>>
    | readonly CacheObserver<NoInfer<K>>[];
  /** What tells the time. Default: the system. */
  clock?: Clock;
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
export class SnapshotCache<K = string> implements Cache, Countable {
  readonly #nodeKey: NonNullable<SnapshotCacheOptions<K>["nodeKey"]>;
  readonly #sequencing: Sequencing;
  readonly #observer: CacheObserver<K> | undefined;
  readonly #validate: Validation;
  readonly #onQuarantine: NonNullable<SnapshotCacheOptions<K>["onQuarantine"]>;
  /** By the snapshot that is served instead. */
  readonly #unsound = new WeakMap<Snapshot, Unsound>();
  readonly #groupOptions: GroupOptions;
  readonly #groups = new Map<K, Group>();

  /**
   * Makes an empty cache.
   *
   * @throws {RangeError} if `rollout.canary` is not above 0 and at most 1, `holdTimeout` or `drain` is no time, or `history`
   * no number of snapshots
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
    const { makeBeforeBreak = ads, holdTimeout, drain } = options;
    this.#sequencing = sequencingOf({
      makeBeforeBreak,
      holdTimeout: holdTimeout ?? (ads ? undefined : 0),
      drain,
      clock,
    });
    const { observer = [], onRollback } = options;
    this.#observer = combined([
      ...typeof observer === "function" ? [observer] : observer,
      ...onRollback ? [rollbacksOf(onRollback)] : [],
    ]);
    this.#validate = options.validate ?? "off";
    this.#onQuarantine = options.onQuarantine ??
      (options.observer
        ? () => {}
        : (key, quarantined) => printQuarantined(quarantined, ` for ${key}`));
    const rollsBack = options.onRefused === "rollback";
    this.#groupOptions = {
      heartbeat,
      clock,
      rollsBack,
      canary,
      follows: options.observer !== undefined,
      history: historyOf(options.history),
      emptyEndpoints: options.emptyEndpoints ?? true,
    };
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
    if (told.length === 0) return;
    const event = { kind: "quarantine", quarantined: told } as const;
    this.#observer?.({ cache: this, key, ...event });
    this.#onQuarantine(key, told);
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
   * How much there is, and how many ask for it. Nothing is kept for it meanwhile, so that it costs something when it is
   * asked: a millisecond or two for ten thousand clients.
   */
  stats(): CacheStats {
    const counts = new TypeCounts();
    let unsettled = 0;
    for (const [key, group] of this.#groups) {
      unsettled += group.unsettled;
      group.count(counts);
      for (const { resource } of this.quarantined(key)) {
        counts.add(resource.typeUrl, "quarantined", 1);
      }
    }
    return { unsettled, types: counts.types };
  }

  /**
   * Resolves once the newest snapshot is in force at every connected client of a key: each has answered each of its types
   * with the newest version. At once if there is none. A client that leaves is no longer waited for, and one that comes is.
   *
   * @param options.drained waits until clients also have nothing left that the snapshot lacks (see `drain`)
   * @param options.signal ends the wait: the promise rejects with its reason
   */
  settled(
    key: K,
    options: { signal?: AbortSignal; drained?: boolean } = {},
  ): Promise<Settlement> {
    const { signal, drained = false } = options;
    return this.#groups.get(key)?.settled(signal, drained) ??
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
  explain(key: K, typeUrl: string, name: string): Explanation[];
  /** Why a client, as events tell of it (`event.client`), has a resource, or has it not. */
  explain(client: Client, typeUrl: string, name: string): Explanation;
  explain(
    who: Client | K,
    typeUrl: string,
    name: string,
  ): Explanation | Explanation[] {
    const said = canonicalName(name);
    if (!isClient(who)) {
      const explanations = this.#groups.get(who)?.explain(typeUrl, said) ??
        [explainAbsence(typeUrl, said, "no snapshot")];
      return this.#withQuarantine(who, typeUrl, said, explanations);
    }
    const key = this.#nodeKey(who.node, who.peer, who.identity);
    const explanation = this.#groups.get(key)?.explainTo(who, typeUrl, said) ??
      explainAbsence(typeUrl, said, "no snapshot", { client: who });
    return this.#withQuarantine(key, typeUrl, said, [explanation])[0];
  }

  #withQuarantine(
    key: K,
    typeUrl: string,
    name: string,
    explanations: Explanation[],
  ): Explanation[] {
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
      sequencing: this.#sequencing,
      history: {
        [Symbol.iterator]: () =>
          group.history(request.typeUrl)[Symbol.iterator](),
      },
      progress: (progress) => group.progress(watch, progress),
      [Symbol.dispose]: () => {
        group.end(watch);
        this.#forgetIfUnused(key, group);
      },
    };
  }

  #group(key: K): Group {
    let group = this.#groups.get(key);
    if (!group) {
      const observer = this.#observer;
      const tell = observer &&
        ((event: ChangeEvent) => observer({ cache: this, key, ...event }));
      this.#groups.set(key, group = new Group(this.#groupOptions, tell));
    }
    return group;
  }

  #forgetIfUnused(key: K, group: Group) {
    if (group.unused && this.#groups.get(key) === group) {
      this.#groups.delete(key);
    }
  }
}

/** Whether it is a client, and no key; a key that is an object has no node. */
function isClient<K>(who: Client | K): who is Client {
  return typeof who === "object" && who !== null && "node" in who &&
    "id" in who;
}

function rollbacksOf<K>(
  onRollback: (key: K, rollback: Rollback) => void,
): CacheObserver<K> {
  return (event) => {
    if (event.kind === "rollback") onRollback(event.key, event.rollback);
  };
}
