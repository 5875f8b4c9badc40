import { create } from "@bufbuild/protobuf";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@xds/envoy/envoy/config/endpoint/v3";
import {
  type Listener,
  ListenerSchema,
} from "@xds/envoy/envoy/config/listener/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { any, endpoints, rds, router } from "../support/resources.ts";

/** What a target `xds:///NAME` resolves to: a listener that says where its routes come from, and has no address. */
export function apiListener(name: string, routes: string): Listener {
  const http = any(HttpConnectionManagerSchema, {
    routeSpecifier: rds(routes, "ads"),
    httpFilters: [router],
  });
  return create(ListenerSchema, { name, apiListener: { apiListener: http } });
}

/** Endpoints in one locality. Unlike Envoy, gRPC passes a locality without a weight over. */
export function weighted(
  clusterName: string,
  ...ports: number[]
): ClusterLoadAssignment {
  const assignment = endpoints(clusterName, ...ports);
  for (const locality of assignment.endpoints) {
    Object.assign(
      locality,
      create(ClusterLoadAssignmentSchema, {
        endpoints: [{
          locality: { region: "test" },
          loadBalancingWeight: 1,
          lbEndpoints: locality.lbEndpoints,
        }],
      }).endpoints[0],
    );
  }
  return assignment;
}
