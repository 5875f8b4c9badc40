import { create } from "@bufbuild/protobuf";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@xds/envoy/envoy/config/endpoint/v3";
import {
  type Listener,
  ListenerSchema,
} from "@xds/envoy/envoy/config/listener/v3";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@xds/envoy/envoy/config/route/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import type { Resource } from "../../mod.ts";
import { createResource } from "../../mod.ts";
import {
  any,
  cluster,
  endpoints,
  rds,
  router,
  routes,
} from "../support/resources.ts";
import type { Backend } from "./_backend.ts";

/** What a target `xds:///NAME` resolves to: a listener that says where its routes come from, and has no address. */
export function apiListener(name: string, routes: string): Listener {
  const http = any(HttpConnectionManagerSchema, {
    routeSpecifier: rds(routes, "ads"),
    httpFilters: [router],
  });
  return create(ListenerSchema, { name, apiListener: { apiListener: http } });
}

/** Endpoints in one locality. Unlike Envoy, gRPC passes a locality without a weight over. */
export function localEndpoints(
  clusterName: string,
  ...backends: Backend[]
): ClusterLoadAssignment {
  const ports = backends.map(({ port }) => port);
  const [{ lbEndpoints }] = endpoints(clusterName, ...ports).endpoints;
  const locality = { region: "test" };
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [{ locality, loadBalancingWeight: 1, lbEndpoints }],
  });
}

/** Routes that split calls evenly. */
export function splitRoutes(
  name: string,
  ...clusters: string[]
): RouteConfiguration {
  const weighted = clusters.map((name) => ({ name, weight: 1 }));
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts: [{
      name: "all",
      domains: ["*"],
      routes: [{
        match: { pathSpecifier: { case: "prefix", value: "" } },
        action: {
          case: "route",
          value: {
            clusterSpecifier: {
              case: "weightedClusters",
              value: { clusters: weighted },
            },
          },
        },
      }],
    }],
  });
}

/** A cluster and its endpoints, by the name of a backend. */
export function backendCluster(backend: Backend): Resource[] {
  return [
    createResource(cluster(backend.name, "ads")),
    createResource(localEndpoints(backend.name, backend)),
  ];
}

/** All that a client needs for its calls to `xds:///echo` to go to a backend. */
export function echo(backend: Backend): Resource[] {
  return [
    createResource(apiListener("echo", "echo-routes")),
    createResource(routes("echo-routes", backend.name)),
    ...backendCluster(backend),
  ];
}
