import {
  create,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { assertEquals } from "@std/assert";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import {
  ConfigSourceSchema,
  TypedExtensionConfigSchema,
} from "@xds/envoy/envoy/config/core/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import {
  RouteConfigurationSchema,
  ScopedRouteConfigurationSchema,
} from "@xds/envoy/envoy/config/route/v3";
import { CompositeSchema } from "@xds/envoy/envoy/extensions/filters/http/composite/v3";
import { OAuth2Schema } from "@xds/envoy/envoy/extensions/filters/http/oauth2/v3";
import { RouterSchema } from "@xds/envoy/envoy/extensions/filters/http/router/v3";
import {
  HttpConnectionManagerSchema,
} from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { ThriftProxySchema } from "@xds/envoy/envoy/extensions/filters/network/thrift_proxy/v3";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import {
  QuicDownstreamTransportSchema,
} from "@xds/envoy/envoy/extensions/transport_sockets/quic/v3";
import { createResource, TypeUrl } from "../../mod.ts";
import { any, configSource, rds } from "../support/resources.ts";

const ads = configSource("ads");
const file = create(ConfigSourceSchema, {
  configSourceSpecifier: {
    case: "pathConfigSource",
    value: { path: "/etc/envoy/x.yaml" },
  },
});
const oldFile = create(ConfigSourceSchema, {
  configSourceSpecifier: { case: "path", value: "/etc/envoy/x.yaml" },
});

/** What a resource refers to, a line each: `path -> Type "name"`. */
function references(message: Message): string[] {
  const { references, malformed } = createResource(message).references;
  assertEquals(malformed, []);
  return references.map(({ path, typeUrl, name, onDemand }) => {
    const [type] = Object.entries(TypeUrl).find(([, url]) => url === typeUrl)!;
    return `${path} -> ${type} ${name}${onDemand ? ", on demand" : ""}`;
  });
}

function typed(name: string, value: Any) {
  return { name, configType: { case: "typedConfig", value } } as const;
}

type Http = MessageInitShape<typeof HttpConnectionManagerSchema>;

function web(http: Http) {
  return create(ListenerSchema, {
    name: "web",
    filterChains: [{
      filters: [
        typed(
          "http",
          any(HttpConnectionManagerSchema, http),
        ),
      ],
    }],
  });
}

const HCM = "filter_chains[0].filters[0].typed_config";

Deno.test("a listener refers to its routes", () => {
  assertEquals(references(web({ routeSpecifier: rds("routes", "ads") })), [
    `${HCM}.rds.route_config_name -> RouteConfiguration routes`,
  ]);
  // Routes of its own refer to nothing.
  assertEquals(
    references(
      web({ routeSpecifier: { case: "routeConfig", value: { name: "r" } } }),
    ),
    [],
  );
});

Deno.test("a listener refers from its default filter chain as from any other", () => {
  const http = (routes: string) =>
    typed(
      "http",
      any(HttpConnectionManagerSchema, { routeSpecifier: rds(routes, "ads") }),
    );
  const listener = create(ListenerSchema, {
    name: "web",
    filterChains: [{ filters: [http("a")] }, {
      filters: [typed("router", any(RouterSchema)), http("b")],
    }],
    defaultFilterChain: { filters: [http("c")] },
  });
  assertEquals(references(listener), [
    "filter_chains[0].filters[0].typed_config.rds.route_config_name -> RouteConfiguration a",
    "filter_chains[1].filters[1].typed_config.rds.route_config_name -> RouteConfiguration b",
    "default_filter_chain.filters[0].typed_config.rds.route_config_name -> RouteConfiguration c",
  ]);
});

Deno.test("a listener refers to the routes of a Thrift proxy", () => {
  const listener = create(ListenerSchema, {
    name: "thrift",
    defaultFilterChain: {
      filters: [
        typed(
          "thrift",
          any(ThriftProxySchema, {
            trds: { routeConfigName: "methods", configSource: ads },
          }),
        ),
      ],
    },
  });
  assertEquals(references(listener), [
    "default_filter_chain.filters[0].typed_config.trds.route_config_name -> ThriftRouteConfiguration methods",
  ]);
});

Deno.test("a listener refers to scoped routes, and those to routes", () => {
  const scoped = (source: typeof ads) =>
    web({
      routeSpecifier: {
        case: "scopedRoutes",
        value: {
          name: "scopes",
          rdsConfigSource: ads,
          configSpecifier: {
            case: "scopedRds",
            value: { scopedRdsConfigSource: source },
          },
        },
      },
    });
  assertEquals(references(scoped(ads)), [
    `${HCM}.scoped_routes.scoped_rds.scoped_rds_config_source -> ScopedRouteConfiguration *`,
  ]);
  assertEquals(references(scoped(file)), []);

  const scope = (onDemand: boolean) =>
    create(ScopedRouteConfigurationSchema, {
      name: "s",
      onDemand,
      routeConfigurationName: "routes",
    });
  assertEquals(references(scope(false)), [
    "route_configuration_name -> RouteConfiguration routes",
  ]);
  assertEquals(references(scope(true)), [
    "route_configuration_name -> RouteConfiguration routes, on demand",
  ]);

  const inline = web({
    routeSpecifier: {
      case: "scopedRoutes",
      value: {
        name: "scopes",
        rdsConfigSource: ads,
        configSpecifier: {
          case: "scopedRouteConfigurationsList",
          value: {
            scopedRouteConfigurations: [scope(false), scope(true)],
          },
        },
      },
    },
  });
  const list =
    `${HCM}.scoped_routes.scoped_route_configurations_list.scoped_route_configurations`;
  assertEquals(references(inline), [
    `${list}[0].route_configuration_name -> RouteConfiguration routes`,
    `${list}[1].route_configuration_name -> RouteConfiguration routes, on demand`,
  ]);
});

Deno.test("a listener refers to secrets, for certificates and what they are checked by", () => {
  const tls = create(DownstreamTlsContextSchema, {
    commonTlsContext: {
      tlsCertificateSdsSecretConfigs: [
        { name: "cert-1", sdsConfig: ads },
        { name: "cert-2", sdsConfig: ads },
      ],
      validationContextType: {
        case: "combinedValidationContext",
        value: {
          defaultValidationContext: {},
          validationContextSdsSecretConfig: { name: "ca", sdsConfig: ads },
        },
      },
    },
    sessionTicketKeysType: {
      case: "sessionTicketKeysSdsSecretConfig",
      value: { name: "tickets", sdsConfig: ads },
    },
  });
  const listener = create(ListenerSchema, {
    name: "tls",
    filterChains: [
      { transportSocket: typed("tls", any(DownstreamTlsContextSchema, tls)) },
      {
        transportSocket: typed(
          "quic",
          any(QuicDownstreamTransportSchema, { downstreamTlsContext: tls }),
        ),
      },
    ],
  });
  const from = (context: string) => [
    `${context}.common_tls_context.tls_certificate_sds_secret_configs[0].name -> Secret cert-1`,
    `${context}.common_tls_context.tls_certificate_sds_secret_configs[1].name -> Secret cert-2`,
    `${context}.common_tls_context.combined_validation_context.validation_context_sds_secret_config.name -> Secret ca`,
    `${context}.session_ticket_keys_sds_secret_config.name -> Secret tickets`,
  ];
  assertEquals(references(listener), [
    ...from("filter_chains[0].transport_socket.typed_config"),
    ...from(
      "filter_chains[1].transport_socket.typed_config.downstream_tls_context",
    ),
  ]);
});

Deno.test("a secret without a source is the bootstrap's, and no reference", () => {
  const tls = any(UpstreamTlsContextSchema, {
    commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: "static" }] },
  });
  const cluster = create(ClusterSchema, {
    name: "users",
    transportSocket: typed("tls", tls),
  });
  assertEquals(references(cluster), []);
});

Deno.test("a listener refers to extension configs: of network, listener and HTTP filters", () => {
  const discovery = (
    name: string,
    source: typeof ads,
    defaultConfig?: Any,
  ) => ({
    name,
    configType: {
      case: "configDiscovery",
      value: {
        configSource: source,
        defaultConfig,
        typeUrls: [] as string[],
      },
    },
  } as const);
  const http = any(HttpConnectionManagerSchema, {
    routeSpecifier: rds("routes", "ads"),
    httpFilters: [
      typed("composite", any(CompositeSchema)),
      discovery("http-filter", ads),
      discovery("of-a-file", file),
      typed("router", any(RouterSchema)),
    ],
  });
  const listener = create(ListenerSchema, {
    name: "web",
    listenerFilters: [discovery("listener-filter", ads)],
    filterChains: [{
      // The config that holds until another is found may refer to something, too.
      filters: [discovery("network-filter", ads, http), typed("http", http)],
    }],
  });
  const chain = "filter_chains[0].filters";
  assertEquals(references(listener).sort(), [
    `${chain}[0].config_discovery.default_config.http_filters[1].name -> TypedExtensionConfig http-filter`,
    `${chain}[0].config_discovery.default_config.rds.route_config_name -> RouteConfiguration routes`,
    `${chain}[0].name -> TypedExtensionConfig network-filter`,
    `${chain}[1].typed_config.http_filters[1].name -> TypedExtensionConfig http-filter`,
    `${chain}[1].typed_config.rds.route_config_name -> RouteConfiguration routes`,
    `listener_filters[0].name -> TypedExtensionConfig listener-filter`,
  ]);
});

Deno.test("a cluster refers to its endpoints, by its service's name where it has one", () => {
  const eds = { case: "type", value: Cluster_DiscoveryType.EDS } as const;
  const cluster = (serviceName: string, edsConfig = ads) =>
    create(ClusterSchema, {
      name: "users",
      clusterDiscoveryType: eds,
      edsClusterConfig: { serviceName, edsConfig },
    });
  assertEquals(references(cluster("")), [
    "name -> ClusterLoadAssignment users",
  ]);
  assertEquals(references(cluster("users-v2")), [
    "eds_cluster_config.service_name -> ClusterLoadAssignment users-v2",
  ]);
  assertEquals(references(cluster("users-v2", file)), []);
  assertEquals(references(cluster("", oldFile)), []);
  // Of another type, its endpoints are its own.
  const own = cluster("users-v2");
  own.clusterDiscoveryType = {
    case: "type",
    value: Cluster_DiscoveryType.STRICT_DNS,
  };
  assertEquals(references(own), []);
});

Deno.test("a cluster refers to secrets, in each of its transport sockets", () => {
  const tls = (secret: string) =>
    typed(
      "tls",
      any(UpstreamTlsContextSchema, {
        commonTlsContext: {
          tlsCertificateSdsSecretConfigs: [{ name: secret, sdsConfig: ads }],
        },
      }),
    );
  const cluster = create(ClusterSchema, {
    name: "users",
    transportSocketMatches: [{ name: "m", transportSocket: tls("matched") }],
    transportSocket: tls("mine"),
  });
  const field = "common_tls_context.tls_certificate_sds_secret_configs[0].name";
  assertEquals(references(cluster).sort(), [
    `transport_socket.typed_config.${field} -> Secret mine`,
    `transport_socket_matches[0].transport_socket.typed_config.${field} -> Secret matched`,
  ]);
});

Deno.test("references are found in Anys as deep as they nest", () => {
  // In a route's own config of a filter, which is in a map, in an Any in an Any.
  const oauth = any(OAuth2Schema, {
    config: {
      credentials: {
        clientId: "me",
        tokenSecret: { name: "token", sdsConfig: ads },
      },
    },
  });
  const routes = create(RouteConfigurationSchema, {
    name: "routes",
    virtualHosts: [{
      name: "v",
      typedPerFilterConfig: {
        "oauth.2": any(AnySchema, any(AnySchema, oauth)),
      },
    }],
  });
  assertEquals(references(routes), [
    'virtual_hosts[0].typed_per_filter_config["oauth.2"].config.credentials.token_secret.name -> Secret token',
  ]);
  const extension = create(TypedExtensionConfigSchema, {
    name: "oauth",
    typedConfig: oauth,
  });
  assertEquals(references(extension), [
    "typed_config.config.credentials.token_secret.name -> Secret token",
  ]);
});

Deno.test("routes refer to the clusters that they send traffic to", () => {
  const routes = create(RouteConfigurationSchema, {
    name: "routes",
    virtualHosts: [{
      name: "v",
      routes: [{
        action: {
          case: "route",
          value: {
            clusterSpecifier: {
              case: "weightedClusters",
              value: { clusters: [{ name: "a" }, { name: "b" }] },
            },
            requestMirrorPolicies: [{ cluster: "mirror" }],
          },
        },
      }, {
        action: {
          case: "route",
          value: { clusterSpecifier: { case: "cluster", value: "c" } },
        },
      }, {
        // Which cluster it is, a header says.
        action: {
          case: "route",
          value: { clusterSpecifier: { case: "clusterHeader", value: "x" } },
        },
      }],
    }],
  });
  const route = "virtual_hosts[0].routes";
  assertEquals(references(routes).sort(), [
    `${route}[0].route.request_mirror_policies[0].cluster -> Cluster mirror`,
    `${route}[0].route.weighted_clusters.clusters[0].name -> Cluster a`,
    `${route}[0].route.weighted_clusters.clusters[1].name -> Cluster b`,
    `${route}[1].route.cluster -> Cluster c`,
  ]);
});

Deno.test("what comes from a file is no control plane's to serve", () => {
  for (const source of [file, oldFile]) {
    const value = { routeConfigName: "routes", configSource: source };
    assertEquals(
      references(web({ routeSpecifier: { case: "rds", value } })),
      [],
    );
    const tls = any(DownstreamTlsContextSchema, {
      commonTlsContext: {
        tlsCertificateSdsSecretConfigs: [{ name: "cert", sdsConfig: source }],
      },
    });
    const listener = create(ListenerSchema, {
      name: "web",
      filterChains: [{ transportSocket: typed("tls", tls) }],
    });
    assertEquals(references(listener), []);
  }
});
