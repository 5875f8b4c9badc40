import type {
  Attributes,
  BatchObservableCallback,
  Meter,
} from "@opentelemetry/api";
import type { CacheEvent, Countable, TypeStats } from "../cache/mod.ts";
import { LATENCY_BUCKETS } from "./_buckets.ts";

/** What caches are called. */
export type NamedCaches = ReadonlyMap<Countable, string>;

const counts = {
  resources: ["Resources that are served", "{resource}"],
  watches: ["Clients that ask for a type", "{watch}"],
  blocked: [
    "Watches of which something waits for their client, or for time to pass",
    "{watch}",
  ],
  quarantined: [
    "Resources that are not served, since they break a rule of Envoy's protos",
    "{resource}",
  ],
} as const satisfies Record<keyof TypeStats, readonly [string, string]>;

/** Counts what is in caches whenever the metrics are read. Disposing of it ends that. */
export function meterCaches(
  meter: Meter,
  caches: NamedCaches,
  typeName: (typeUrl: string) => string,
): Disposable {
  const fields = Object.keys(counts) as (keyof TypeStats)[];
  const gauges = new Map(fields.map((field) => {
    const [description, unit] = counts[field];
    const options = { description, unit };
    return [
      field,
      meter.createObservableUpDownCounter(`xds.cache.${field}`, options),
    ];
  }));
  const unsettled = meter.createObservableUpDownCounter(
    "xds.cache.unsettled",
    {
      description: "Watches whose client has not answered the newest",
      unit: "{watch}",
    },
  );
  const observed = [...gauges.values(), unsettled];
  const callback: BatchObservableCallback = (result) => {
    for (const [cache, name] of caches) {
      const stats = cache.stats();
      const cacheName = { "xds.cache": name };
      if (stats.unsettled !== undefined) {
        result.observe(unsettled, stats.unsettled, cacheName);
      }
      for (const field of fields) {
        for (const [type, count] of sums(stats.types, field, typeName)) {
          const attributes = { ...cacheName, "xds.type": type };
          result.observe(gauges.get(field)!, count, attributes);
        }
      }
    }
  };
  meter.addBatchObservableCallback(callback, observed);
  return {
    [Symbol.dispose]: () =>
      meter.removeBatchObservableCallback(callback, observed),
  };
}

/** A count by the names of types, several of which may have the same. */
function sums(
  types: ReadonlyMap<string, TypeStats>,
  field: keyof TypeStats,
  typeName: (typeUrl: string) => string,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [typeUrl, stats] of types) {
    const name = typeName(typeUrl);
    sums.set(name, (sums.get(name) ?? 0) + stats[field]);
  }
  return sums;
}

/** Counts what an observer of caches is told of. */
export function meterChanges(
  meter: Meter,
  caches: NamedCaches,
  withKeys: boolean,
): (event: CacheEvent) => void {
  const spread = meter.createHistogram("xds.cache.spread.duration", {
    description:
      "Time from a change until a share of the clients that it concerns (xds.share: 0.5, 0.99 and 1) have answered it",
    unit: "s",
    advice: { explicitBucketBoundaries: LATENCY_BUCKETS },
  });
  const overtaken = meter.createCounter("xds.cache.overtaken", {
    description:
      "Changes that a newer one overtook before all clients had answered",
    unit: "{change}",
  });
  const rollouts = meter.createCounter("xds.cache.rollouts", {
    description:
      "Rollouts that went to some nodes (begun), and then to all (promoted)",
    unit: "{rollout}",
  });
  const rollbacks = meter.createCounter("xds.cache.rollbacks", {
    description: "Changes that were taken back, since a client refused them",
    unit: "{change}",
  });
  return (event) => {
    const attributes: Attributes = {};
    const name = caches.get(event.cache);
    if (name !== undefined) attributes["xds.cache"] = name;
    if (withKeys && event.key !== undefined) {
      attributes["xds.key"] = String(event.key);
    }
    switch (event.kind) {
      case "spread":
        spread.record(event.duration / 1000, {
          ...attributes,
          "xds.share": event.share,
        });
        break;
      case "overtake":
        overtaken.add(1, attributes);
        break;
      case "rollout":
      case "promote": {
        const state = event.kind === "rollout" ? "begun" : "promoted";
        rollouts.add(1, { ...attributes, "xds.rollout.state": state });
        break;
      }
      case "rollback":
        rollbacks.add(1, attributes);
        break;
    }
  };
}
