import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type {
  Cache,
  Client,
  Refusal,
  Watch,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
import type { Snapshot } from "./snapshot.ts";
import { covers, type Subscription } from "./subscription.ts";
import type { View } from "./view.ts";

/** Options of a {@linkcode SnapshotCache}. */
export interface SnapshotCacheOptions<K = string> {
  /**
   * Whether a type that is asked for by names waits until the client has asked for all names of it that the resources
   * it was given refer to, so that what belongs together arrives together. For clients that use ADS. Default: false.
   */
  ads?: boolean;
  /** Which group a client belongs to. Default: its node's id. */
  nodeKey?: (node: Node) => K;
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
   * - `"accepted"`: the client has all that the snapshot has for it
   * - `"refused"`: the client refused it, for what `refusal` says; nothing is sent until the snapshot changes
   */
  readonly state:
    | "absent"
    | "held"
    | "pending"
    | "sent"
    | "accepted"
    | "refused";
  /** The type's version in the snapshot; undefined if there is none. */
  readonly version: string | undefined;
  /** Names that are waited for when `"held"`, otherwise empty. */
  readonly waitingFor: ReadonlySet<string>;
  /** The client's NACK, when `"refused"`. */
  readonly refusal: Refusal | undefined;
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
  /** The clients that were connected, each type of theirs `"accepted"` or `"refused"` (or `"absent"`, without a snapshot). */
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
  readonly #ads: boolean;
  readonly #nodeKey: (node: Node) => K;
  readonly #groups = new Map<K, Group>();

  /** Makes an empty cache. */
  constructor(options: SnapshotCacheOptions<K> = {}) {
    this.#ads = options.ads ?? false;
    this.#nodeKey = options.nodeKey ?? ((node) => node.id as K);
  }

  /** Sets the snapshot of a key. Clients of the key are sent what they lack of it; those that connect later, too. */
  set(key: K, snapshot: Snapshot): void {
    this.#group(key).set(snapshot);
  }

  /** The snapshot of a key. */
  get(key: K): Snapshot | undefined {
    return this.#groups.get(key)?.snapshot;
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
      Promise.resolve({ accepted: true, clients: [] });
  }

  /** For the server. */
  watch(request: WatchRequest, sink: WatchSink): Watch {
    const key = this.#nodeKey(request.client.node);
    const group = this.#group(key);
    const watch = group.watch(request, sink);
    return {
      sent: (view) => group.sent(watch, view),
      settled: (view, refusal) => group.answered(watch, view, refusal),
      subscribed: () => group.review(request.client),
      [Symbol.dispose]: () => {
        group.end(watch);
        this.#forgetIfUnused(key, group);
      },
    };
  }

  #group(key: K): Group {
    let group = this.#groups.get(key);
    if (!group) this.#groups.set(key, group = new Group(this.#ads));
    return group;
  }

  #forgetIfUnused(key: K, group: Group) {
    if (group.unused && this.#groups.get(key) === group) {
      this.#groups.delete(key);
    }
  }
}

/** The clients of one key and what they are to have. */
class Group {
  snapshot: Snapshot | undefined;
  readonly #ads: boolean;
  readonly #clients = new Map<Client, Map<string, TypeWatch>>();
  /** Watches whose client has not answered the newest of their type, so that nobody searches all of them for one. */
  readonly #unsettled = new Set<TypeWatch>();
  readonly #waiters = new Set<() => void>();

  constructor(ads: boolean) {
    this.#ads = ads;
  }

  get unused(): boolean {
    return this.snapshot === undefined && this.#clients.size === 0;
  }

  set(snapshot: Snapshot | undefined) {
    this.snapshot = snapshot;
    this.#unsettled.clear();
    for (const watches of this.#clients.values()) {
      for (const watch of watches.values()) {
        if (snapshot && !watch.isSettled(snapshot.view(watch.typeUrl))) {
          this.#unsettled.add(watch);
        }
      }
    }
    for (const client of [...this.#clients.keys()]) this.review(client);
    this.#wakeIfSettled();
  }

  watch(request: WatchRequest, sink: WatchSink): TypeWatch {
    let watches = this.#clients.get(request.client);
    if (!watches) this.#clients.set(request.client, watches = new Map());
    const watch = new TypeWatch(request, sink);
    watches.set(request.typeUrl, watch);
    if (this.snapshot) this.#unsettled.add(watch);
    this.review(request.client);
    return watch;
  }

  end(watch: TypeWatch) {
    const watches = this.#clients.get(watch.client);
    if (watches?.get(watch.typeUrl) !== watch) return;
    watches.delete(watch.typeUrl);
    if (watches.size === 0) this.#clients.delete(watch.client);
    this.#unsettled.delete(watch);
    this.#wakeIfSettled();
  }

  sent(watch: TypeWatch, view: View) {
    watch.sent(view);
    this.#unsettled.add(watch);
  }

  answered(watch: TypeWatch, view: View, refusal: Refusal | undefined) {
    watch.answered(view, refusal);
    if (this.snapshot?.view(watch.typeUrl) === view) {
      this.#unsettled.delete(watch);
    }
    // What a client refused it will not act upon, so nothing may wait for it to.
    if (refusal) this.review(watch.client);
    this.#wakeIfSettled();
  }

  /** Offers a client whatever of the snapshot it was not yet offered, unless that has to wait. */
  review(client: Client) {
    const watches = this.#clients.get(client);
    if (!watches || !this.snapshot) return;
    for (const watch of [...watches.values()]) {
      const missing = this.#ads
        ? missingNames(this.snapshot, watch, watches)
        : nothing;
      watch.offer(this.snapshot.view(watch.typeUrl), missing);
    }
  }

  status(): ClientStatus[] {
    return [...this.#clients].map(([client, watches]) => ({
      client,
      types: [...watches.values()].map((watch) =>
        watch.status(this.snapshot?.view(watch.typeUrl))
      ),
    }));
  }

  settled(signal: AbortSignal | undefined): Promise<Settlement> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiters.delete(finish);
        signal?.removeEventListener("abort", abort);
      };
      const abort = () => {
        stop();
        reject(signal?.reason);
      };
      const finish = () => {
        stop();
        const clients = this.status();
        const refused = clients.some(({ types }) =>
          types.some(({ state }) => state === "refused")
        );
        resolve({ accepted: !refused, clients });
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", abort);
      this.#waiters.add(finish);
      this.#wakeIfSettled();
    });
  }

  #wakeIfSettled() {
    if (this.#unsettled.size > 0) return;
    for (const finish of [...this.#waiters]) finish();
  }
}

/** What one client was offered of one type, and what became of it. */
class TypeWatch {
  readonly client: Client;
  readonly typeUrl: string;
  readonly subscription: Subscription;
  readonly #sink: WatchSink;
  #offered: View | undefined;
  #sent: View | undefined;
  #answered: View | undefined;
  #refusal: Refusal | undefined;
  #waitingFor = nothing;

  constructor(request: WatchRequest, sink: WatchSink) {
    this.client = request.client;
    this.typeUrl = request.typeUrl;
    this.subscription = request.subscription;
    this.#sink = sink;
  }

  offer(view: View, missing: ReadonlySet<string>) {
    if (view === this.#offered) return;
    if (missing.size > 0) {
      const known = missing.size === this.#waitingFor.size &&
        [...missing].every((name) => this.#waitingFor.has(name));
      this.#waitingFor = missing;
      if (!known) this.#sink.held?.(missing);
      return;
    }
    const names = this.#offered && view.since(this.#offered);
    this.#waitingFor = nothing;
    this.#offered = view;
    this.#sink.changed(view, names);
  }

  sent(view: View) {
    this.#sent = view;
    this.#answered = undefined;
  }

  answered(view: View, refusal: Refusal | undefined) {
    this.#answered = view;
    this.#refusal = refusal;
  }

  isSettled(view: View): boolean {
    return this.#answered === view;
  }

  refused(view: View): boolean {
    return this.#answered === view && this.#refusal !== undefined;
  }

  status(view: View | undefined): TypeStatus {
    const state = this.#state(view);
    return {
      typeUrl: this.typeUrl,
      subscription: {
        wildcard: this.subscription.wildcard,
        names: new Set(this.subscription.names),
      },
      state,
      version: view?.version,
      waitingFor: state === "held" ? this.#waitingFor : nothing,
      refusal: state === "refused" ? this.#refusal : undefined,
    };
  }

  #state(view: View | undefined): TypeStatus["state"] {
    if (!view) return "absent";
    if (this.#answered === view) return this.#refusal ? "refused" : "accepted";
    if (this.#offered !== view && this.#waitingFor.size > 0) return "held";
    return this.#sent === view ? "sent" : "pending";
  }
}

const nothing: ReadonlySet<string> = new Set();

/** Names of a watch's type that the client will ask for because of resources it asked for, but has not yet. */
function missingNames(
  snapshot: Snapshot,
  watch: TypeWatch,
  watches: ReadonlyMap<string, TypeWatch>,
): ReadonlySet<string> {
  const { names, wildcard } = watch.subscription;
  if (wildcard) return nothing;
  let missing: Set<string> | undefined;
  for (const [name, referrers] of snapshot.required(watch.typeUrl)) {
    if (names.has(name)) continue;
    const wanted = referrers.some((referrer) => {
      const parent = watches.get(referrer.typeUrl);
      return parent !== undefined &&
        covers(parent.subscription, referrer.name) &&
        !parent.refused(snapshot.view(referrer.typeUrl));
    });
    if (wanted) (missing ??= new Set()).add(name);
  }
  return missing ?? nothing;
}
