import type { DescMessage } from "@bufbuild/protobuf";
import {
  type Cache,
  createSnapshot,
  LinearCache,
  MuxCache,
  SnapshotCache,
} from "../../lib/cache/mod.ts";
import { type Resource, typeUrl } from "../../lib/resource/mod.ts";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TypedExtensionConfigSchema } from "@xds/envoy/envoy/config/core/v3";
import {
  ClusterLoadAssignmentSchema,
} from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import {
  SecretSchema,
} from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import type { FakeClock } from "../support/clock.ts";
import { KEY } from "./_driver.ts";

/** A cache under test, to which the resources of a script are given as a whole. */
export interface Subject {
  readonly cache: Cache;
  /** Whether changes are ordered, so that nothing is ever used that is not there. */
  readonly makesBeforeBreak: boolean;
  set(resources: readonly Resource[]): void;
}

/** The caches under test, by name. */
export const cacheNames = [
  "ads",
  "ads-versioned",
  "default",
  "linear",
] as const;

/** Name of a cache under test. */
export type CacheName = typeof cacheNames[number];

/** Makes a cache under test. */
export function makeCache(name: CacheName, clock: FakeClock): Subject {
  if (name === "linear") return linear(clock);
  const isAds = name !== "default";
  const cache = new SnapshotCache({ ads: isAds, clock });
  let serial = 0;
  return {
    cache,
    makesBeforeBreak: isAds,
    set(resources) {
      const version = name === "ads-versioned" ? `v${++serial}` : undefined;
      cache.set(KEY, createSnapshot({ resources, version }));
    },
  };
}

/** One cache for each type, with one that picks among them. */
function linear(clock: FakeClock): Subject {
  const options = { clock, makeBeforeBreak: true };
  const caches = new Map<string, Cache & Pick<LinearCache, "replace">>();
  for (
    const schema of [
      ClusterSchema,
      ClusterLoadAssignmentSchema,
      ListenerSchema,
      RouteConfigurationSchema,
      SecretSchema,
      TypedExtensionConfigSchema,
    ] as DescMessage[]
  ) caches.set(typeUrl(schema), new LinearCache(schema, options));
  return {
    cache: new MuxCache(({ typeUrl }) => caches.get(typeUrl)),
    makesBeforeBreak: true,
    set(resources) {
      for (const [typeUrl, cache] of caches) {
        cache.replace(resources.filter((its) => its.typeUrl === typeUrl));
      }
    },
  };
}
