import { create } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { ExtAuthzSchema } from "@xds/envoy/envoy/extensions/filters/http/ext_authz/v3";
import { TcpProxySchema } from "@xds/envoy/envoy/extensions/filters/network/tcp_proxy/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { ClusterConfigSchema } from "@xds/envoy/envoy/extensions/clusters/aggregate/v3";
import { createSnapshot, shortName, TypeUrl } from "../../mod.ts";
import {
  any,
  cluster,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";

function messages(snapshot: ReturnType<typeof createSnapshot>): string[] {
  return snapshot.check().map(({ message }) => message);
}

function tcpListener(name: string, cluster: string) {
  const value = any(TcpProxySchema, {
    clusterSpecifier: { case: "cluster", value: cluster },
  });
  const configType = { case: "typedConfig", value } as const;
  return create(ListenerSchema, {
    name,
    filterChains: [{ filters: [{ name: "tcp", configType }] }],
  });
}

Deno.test("a route to a cluster that is not there is found, wherever it names it", () => {
  const prefix = { pathSpecifier: { case: "prefix", value: "/" } } as const;
  const routes = create(RouteConfigurationSchema, {
    name: "r",
    requestMirrorPolicies: [{ cluster: "mirror-of-all" }],
    virtualHosts: [{
      name: "h",
      domains: ["*"],
      routes: [
        {
          match: prefix,
          action: {
            case: "route",
            value: {
              clusterSpecifier: { case: "cluster", value: "one" },
              requestMirrorPolicies: [{ cluster: "mirror" }],
            },
          },
        },
        {
          match: prefix,
          action: {
            case: "route",
            value: {
              clusterSpecifier: {
                case: "weightedClusters",
                value: { clusters: [{ name: "half" }, { name: "other-half" }] },
              },
            },
          },
        },
      ],
    }],
  });
  const missing = (path: string, name: string) =>
    `RouteConfiguration "r": ${path} refers to Cluster "${name}", which the snapshot does not have`;
  const action = (route: number) => `virtual_hosts[0].routes[${route}].route.`;
  const weights = "weighted_clusters.clusters";
  assertEquals(
    messages(createSnapshot({ resources: [routes] })).sort(),
    [
      missing("request_mirror_policies[0].cluster", "mirror-of-all"),
      missing(`${action(0)}cluster`, "one"),
      missing(`${action(0)}request_mirror_policies[0].cluster`, "mirror"),
      missing(`${action(1)}${weights}[0].name`, "half"),
      missing(`${action(1)}${weights}[1].name`, "other-half"),
    ].sort(),
  );
});

Deno.test("clusters of filters are found inside Anys: tcp_proxy, ext_authz, aggregate clusters", () => {
  const authz = any(ExtAuthzSchema, {
    services: {
      case: "grpcService",
      value: {
        targetSpecifier: {
          case: "envoyGrpc",
          value: { clusterName: "authz" },
        },
      },
    },
  });
  const snapshot = createSnapshot({
    resources: [
      tcpListener("tcp", "db"),
      listener("web", {
        routeSpecifier: rds("routes", "ads"),
        httpFilters: [{
          name: "authz",
          configType: { case: "typedConfig", value: authz },
        }],
      }),
      routes("routes", "all"),
      create(ClusterSchema, {
        name: "all",
        clusterDiscoveryType: {
          case: "clusterType",
          value: {
            name: "aggregate",
            typedConfig: any(ClusterConfigSchema, {
              clusters: ["near", "far"],
            }),
          },
        },
      }),
    ],
  });
  const http = "filter_chains[0].filters[0].typed_config.";
  assertEquals(messages(snapshot), [
    `Listener "tcp": ${http}cluster refers to Cluster "db", which the snapshot does not have`,
    `Listener "web": ${http}http_filters[0].typed_config.grpc_service.envoy_grpc.cluster_name refers to Cluster "authz", which the snapshot does not have`,
    'Cluster "all": cluster_type.typed_config.clusters[0] refers to Cluster "near", which the snapshot does not have',
    'Cluster "all": cluster_type.typed_config.clusters[1] refers to Cluster "far", which the snapshot does not have',
  ]);
  const external = ["db", "authz", "near", "far"].map((name) => ({
    typeUrl: TypeUrl.Cluster,
    name,
  }));
  assertEquals(snapshot.check({ external }), []);
});

Deno.test("where xDS comes from is no reference to a cluster", () => {
  const snapshot = createSnapshot({
    resources: [cluster("users", "sotw"), endpoints("users", 1)],
  });
  assertEquals(snapshot.check(), []);
});

Deno.test("orphans are what nothing refers to", () => {
  const snapshot = createSnapshot({
    resources: [
      listener("web", { routeSpecifier: rds("routes", "ads") }),
      routes("routes", "users"),
      routes("old-routes", "users"),
      cluster("users", "ads"),
      cluster("carts", "ads"),
      endpoints("users", 1),
      endpoints("gone", 1),
      endpoints("carts", 1),
    ],
  });
  assertEquals(
    snapshot.orphans().map(({ typeUrl, name }) =>
      `${shortName(typeUrl)} ${name}`
    ),
    [
      "Cluster carts",
      "ClusterLoadAssignment gone",
      "RouteConfiguration old-routes",
    ],
  );
});
