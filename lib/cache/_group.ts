import type { Client, Progress, WatchRequest, WatchSink } from "./cache.ts";
import type { Clock } from "./clock.ts";
import type { ChangeEvent } from "./events.ts";
import { explain, explainAbsence, type Explanation } from "./explain.ts";
import { Following } from "./_following.ts";
import { Heartbeat } from "./_heartbeat.ts";
import { Served } from "./_served.ts";
import { Rollout } from "./_rollout.ts";
import type { Snapshot } from "./snapshot.ts";
import type { TypeCounts } from "./stats.ts";
import type {
  ClientStatus,
  Rollback,
  Settlement,
  TypeStatus,
} from "./status.ts";
import { TypeWatch } from "./_type_watch.ts";
import type { View } from "./view.ts";

/** What all groups of a cache have in common. */
export interface GroupOptions {
  readonly heartbeat: number | undefined;
  readonly clock: Clock;
  /** Whether a refusal takes the whole group back to what it accepted last. */
  readonly rollsBack: boolean;
  /** The share of nodes that a new snapshot goes to first. */
  readonly canary: number | undefined;
  /** Whether somebody is to be told how far a snapshot has come. */
  readonly follows: boolean;
  /** How many older snapshots to keep. */
  readonly history: number;
  /** Whether clusters whose endpoints a snapshot lacks are given none. */
  readonly emptyEndpoints: boolean;
}

/** The clients of one key and what they are to have. */
export class Group {
  readonly #options: GroupOptions;
  readonly #tell: ((event: ChangeEvent) => void) | undefined;
  readonly #heartbeat: Heartbeat;
  readonly #clients = new Map<Client, Map<string, TypeWatch>>();
  /** Watches whose client has not answered the newest of their type, so that nobody searches all of them for one. */
  readonly #unsettled = new Set<TypeWatch>();
  /** Watches whose client has something left that the newest of their type lacks. */
  readonly #undrained = new Set<TypeWatch>();
  readonly #waiters = new Set<() => void>();
  /** Snapshots that were served before, newest first. */
  #history: readonly Snapshot[] = [];
  readonly #served: Served;
  #snapshot: Snapshot | undefined;
  /** The last snapshot that all clients accepted. */
  #accepted: Snapshot | undefined;
  /** What goes on while a new snapshot is with some of the nodes only. */
  #rollout: Rollout | undefined;
  /** What came of the last snapshot that was set, if it was taken back. */
  #rollback: Rollback | undefined;
  /** How far the last snapshot has come that was set; if somebody is to be told. */
  readonly #following: Following | undefined;

  constructor(
    options: GroupOptions,
    tell: ((event: ChangeEvent) => void) | undefined,
  ) {
    this.#options = options;
    this.#tell = tell;
    const { clock, heartbeat, follows, emptyEndpoints } = options;
    this.#served = new Served(emptyEndpoints);
    this.#following = follows && tell ? new Following(clock, tell) : undefined;
    this.#heartbeat = new Heartbeat(clock, heartbeat, () => this.#beat());
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** How many watches have a client that has not answered the newest of their type. */
  get unsettled(): number {
    return this.#unsettled.size;
  }

  count(counts: TypeCounts) {
    const snapshot = this.#snapshot;
    for (const typeUrl of snapshot?.typeUrls ?? []) {
      counts.add(typeUrl, "resources", snapshot!.resources(typeUrl).size);
    }
    for (const watches of this.#clients.values()) {
      for (const typeUrl of watches.keys()) counts.add(typeUrl, "watches", 1);
    }
    for (const watch of this.#unsettled) {
      if (watch.blocked) counts.add(watch.typeUrl, "blocked", 1);
    }
  }

  get unused(): boolean {
    return this.#snapshot === undefined && this.#clients.size === 0;
  }

  set(snapshot: Snapshot | undefined) {
    const { canary, clock } = this.#options;
    const before = this.#rollout?.before ?? this.#snapshot;
    this.#remember();
    this.#snapshot = snapshot;
    this.#rollback = undefined;
    this.#rollout = canary !== undefined && snapshot && before
      ? Rollout.start(before, canary, this.#clients.keys(), clock.now())
      : undefined;
    this.#following?.begin(snapshot ? this.#lacking(snapshot) : []);
    if (this.#rollout) this.#tellRollout(this.#rollout);
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
      const view = this.#served.view(snapshot, typeUrl);
      this.#heartbeat.expect([view]);
      watch.offer(view);
    }
    return watch;
  }

  /** Sets of a type that were served before, newest first. */
  *history(typeUrl: string): Iterable<View> {
    for (const snapshot of this.#history) {
      yield this.#served.view(snapshot, typeUrl);
    }
  }

  end(watch: TypeWatch) {
    const { client } = watch;
    const watches = this.#clients.get(client);
    if (watches?.get(watch.typeUrl) !== watch) return;
    watches.delete(watch.typeUrl);
    if (watches.size === 0) {
      this.#clients.delete(client);
      this.#following?.left(client);
    } else if (this.#following) this.#reach(client);
    if (this.#clients.size === 0) this.#heartbeat.stop();
    this.#unsettled.delete(watch);
    this.#undrained.delete(watch);
    this.#progress();
  }

  progress(watch: TypeWatch, progress: Progress) {
    const { client, typeUrl } = watch;
    watch.progress(progress, this.#options.clock.now());
    const snapshot = this.#snapshotFor(client);
    const isNewest = snapshot !== undefined &&
      this.#served.view(snapshot, typeUrl) === progress.view;
    switch (progress.kind) {
      case "sent":
        this.#unsettled.add(watch);
        break;
      case "acked":
        break;
      case "nacked":
        if (isNewest && snapshot === this.#snapshot) {
          const { refusal } = progress;
          this.#takeBack({ client, typeUrl, refusal });
        }
        break;
      case "settled":
        if (isNewest) {
          this.#unsettled.delete(watch);
          if (progress.outcome.drained) this.#undrained.delete(watch);
          else this.#undrained.add(watch);
        }
        if (this.#following) this.#reach(client);
        this.#progress();
        break;
    }
  }

  /** Offers a client whatever of its snapshot it was not yet offered. */
  review(client: Client) {
    const watches = this.#clients.get(client);
    for (const watch of [...watches?.values() ?? []]) {
      // Observers may set another snapshot re-entrantly.
      const snapshot = this.#snapshotFor(client);
      if (!snapshot) watch.withdraw();
      else watch.offer(this.#served.view(snapshot, watch.typeUrl));
    }
  }

  /** Why each client has a resource, or has it not. */
  explain(typeUrl: string, name: string): Explanation[] {
    if (!this.#snapshot) return [explainAbsence(typeUrl, name, "no snapshot")];
    if (this.#clients.size === 0) {
      const version = this.#snapshot.resources(typeUrl).get(name)?.version;
      return [explainAbsence(typeUrl, name, "no client", { version })];
    }
    return [...this.#clients.keys()].map((client) =>
      this.explainTo(client, typeUrl, name)
    );
  }

  /** Why a client has a resource, or has it not. */
  explainTo(client: Client, typeUrl: string, name: string): Explanation {
    const snapshot = this.#snapshotFor(client);
    if (!snapshot) {
      return explainAbsence(typeUrl, name, "no snapshot", { client });
    }
    const view = this.#served.view(snapshot, typeUrl);
    const resource = view.resources.get(name);
    const watches = this.#clients.get(client);
    if (!watches) {
      const { version } = resource ?? {};
      return explainAbsence(typeUrl, name, "no client", { version, client });
    }
    const watch = watches.get(typeUrl);
    return explain({
      typeUrl,
      name,
      resource,
      where: "snapshot",
      client,
      state: watch?.inspect(name),
      sentAt: watch?.sentAt,
      blocked: watch?.blocked,
    });
  }

  status(): ClientStatus[] {
    return [...this.#clients].map(([client, watches]) => ({
      client,
      types: [...watches.values()].map((watch) =>
        watch.status(this.#viewFor(watch))
      ),
    }));
  }

  settled(
    signal: AbortSignal | undefined,
    drained: boolean,
  ): Promise<Settlement> {
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
        if (drained && this.#undrained.size > 0) return;
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

  /** What a watch is to be served; undefined if there is nothing. */
  #viewFor({ client, typeUrl }: TypeWatch): View | undefined {
    const snapshot = this.#snapshotFor(client);
    return snapshot && this.#served.view(snapshot, typeUrl);
  }

  #remember() {
    const { history } = this.#options;
    const snapshot = this.#snapshot;
    if (!snapshot || history === 0) return;
    const others = this.#history.filter((other) => other !== snapshot);
    this.#history = [snapshot, ...others].slice(0, history);
  }

  #apply() {
    this.#unsettled.clear();
    this.#undrained.clear();
    for (const [client, watches] of this.#clients) {
      const snapshot = this.#snapshotFor(client);
      if (!snapshot) continue;
      for (const watch of watches.values()) {
        const view = this.#served.view(snapshot, watch.typeUrl);
        if (!watch.isSettled(view)) this.#unsettled.add(watch);
        else if (!watch.isSettled(view, true)) this.#undrained.add(watch);
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
        this.#tellRollout(rollout);
        this.#apply();
        return;
      }
      const waits = [...this.#unsettled].some(({ client }) =>
        rollout.includes(client)
      );
      if (waits) return;
      this.#rollout = undefined;
      this.#tell?.({
        kind: "promote",
        snapshot: this.#snapshot!,
        nodes: rollout.nodes,
        duration: Math.max(0, this.#options.clock.now() - rollout.begunAt),
      });
      this.#apply();
      return;
    }
    this.#wakeIfSettled();
  }

  #tellRollout({ before, nodes }: Rollout) {
    const snapshot = this.#snapshot!;
    this.#tell?.({ kind: "rollout", snapshot, before, nodes });
  }

  /** Clients that have not answered all of a snapshot. */
  *#lacking(snapshot: Snapshot): Iterable<Client> {
    for (const [client, watches] of this.#clients) {
      for (const watch of watches.values()) {
        const view = this.#served.view(snapshot, watch.typeUrl);
        if (watch.isSettled(view)) continue;
        yield client;
        break;
      }
    }
  }

  /** Counts a client among those whom the snapshot has reached, if it has answered all of it. */
  #reach(client: Client) {
    const snapshot = this.#snapshot;
    if (!snapshot || !this.#following?.waitsFor(client)) return;
    const watches = [...this.#clients.get(client)?.values() ?? []];
    const viewOf = ({ typeUrl }: TypeWatch) =>
      this.#served.view(snapshot, typeUrl);
    const hasAnswered = watches.every((watch) =>
      watch.isSettled(viewOf(watch))
    );
    if (!hasAnswered) return;
    const hasAccepted = watches.every((watch) =>
      isAccepted(watch.status(viewOf(watch)))
    );
    this.#following.reached(client, !hasAccepted);
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
    this.#remember();
    this.#snapshot = to;
    this.#rollout = undefined;
    const rollback = this.#rollback = { from, to, ...cause };
    this.#following?.end();
    this.#apply();
    this.#tell?.({ kind: "rollback", rollback });
  }

  /** Views of the types that somebody watches. */
  *#watched(): Iterable<View> {
    const views = new Set<View>();
    for (const [client, watches] of this.#clients) {
      const snapshot = this.#snapshotFor(client);
      if (!snapshot) continue;
      for (const typeUrl of watches.keys()) {
        views.add(this.#served.view(snapshot, typeUrl));
      }
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
  return types.every(isAccepted);
}

function isAccepted({ state }: TypeStatus): boolean {
  return state !== "refused" && state !== "blocked";
}
