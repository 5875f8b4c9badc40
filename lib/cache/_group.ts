import type {
  Client,
  Outcome,
  ResourceState,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
import { explain, explainAbsence, type Explanation } from "./explain.ts";
import type { Clock } from "./clock.ts";
import { Heartbeat } from "./_heartbeat.ts";
import type { Snapshot } from "./snapshot.ts";
import type { ClientStatus, Settlement, TypeStatus } from "./snapshot_cache.ts";
import { covers, type Subscription } from "./subscription.ts";
import type { View } from "./view.ts";

/** What all groups of a cache have in common. */
export interface GroupOptions {
  readonly ads: boolean;
  readonly heartbeat: number | undefined;
  readonly clock: Clock;
}

/** The clients of one key and what they are to have. */
export class Group {
  snapshot: Snapshot | undefined;
  readonly #ads: boolean;
  readonly #clock: Clock;
  readonly #heartbeat: Heartbeat;
  readonly #clients = new Map<Client, Map<string, TypeWatch>>();
  /** Watches whose client has not answered the newest of their type, so that nobody searches all of them for one. */
  readonly #unsettled = new Set<TypeWatch>();
  readonly #waiters = new Set<() => void>();

  constructor({ ads, clock, heartbeat }: GroupOptions) {
    this.#ads = ads;
    this.#clock = clock;
    this.#heartbeat = new Heartbeat(clock, heartbeat, () => this.#beat());
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
    this.#heartbeat.expect(this.#watched());
    this.#wakeIfSettled();
  }

  watch(request: WatchRequest, sink: WatchSink): TypeWatch {
    let watches = this.#clients.get(request.client);
    if (!watches) this.#clients.set(request.client, watches = new Map());
    const watch = new TypeWatch(request, sink);
    watches.set(request.typeUrl, watch);
    if (this.snapshot) {
      this.#unsettled.add(watch);
      this.#heartbeat.expect([this.snapshot.view(request.typeUrl)]);
    }
    this.review(request.client);
    return watch;
  }

  end(watch: TypeWatch) {
    const watches = this.#clients.get(watch.client);
    if (watches?.get(watch.typeUrl) !== watch) return;
    watches.delete(watch.typeUrl);
    if (watches.size === 0) this.#clients.delete(watch.client);
    if (this.#clients.size === 0) this.#heartbeat.stop();
    this.#unsettled.delete(watch);
    this.#wakeIfSettled();
  }

  sent(watch: TypeWatch, view: View) {
    watch.sent(view, this.#clock.now());
    this.#unsettled.add(watch);
  }

  answered(watch: TypeWatch, view: View, outcome: Outcome) {
    watch.answered(view, outcome);
    if (this.snapshot?.view(watch.typeUrl) === view) {
      this.#unsettled.delete(watch);
    }
    // What a client refused it will not act upon, so nothing may wait for it to.
    if (outcome.refusal) this.review(watch.client);
    this.#wakeIfSettled();
  }

  /** Offers a client whatever of the snapshot it was not yet offered, unless that has to wait. */
  review(client: Client) {
    const watches = this.#clients.get(client);
    if (!watches) return;
    for (const watch of [...watches.values()]) {
      if (!this.snapshot) {
        watch.withdraw();
        continue;
      }
      const view = this.snapshot.view(watch.typeUrl);
      const missing = this.#ads && !watch.has(view)
        ? missingNames(this.snapshot, watch, watches)
        : nothing;
      watch.offer(view, missing);
    }
  }

  /** Why each client has a resource, or has it not. */
  explain(typeUrl: string, name: string): Explanation[] {
    const resource = this.snapshot?.resources(typeUrl).get(name);
    if (!this.snapshot) return [explainAbsence(typeUrl, name, "no snapshot")];
    if (this.#clients.size === 0) {
      return [explainAbsence(typeUrl, name, "no client", resource?.version)];
    }
    const view = this.snapshot.view(typeUrl);
    return [...this.#clients].map(([client, watches]) => {
      const watch = watches.get(typeUrl);
      return explain({
        typeUrl,
        name,
        resource,
        client,
        type: watch?.status(view),
        state: watch?.inspect(name),
        sentAt: watch?.sentAt,
      });
    });
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
          types.some(({ state }) => state === "refused" || state === "blocked")
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

  /** Views of the types that somebody watches. */
  *#watched(): Iterable<View> {
    if (!this.snapshot) return;
    const types = new Set<string>();
    for (const watches of this.#clients.values()) {
      for (const typeUrl of watches.keys()) types.add(typeUrl);
    }
    for (const typeUrl of types) yield this.snapshot.view(typeUrl);
  }

  #beat(): Iterable<View> {
    for (const watches of this.#clients.values()) {
      for (const watch of watches.values()) watch.refresh();
    }
    return this.#watched();
  }
}

/** What one client was offered of one type, and what became of it. */
class TypeWatch {
  readonly client: Client;
  readonly typeUrl: string;
  readonly subscription: Subscription;
  readonly #inspect: WatchRequest["inspect"];
  readonly #sink: WatchSink;
  #offered: View | undefined;
  #sent: View | undefined;
  #sentAt: number | undefined;
  #answered: View | undefined;
  #outcome: Outcome = {};
  #waitingFor = nothing;

  constructor(request: WatchRequest, sink: WatchSink) {
    this.client = request.client;
    this.typeUrl = request.typeUrl;
    this.subscription = request.subscription;
    this.#inspect = request.inspect?.bind(request);
    this.#sink = sink;
  }

  /** Whether it was offered a view last. */
  has(view: View): boolean {
    return this.#offered === view;
  }

  offer(view: View, missing: ReadonlySet<string>) {
    if (view === this.#offered) {
      if (this.#waitingFor.size > 0) this.#sink.changed(view, nothing);
      this.#waitingFor = nothing;
      return;
    }
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

  /** There is no snapshot any longer; the client keeps what it has. */
  withdraw() {
    if (!this.#offered && this.#waitingFor.size === 0) return;
    this.#offered = undefined;
    this.#waitingFor = nothing;
    this.#sink.changed(undefined);
  }

  inspect(name: string): ResourceState | undefined {
    return this.#inspect?.(name);
  }

  /** When something was sent last, in milliseconds since 1970. */
  get sentAt(): number | undefined {
    return this.#sentAt;
  }

  refresh() {
    if (this.#offered?.expiring.length) this.#sink.heartbeat?.();
  }

  sent(view: View, at: number) {
    this.#sent = view;
    this.#sentAt = at;
    this.#answered = undefined;
  }

  answered(view: View, outcome: Outcome) {
    this.#answered = view;
    this.#outcome = outcome;
  }

  isSettled(view: View): boolean {
    return this.#answered === view;
  }

  refused(view: View): boolean {
    return this.#answered === view && this.#outcome.refusal !== undefined;
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
      refusal: state === "refused" ? this.#outcome.refusal : undefined,
      blocked: state === "blocked" ? this.#outcome.blocked : undefined,
    };
  }

  #state(view: View | undefined): TypeStatus["state"] {
    if (!view) return "absent";
    if (this.#answered === view) {
      if (this.#outcome.refusal) return "refused";
      return this.#outcome.blocked ? "blocked" : "accepted";
    }
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
