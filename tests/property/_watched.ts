import type {
  Cache,
  Client,
  Outcome,
  View,
  Watch,
  WatchRequest,
  WatchSink,
} from "../../lib/cache/mod.ts";

/** A watch, and what was said to it and by it last. */
export interface Seen {
  readonly request: WatchRequest;
  view?: View;
  settled?: View;
  outcome?: Outcome;
}

/** Watches of a cache, with what it was told last of who has come to rest. */
export class Watched implements Cache {
  readonly watches = new Set<Seen>();

  constructor(readonly cache: Cache) {}

  watch(request: WatchRequest, sink: WatchSink): Watch {
    const seen: Seen = { request };
    this.watches.add(seen);
    const watch = this.cache.watch(request, {
      changed(view, names) {
        seen.view = view;
        sink.changed(view, names);
      },
      heartbeat: () => sink.heartbeat?.(),
    });
    return {
      get sequencing() {
        return watch.sequencing;
      },
      get history() {
        return watch.history;
      },
      subscribed: () => watch.subscribed?.(),
      progress(progress) {
        if (progress.kind === "settled") {
          seen.settled = progress.view;
          seen.outcome = progress.outcome;
        }
        watch.progress?.(progress);
      },
      [Symbol.dispose]: () => {
        this.watches.delete(seen);
        watch[Symbol.dispose]();
      },
    };
  }

  /** The watch of a type by a client, of which the number is its node's cluster. */
  of(client: number, typeUrl: string): Seen | undefined {
    return [...this.watches].find(({ request }) =>
      request.client.node.cluster === String(client) &&
      request.typeUrl === typeUrl
    );
  }

  get clients(): Client[] {
    return [...new Set([...this.watches].map((its) => its.request.client))];
  }
}
