import { create } from "@bufbuild/protobuf";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { createSnapshot, type Snapshot } from "../../mod.ts";

/** A snapshot of clusters of about 300 bytes each, different in every version. */
export function clusters(count: number, version: number): Snapshot {
  const text = `version-${String(version).padStart(6, "0")}-`.repeat(14);
  return createSnapshot({
    version: String(version),
    resources: Array.from({ length: count }, (_, i) =>
      create(ClusterSchema, {
        name: `cluster-${String(i).padStart(5, "0")}`,
        altStatName: text,
        clusterDiscoveryType: {
          case: "type",
          value: Cluster_DiscoveryType.EDS,
        },
        connectTimeout: { seconds: 5n },
      })),
  });
}
