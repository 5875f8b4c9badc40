import type { Resource } from "../resource/mod.ts";
import type {
  Client,
  Outcome,
  Refusal,
  ResourceState,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
import type { TypeStatus } from "./status.ts";
import type { Subscription } from "./subscription.ts";
import { sameContent, type View } from "./view.ts";

const nothing: ReadonlySet<string> = new Set();

/** What one client was offered of one type, and what became of it. */
export class TypeWatch {
  readonly client: Client;
  readonly typeUrl: string;
  readonly subscription: Subscription;
  readonly #inspect: WatchRequest["inspect"];
  readonly #sink: WatchSink;
  #offered: View | undefined;
  /** The newest that the client was sent something of, or that it was found to lack nothing of. */
  #reached: View | undefined;
  #sent: View | undefined;
  #sentAt: number | undefined;
  #answered: View | undefined;
  #outcome: Outcome = {};
  #waitingFor = nothing;
  readonly #refused = new Map<string, Resource>();

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
      const { isHeld } = this;
      this.#waitingFor = nothing;
      if (isHeld) this.#sink.changed(view, nothing);
      return;
    }
    if (missing.size > 0) {
      const known = missing.size === this.#waitingFor.size &&
        [...missing].every((name) => this.#waitingFor.has(name));
      this.#waitingFor = missing;
      this.#goBack();
      // Whoever is told of that may have set another snapshot.
      if (!known && this.#waitingFor === missing) this.#sink.held?.(missing);
      return;
    }
    const names = this.#offered && view.since(this.#offered);
    this.#waitingFor = nothing;
    this.#offered = view;
    this.#sink.changed(view, names);
  }

  /** What was offered and superseded before it was sent goes with nothing that the client is sent of other types. */
  #goBack() {
    const offered = this.#offered;
    const reached = this.#reached;
    if (!offered || offered === reached) return;
    this.#offered = reached;
    this.#sink.changed(reached, reached?.since(offered));
  }

  /** There is no snapshot any longer; the client keeps what it has. */
  withdraw() {
    if (!this.#offered && this.#waitingFor.size === 0) return;
    this.#offered = undefined;
    this.#waitingFor = nothing;
    this.#sink.changed(undefined);
  }

  /** Whether it waits until the client has asked for more names. */
  get isHeld(): boolean {
    return this.#waitingFor.size > 0;
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
    this.#reached = view;
    this.#sentAt = at;
    this.#answered = undefined;
  }

  refuse({ names }: Refusal) {
    for (const name of names) {
      const resource = this.#sent?.resources.get(name);
      if (resource) this.#refused.set(name, resource);
    }
  }

  answered(view: View, outcome: Outcome) {
    if (!outcome.refusal) this.#refused.clear();
    this.#answered = view;
    this.#reached = view;
    this.#outcome = outcome;
  }

  isSettled(view: View): boolean {
    return this.#answered === view;
  }

  /** Whether it is this that the client refused. */
  refused(resource: Resource): boolean {
    return sameContent(this.#refused.get(resource.name), resource);
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
