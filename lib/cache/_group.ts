import type {
  Client,
  Outcome,
  Refusal,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
import type { Clock } from "./clock.ts";
import { explain, explainAbsence, type Explanation } from "./explain.ts";
import { Heartbeat } from "./_heartbeat.ts";
import { Rollout } from "./_rollout.ts";
import type { Snapshot } from "./snapshot.ts";
import type { ClientStatus, Rollback, Settlement } from "./snapshot_cache.ts";
import { covers } from "./subscription.ts";
import { TypeWatch } from "./_type_watch.ts";
import type { View } from "./view.ts";

/** What all groups of a cache have in common. */
export interface GroupOptions {
  readonly ads: boolean;
  readonly heartbeat: number | undefined;
  readonly clock: Clock;
  /** Whether a refusal takes the whole group back to what it accepted last. */
  readonly rollsBack: boolean;
  /** The share of nodes that a new snapshot goes to first. */
  readonly canary: number | undefined;
}

type Watches = ReadonlyMap<string, TypeWatch>;

/** The clients of one key and what they are to have. */
export class Group {
  readonly #options: GroupOptions;
  readonly #onRollback: (rollback: Rollback) => void;
  readonly #heartbeat: Heartbeat;
  readonly #clients = new Map<Client, Map<string, TypeWatch>>();
  /** Watches whose client has not answered the newest of their type, so that nobody searches all of them for one. */
  readonly #unsettled = new Set<TypeWatch>();
  readonly #waiters = new Set<() => void>();
  #snapshot: Snapshot | undefined;
  /** The last snapshot that all clients accepted. */
  #accepted: Snapshot | undefined;
  /** What goes on while a new snapshot is with some of the nodes only. */
  #rollout: Rollout | undefined;
  /** What came of the last snapshot that was set, if it was taken back. */
  #rollback: Rollback | undefined;

  constructor(options: GroupOptions, onRollback: (rollback: Rollback) => void) {
    this.#options = options;
    this.#onRollback = onRollback;
    const { clock, heartbeat } = options;
    this.#heartbeat = new Heartbeat(clock, heartbeat, () => this.#beat());
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  get unused(): boolean {
    return this.#snapshot === undefined && this.#clients.size === 0;
  }

  set(snapshot: Snapshot | undefined) {
    const { canary } = this.#options;
    const before = this.#rollout?.before ?? this.#snapshot;
    this.#snapshot = snapshot;
    this.#rollback = undefined;
    this.#rollout = canary !== undefined && snapshot && before
      ? Rollout.start(before, canary, this.#clients.keys())
      : undefined;
    this.#apply();
  }

  watch(request: WatchRequest, sink: WatchSink): TypeWatch {
    const { client, typeUrl } = request;
    let watches = this.#clients.get(client);
    if (!watches) this.#clients.set(client, watches = new Map());
    const watch = new TypeWatch(request, sink);
    watches.set(typeUrl, watch);
    const snapshot = this.#snapshotFor(client);
    if (snapshot) {
      this.#unsettled.add(watch);
      this.#heartbeat.expect([snapshot.view(typeUrl)]);
    }
    this.review(client);
    return watch;
  }

  end(watch: TypeWatch) {
    const { client } = watch;
    const watches = this.#clients.get(client);
    if (watches?.get(watch.typeUrl) !== watch) return;
    watches.delete(watch.typeUrl);
    if (watches.size === 0) this.#clients.delete(client);
    if (this.#clients.size === 0) this.#heartbeat.stop();
    this.#unsettled.delete(watch);
    this.#progress();
  }

  sent(watch: TypeWatch, view: View) {
    watch.sent(view, this.#options.clock.now());
    this.#unsettled.add(watch);
  }

  refused(watch: TypeWatch, refusal: Refusal) {
    watch.refuse(refusal);
    // What a client refused it will not act upon, so nothing may wait for it to.
    this.review(watch.client);
  }

  answered(watch: TypeWatch, view: View, outcome: Outcome) {
    const { client, typeUrl } = watch;
    watch.answered(view, outcome);
    const snapshot = this.#snapshotFor(client);
    const isNewest = snapshot?.view(typeUrl) === view;
    if (isNewest) this.#unsettled.delete(watch);
    const { refusal } = outcome;
    if (refusal) {
      if (isNewest && snapshot === this.#snapshot) {
        this.#takeBack({ client, typeUrl, refusal });
      }
    }
    this.#progress();
  }

  /** Offers a client whatever of its snapshot it was not yet offered, unless that has to wait. */
  review(client: Client) {
    const watches = this.#clients.get(client);
    const snapshot = this.#snapshotFor(client);
    for (const watch of [...watches?.values() ?? []]) {
      if (!snapshot) {
        watch.withdraw();
        continue;
      }
      const view = snapshot.view(watch.typeUrl);
      const missing = this.#options.ads && !watch.has(view)
        ? missingNames(snapshot, watch, watches!)
        : nothing;
      watch.offer(view, missing);
    }
  }

  /** Why each client has a resource, or has it not. */
  explain(typeUrl: string, name: string): Explanation[] {
    if (!this.#snapshot) return [explainAbsence(typeUrl, name, "no snapshot")];
    if (this.#clients.size === 0) {
      const version = this.#snapshot.resources(typeUrl).get(name)?.version;
      return [explainAbsence(typeUrl, name, "no client", version)];
    }
    return [...this.#clients].map(([client, watches]) => {
      const snapshot = this.#snapshotFor(client)!;
      const watch = watches.get(typeUrl);
      return explain({
        typeUrl,
        name,
        resource: snapshot.resources(typeUrl).get(name),
        client,
        type: watch?.status(snapshot.view(typeUrl)),
        state: watch?.inspect(name),
        sentAt: watch?.sentAt,
      });
    });
  }

  status(): ClientStatus[] {
    return [...this.#clients].map(([client, watches]) => ({
      client,
      types: [...watches.values()].map((watch) =>
        watch.status(this.#snapshotFor(client)?.view(watch.typeUrl))
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
        const accepted = !this.#rollback && clients.every(hasAccepted);
        resolve({ accepted, clients, rollback: this.#rollback });
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", abort);
      this.#waiters.add(finish);
      this.#wakeIfSettled();
    });
  }

  /** What a client is to have: the newest snapshot, or the one before while that is with others. */
  #snapshotFor(client: Client): Snapshot | undefined {
    return this.#rollout && !this.#rollout.includes(client)
      ? this.#rollout.before
      : this.#snapshot;
  }

  #apply() {
    this.#unsettled.clear();
    for (const [client, watches] of this.#clients) {
      const snapshot = this.#snapshotFor(client);
      if (!snapshot) continue;
      for (const watch of watches.values()) {
        if (!watch.isSettled(snapshot.view(watch.typeUrl))) {
          this.#unsettled.add(watch);
        }
      }
    }
    for (const client of [...this.#clients.keys()]) this.review(client);
    this.#heartbeat.expect(this.#watched());
    this.#progress();
  }

  /** Goes on where everybody that is waited for has answered. */
  #progress() {
    const rollout = this.#rollout;
    if (rollout) {
      if (rollout.keepUp(this.#clients.keys())) {
        this.#apply();
        return;
      }
      const waits = [...this.#unsettled].some(({ client }) =>
        rollout.includes(client)
      );
      if (waits) return;
      this.#rollout = undefined;
      this.#apply();
      return;
    }
    this.#wakeIfSettled();
  }

  #wakeIfSettled() {
    if (this.#unsettled.size > 0 || this.#rollout) return;
    // Asked for each client that comes, answers or goes, and so not of all of them each time.
    if (
      this.#accepted !== this.#snapshot && this.#clients.size > 0 &&
      this.status().every(hasAccepted)
    ) this.#accepted = this.#snapshot;
    for (const finish of [...this.#waiters]) finish();
  }

  /** Takes the group back to what it had accepted, if that is what is wanted of a refusal. */
  #takeBack(cause: Pick<Rollback, "client" | "typeUrl" | "refusal">) {
    const from = this.#snapshot;
    const to = this.#rollout?.before ??
      (this.#options.rollsBack ? this.#accepted : undefined);
    if (!from || !to || to === from) return;
    this.#snapshot = to;
    this.#rollout = undefined;
    this.#rollback = { from, to, ...cause };
    this.#apply();
    this.#onRollback(this.#rollback);
  }

  /** Views of the types that somebody watches. */
  *#watched(): Iterable<View> {
    const views = new Set<View>();
    for (const [client, watches] of this.#clients) {
      const snapshot = this.#snapshotFor(client);
      if (!snapshot) continue;
      for (const typeUrl of watches.keys()) views.add(snapshot.view(typeUrl));
    }
    yield* views;
  }

  #beat(): Iterable<View> {
    for (const watches of this.#clients.values()) {
      for (const watch of watches.values()) watch.refresh();
    }
    return this.#watched();
  }
}

function hasAccepted({ types }: ClientStatus): boolean {
  return types.every(({ state }) => state !== "refused" && state !== "blocked");
}

const nothing: ReadonlySet<string> = new Set();

/** Names of a watch's type that the client will ask for because of resources it asked for, but has not yet. */
function missingNames(
  snapshot: Snapshot,
  watch: TypeWatch,
  watches: Watches,
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
        !parent.refused(referrer);
    });
    if (wanted) (missing ??= new Set()).add(name);
  }
  return missing ?? nothing;
}
