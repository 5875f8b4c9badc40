/**
 * Clusters that are found when traffic needs them (ODCDS): `deno run --allow-net examples/on_demand.ts [port]`
 *
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { OnDemandCache, serve, TypeUrl } from "@xds/control-plane";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";

/** Stands for a registry of services that is slow, or large. */
const registry = new Set(["users", "carts"]);

const cache = new OnDemandCache(({ typeUrl, name }) => {
  if (typeUrl !== TypeUrl.Cluster || !registry.has(name)) return undefined;
  const type = Cluster_DiscoveryType.LOGICAL_DNS;
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: type },
  });
});
const port = Number(Deno.args[0] ?? 18_000);
const { addr } = await serve({ cache, hostname: "127.0.0.1", port });
console.log(`serving clusters on ${addr.port}`);

// A service that comes to be is sent to those who asked for it in vain.
setTimeout(() => {
  registry.add("orders");
  cache.invalidate("orders");
}, 2_000);
