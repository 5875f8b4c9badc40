import {
  createRegistry,
  fromJson,
  type JsonObject,
  type Message,
} from "@bufbuild/protobuf";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TypedExtensionConfigSchema } from "@xds/envoy/envoy/config/core/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { ClusterConfigSchema } from "@xds/envoy/envoy/extensions/clusters/aggregate/v3";
import { HeaderMutationSchema } from "@xds/envoy/envoy/extensions/filters/http/header_mutation/v3";
import { RouterSchema } from "@xds/envoy/envoy/extensions/filters/http/router/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { TcpProxySchema } from "@xds/envoy/envoy/extensions/filters/network/tcp_proxy/v3";
import {
  DownstreamTlsContextSchema,
  SecretSchema,
  UpstreamTlsContextSchema,
} from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import { createSnapshot, type Snapshot } from "../../mod.ts";
import { pem } from "../support/certs.ts";
import type { ClusterSpec, FilterSpec, TlsSpec, World } from "./_world.ts";

/** The ports that configurations refer to. */
export interface Ports {
  /** Of the two upstreams. */
  readonly upstreams: readonly [number, number];
  /** Of the listener `web`. */
  readonly web: number;
  /** Of the listener for TLS. */
  readonly tls: number;
}

/** The certificates that secrets hold. */
export const CERTIFICATES = ["server", "client"] as const;

const registry = createRegistry(
  ClusterConfigSchema,
  DownstreamTlsContextSchema,
  HeaderMutationSchema,
  HttpConnectionManagerSchema,
  RouterSchema,
  TcpProxySchema,
  UpstreamTlsContextSchema,
);

const API = "type.googleapis.com/envoy.extensions";
const HCM =
  `${API}.filters.network.http_connection_manager.v3.HttpConnectionManager`;
const ROUTER = `${API}.filters.http.router.v3.Router`;
const TCP_PROXY = `${API}.filters.network.tcp_proxy.v3.TcpProxy`;
const TLS = `${API}.transport_sockets.tls.v3.DownstreamTlsContext`;
const UPSTREAM_TLS = `${API}.transport_sockets.tls.v3.UpstreamTlsContext`;
const HEADERS = `${API}.filters.http.header_mutation.v3.HeaderMutation`;
const AGGREGATE = `${API}.clusters.aggregate.v3.ClusterConfig`;
const ADS = { ads: {}, resource_api_version: "V3" };

/** The snapshot for a world: every name that it refers to is in it. */
export function snapshotOf(
  world: World,
  ports: Ports,
  version?: string,
): Snapshot {
  const resources: Message[] = [
    ...clusterResources(world, ports),
    fromJson(ListenerSchema, webListener(world, ports), { registry }),
    ...secrets(world).map((json) => fromJson(SecretSchema, json)),
  ];
  if (world.routes.name !== undefined) {
    resources.push(fromJson(RouteConfigurationSchema, routes(world)));
  }
  if (world.tls) {
    resources.push(
      fromJson(ListenerSchema, tlsListener(world.tls, ports), { registry }),
    );
  }
  if (world.filter) {
    resources.push(
      fromJson(TypedExtensionConfigSchema, filterConfig(world.filter), {
        registry,
      }),
    );
  }
  return createSnapshot({ resources, version });
}

function clusterResources({ clusters }: World, ports: Ports): Message[] {
  const assignments = new Map<string, JsonObject>();
  const resources: Message[] = [];
  for (const [name, spec] of clusters) {
    const json = cluster(name, spec, ports);
    resources.push(fromJson(ClusterSchema, json, { registry }));
    if (!isEds(spec)) continue;
    const edsOf = edsName(name, spec);
    assignments.set(edsOf, endpoints(edsOf, spec, ports, "127.0.0.1"));
  }
  for (const json of assignments.values()) {
    resources.push(fromJson(ClusterLoadAssignmentSchema, json));
  }
  return resources;
}

/** Whether its endpoints are resources. */
export function isEds({ kind }: ClusterSpec): boolean {
  return kind === "eds" || kind === "eds_service";
}

/** The name of a cluster's endpoints. */
export function edsName(name: string, spec: ClusterSpec): string {
  return spec.service ?? name;
}

function address(host: string, port_value: number): JsonObject {
  return { socket_address: { address: host, port_value } };
}

function endpoints(
  cluster_name: string,
  { upstreams }: ClusterSpec,
  ports: Ports,
  host: string,
): JsonObject {
  const lb_endpoints = upstreams.map((upstream) => ({
    endpoint: { address: address(host, ports.upstreams[upstream]) },
  }));
  return { cluster_name, endpoints: [{ lb_endpoints }] };
}

function stamped(stamp: number): JsonObject {
  return { filter_metadata: { stamp: { round: stamp } } };
}

function cluster(name: string, spec: ClusterSpec, ports: Ports): JsonObject {
  const common = {
    name,
    connect_timeout: "1s",
    metadata: stamped(spec.stamp),
    ...spec.authority && { transport_socket: upstreamTls(spec.authority) },
  };
  switch (spec.kind) {
    case "aggregate": {
      const clusters = [...spec.children!];
      const typed_config = { "@type": AGGREGATE, clusters };
      const name = "envoy.clusters.aggregate";
      return {
        ...common,
        lb_policy: "CLUSTER_PROVIDED",
        cluster_type: { name, typed_config },
      };
    }
    case "eds":
    case "eds_service": {
      const service = spec.service && { service_name: spec.service };
      const eds_cluster_config = { eds_config: ADS, ...service || {} };
      return { ...common, type: "EDS", eds_cluster_config };
    }
    default: {
      const host = spec.kind === "static" ? "127.0.0.1" : "localhost";
      const load_assignment = endpoints(name, spec, ports, host);
      const type = spec.kind.toUpperCase();
      return {
        ...common,
        type,
        ...spec.kind !== "static" && { dns_lookup_family: "V4_ONLY" },
        load_assignment,
      };
    }
  }
}

function upstreamTls(authority: string): JsonObject {
  const typed_config = {
    "@type": UPSTREAM_TLS,
    common_tls_context: {
      validation_context_sds_secret_config: {
        name: authority,
        sds_config: ADS,
      },
    },
  };
  return { name: "tls", typed_config };
}

function routes({ routes }: World): JsonObject {
  const [first, second] = routes.clusters;
  const target: JsonObject = second === undefined ? { cluster: first } : {
    weighted_clusters: {
      clusters: [{ name: first, weight: 1 }, { name: second, weight: 1 }],
    },
  };
  if (routes.mirror) {
    target.request_mirror_policies = [{ cluster: routes.mirror }];
  }
  return {
    name: routes.name ?? "within",
    virtual_hosts: [{
      name: `stamp-${routes.stamp}`,
      domains: ["*"],
      routes: [{ match: { prefix: "/" }, route: target }],
    }],
  };
}

function webListener(world: World, ports: Ports): JsonObject {
  const { name } = world.routes;
  const http = {
    "@type": HCM,
    stat_prefix: "web",
    ...name === undefined
      ? { route_config: routes(world) }
      : { rds: { route_config_name: name, config_source: ADS } },
    http_filters: [
      ...world.filter ? [filterReference(world.filter)] : [],
      { name: "router", typed_config: { "@type": ROUTER } },
    ],
  };
  return {
    name: "web",
    address: address("127.0.0.1", ports.web),
    metadata: stamped(world.listener),
    filter_chains: [{
      name: `stamp-${world.chain}`,
      filters: [{ name: "http", typed_config: http }],
    }],
  };
}

function filterReference({ name, timeout }: FilterSpec): JsonObject {
  const config_source = { ...ADS, initial_fetch_timeout: `${timeout}s` };
  return { name, config_discovery: { config_source, type_urls: [HEADERS] } };
}

/** A filter that adds its stamp to responses. */
function filterConfig({ name, stamp }: FilterSpec): JsonObject {
  const header = { key: "x-stamp", value: `${stamp}` };
  const typed_config = {
    "@type": HEADERS,
    mutations: { response_mutations: [{ append: { header } }] },
  };
  return { name, typed_config };
}

function tlsListener(spec: TlsSpec, ports: Ports): JsonObject {
  const sds_config = { ...ADS, initial_fetch_timeout: `${spec.timeout}s` };
  const context = {
    "@type": TLS,
    common_tls_context: {
      tls_certificate_sds_secret_configs: [{ name: spec.secret, sds_config }],
    },
  };
  const tcp = { "@type": TCP_PROXY, stat_prefix: "tls", cluster: spec.cluster };
  return {
    name: spec.name,
    address: address("127.0.0.1", ports.tls),
    metadata: stamped(spec.stamp),
    filter_chains: [{
      filters: [{ name: "tcp", typed_config: tcp }],
      transport_socket: { name: "tls", typed_config: context },
    }],
  };
}

function secrets({ tls, clusters }: World): JsonObject[] {
  const authorities = new Set(
    [...clusters.values()].flatMap(({ authority }) => authority ?? []),
  );
  const all: JsonObject[] = [...authorities].map((name) => ({
    name,
    validation_context: { trusted_ca: { inline_string: pem("ca.pem") } },
  }));
  if (tls) {
    const file = CERTIFICATES[tls.certificate];
    const tls_certificate = {
      certificate_chain: { inline_string: pem(`${file}.pem`) },
      private_key: { inline_string: pem(`${file}.key`) },
    };
    all.push({ name: tls.secret, tls_certificate });
  }
  return all;
}
