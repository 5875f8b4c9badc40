/**
 * Several caches on one stream, by type and node: `deno run --allow-net examples/mux.ts [port]`
 *
 * @module
 */
import { create } from "@bufbuild/protobuf";
import {
  createSnapshot,
  LinearCache,
  MuxCache,
  serve,
  SnapshotCache,
  TypeUrl,
} from "@xds/control-plane";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";

// Clusters are everybody's, listeners those of a node's cluster; a canary tries what is to come.
const clusters = new LinearCache(ClusterSchema);
const canary = new LinearCache(ClusterSchema, {
  resources: [create(ClusterSchema, { name: "users-next" })],
});
const listeners = new SnapshotCache({ nodeKey: (node) => node.cluster });
clusters.set(create(ClusterSchema, { name: "users" }));
const web = create(ListenerSchema, { name: "web" });
listeners.set("edge", createSnapshot({ resources: [web] }));

const cache = new MuxCache(({ typeUrl, client }) => {
  if (typeUrl === TypeUrl.Listener) return listeners;
  if (typeUrl !== TypeUrl.Cluster) return undefined;
  return client.node.metadata?.canary ? canary : clusters;
});
const port = Number(Deno.args[0] ?? 18_000);
const { addr } = await serve({ cache, hostname: "127.0.0.1", port });
console.log(`serving clusters and listeners on ${addr.port}`);
