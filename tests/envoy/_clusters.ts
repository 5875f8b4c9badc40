import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import type { Envoy } from "../support/envoy.ts";

/** A cluster without endpoints, which Envoy refuses if it has 0 seconds to connect. */
export function cluster(name: string, seconds: number): Cluster {
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: { seconds: BigInt(seconds) },
  });
}

/** The clusters that Envoy has, each with its timeout. */
export async function clusters(envoy: Envoy): Promise<string[]> {
  const page = "/config_dump?resource=dynamic_active_clusters";
  const { configs = [] } = JSON.parse(await envoy.admin(page)) as {
    configs?: { cluster: { name: string; connect_timeout: string } }[];
  };
  return configs.map(({ cluster }) =>
    `${cluster.name} ${cluster.connect_timeout}`
  ).sort();
}
