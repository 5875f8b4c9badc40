import type {
  Blocked,
  Client,
  Outcome,
  Progress,
  ResourceState,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
import type { TypeStatus } from "./status.ts";
import type { Subscription } from "./subscription.ts";
import type { View } from "./view.ts";

/** What one client was offered of one type, and what became of it. */
export class TypeWatch {
  readonly client: Client;
  readonly typeUrl: string;
  readonly subscription: Subscription;
  readonly #request: WatchRequest;
  readonly #sink: WatchSink;
  #offered: View | undefined;
  #sent: View | undefined;
  #sentAt: number | undefined;
  #settled: View | undefined;
  #outcome: Outcome = { drained: true };

  constructor(request: WatchRequest, sink: WatchSink) {
    this.client = request.client;
    this.typeUrl = request.typeUrl;
    this.subscription = request.subscription;
    this.#request = request;
    this.#sink = sink;
  }

  offer(view: View) {
    if (view === this.#offered) return;
    const names = this.#offered && view.since(this.#offered);
    this.#offered = view;
    this.#sink.changed(view, names);
  }

  /** There is no snapshot any longer; the client keeps what it has. */
  withdraw() {
    if (!this.#offered) return;
    this.#offered = undefined;
    this.#sink.changed(undefined);
  }

  inspect(name: string): ResourceState | undefined {
    return this.#request.inspect?.(name);
  }

  /** What of the type waits now, and for what; undefined if nothing does. */
  get blocked(): Blocked | undefined {
    return this.#request.blocked?.();
  }

  /** When something was sent last, in milliseconds since 1970. */
  get sentAt(): number | undefined {
    return this.#sentAt;
  }

  refresh() {
    if (this.#offered?.expiring.length) this.#sink.heartbeat?.();
  }

  progress(progress: Progress, now: number) {
    switch (progress.kind) {
      case "sent":
        this.#sent = progress.view;
        this.#sentAt = now;
        this.#settled = undefined;
        break;
      case "settled":
        this.#settled = progress.view;
        this.#outcome = progress.outcome;
        break;
      case "acked":
      case "nacked":
        break;
    }
  }

  /** Whether a set is in force, and, if that is asked for, nothing is left that it lacks. */
  isSettled(view: View, drained = false): boolean {
    return this.#settled === view && (!drained || this.#outcome.drained);
  }

  status(view: View | undefined): TypeStatus {
    const state = this.#state(view);
    const { refusal, blocked } = this.#outcome;
    return {
      typeUrl: this.typeUrl,
      subscription: {
        wildcard: this.subscription.wildcard,
        names: new Set(this.subscription.names),
      },
      state,
      version: view?.version,
      refusal: state === "refused" ? refusal : undefined,
      blocked: state === "blocked" ? blocked ?? this.blocked : this.blocked,
    };
  }

  #state(view: View | undefined): TypeStatus["state"] {
    if (!view) return "absent";
    if (this.#settled === view) {
      if (this.#outcome.refusal) return "refused";
      return this.#outcome.blocked ? "blocked" : "accepted";
    }
    if (this.blocked && !this.blocked.removal) return "blocked";
    return this.#sent === view ? "sent" : "pending";
  }
}
