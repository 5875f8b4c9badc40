import {
  type MeterProvider,
  metrics,
  trace,
  type TracerProvider,
} from "@opentelemetry/api";
import type { CacheEvent, Countable } from "../cache/mod.ts";
import type { ServerEvent } from "../server/mod.ts";
import { meterCaches, meterChanges } from "./_caches.ts";
import { meterEvents } from "./_metrics.ts";
import { traceEvents } from "./_traces.ts";
import { typeNames } from "./_types.ts";

/** Where telemetry goes, and what it is of. */
export interface TelemetryOptions {
  /**
   * Takes the metrics. Default: the provider that is registered with OpenTelemetry's API, which has to be done before;
   * metrics that are made without one are lost.
   */
  meterProvider?: MeterProvider;
  /** Takes the spans. Default: the provider that is registered with OpenTelemetry's API. */
  tracerProvider?: TracerProvider;
  /**
   * Type URLs that have a name of their own in `xds.type`, beside those of xDS; all others, which clients may make up, are
   * `other`. Default: none.
   */
  types?: Iterable<string>;
  /**
   * Whether what becomes of changes is counted for each group by its key (`xds.key`). Not where keys are many, as when each
   * node has its own. Default: false.
   */
  keys?: boolean;
}

/** An observer for `serve` and for caches. Disposing of it ends the counting of caches. */
export interface Telemetry extends Disposable {
  /** Counts and traces an event. */
  (event: ServerEvent | CacheEvent): void;
  /**
   * Counts what is in caches, too, by what they are to be called (`xds.cache`). They are asked whenever the metrics are
   * read. One takes the place of another that was called as it is.
   */
  count(caches: Readonly<Record<string, Countable>>): void;
}

const NAME = "@xds/control-plane";

/**
 * An observer that counts and traces what happens on the streams of a server and, if it is given to caches, what becomes
 * of their changes. It has no attribute that a client could fill with values without end.
 *
 * Of a server, with the attributes `xds.protocol` (`sotw` or `delta`) and, where there is one, `xds.type` (`Cluster`):
 *
 * - `xds.server.active_clients`, `.active_streams`, `.active_subscriptions`, `.stream.duration` (s), `.requests`,
 *   `.stale_requests`, `.refused_clients`, `.limits` (`xds.limit`: its name in `Limits`)
 * - `.responses`, `.response.resources`, `.response.size` (By), `.ack.duration` (s, a histogram; `xds.ack`: whether it was
 *   accepted), `.nacks`
 * - `.active_blocked`, `.blocked`, `.blocked.duration` (s), `.stalls`: what waits, or did (`xds.blocked.reason`, see
 *   `BlockedReason`), and waits for long
 *
 * Of what is in the caches that `count` was given, with `xds.cache` and `xds.type`: `xds.cache.resources`, `.watches`, `.blocked`, `.quarantined`, and,
 * for all types together, `.unsettled`.
 *
 * Of changes, where it is the `observer` of a cache: `xds.cache.spread.duration` (s, a histogram: from the change until
 * `xds.share`, 0.5, 0.99 or 1, of the clients that it concerns have answered it), `.overtaken`, `.rollouts`
 * (`xds.rollout.state`), `.rollbacks`.
 *
 * Spans: one for each stream, and in it one for each response until it is answered, and one for all that is blocked
 * until it goes on.
 *
 * @example
 * ```ts
 * import { serve, SnapshotCache } from "@xds/control-plane";
 * import { telemetry } from "@xds/control-plane/telemetry";
 *
 * using observer = telemetry();
 * const snapshots = new SnapshotCache({ ads: true, observer });
 * observer.count({ snapshots });
 * await using server = await serve({ cache: snapshots, hostname: "127.0.0.1", port: 0, observer });
 * ```
 */
export function telemetry(options: TelemetryOptions = {}): Telemetry {
  const { types = [], keys = false } = options;
  const meter = (options.meterProvider ?? metrics).getMeter(NAME);
  const tracer = (options.tracerProvider ?? trace).getTracer(NAME);
  const typeName = typeNames(types);
  const caches = new Map<Countable, string>();
  const measure = meterEvents(meter, typeName);
  const follow = traceEvents(tracer, typeName);
  const change = meterChanges(meter, caches, keys);
  let counting: Disposable | undefined;
  const observe = (event: ServerEvent | CacheEvent) => {
    if ("cache" in event) change(event);
    else {
      measure(event);
      follow(event);
    }
  };
  return Object.assign(observe, {
    count(named: Readonly<Record<string, Countable>>) {
      const names = new Set(Object.keys(named));
      for (const [cache, name] of caches) {
        if (names.has(name)) caches.delete(cache);
      }
      for (const [name, cache] of Object.entries(named)) {
        caches.set(cache, name);
      }
      counting ??= meterCaches(meter, caches, typeName);
    },
    [Symbol.dispose]() {
      counting?.[Symbol.dispose]();
      counting = undefined;
      caches.clear();
    },
  });
}
