import {
  create,
  fromBinary,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import {
  RouteConfigurationSchema,
  VirtualHostSchema,
} from "@xds/envoy/envoy/config/route/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { SecretSchema } from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import {
  createResource,
  type Resource,
  shortName,
  TypeUrl,
} from "../../lib/resource/mod.ts";

/** How scripts write the resources of a type: `name`, `name=content`, and `->` with the names that it refers to. */
interface Notation {
  make(name: string, content: string, refers: readonly string[]): Message;
  /** A resource's name and content, of its bytes. */
  read(bytes: Uint8Array): readonly [name: string, content: string];
}

const notations: Readonly<Record<string, Notation>> = {
  Cluster: {
    make: (name, altStatName, [serviceName]) =>
      create(ClusterSchema, {
        name,
        altStatName,
        ...serviceName && {
          clusterDiscoveryType: {
            case: "type",
            value: Cluster_DiscoveryType.EDS,
          },
          edsClusterConfig: { serviceName },
        },
      }),
    read(bytes) {
      const cluster = fromBinary(ClusterSchema, bytes);
      return [cluster.name, cluster.altStatName];
    },
  },
  ClusterLoadAssignment: {
    make: (clusterName, zone) =>
      create(ClusterLoadAssignmentSchema, {
        clusterName,
        // Lest it have the bytes, and so the version, of a cluster of that name.
        policy: { overprovisioningFactor: 140 },
        endpoints: zone ? [{ locality: { zone } }] : [],
      }),
    read(bytes) {
      const endpoints = fromBinary(ClusterLoadAssignmentSchema, bytes);
      const zone = endpoints.endpoints[0]?.locality?.zone ?? "";
      return [endpoints.clusterName, zone];
    },
  },
  Listener: {
    make: (name, statPrefix, routes) =>
      create(ListenerSchema, {
        name,
        statPrefix,
        filterChains: routes.map((routeConfigName) => {
          const typedConfig = pack(HttpConnectionManagerSchema, {
            routeSpecifier: { case: "rds", value: { routeConfigName } },
          });
          const configType = {
            case: "typedConfig",
            value: typedConfig,
          } as const;
          return { filters: [{ name: "http", configType }] };
        }),
      }),
    read(bytes) {
      const listener = fromBinary(ListenerSchema, bytes);
      return [listener.name, listener.statPrefix];
    },
  },
  RouteConfiguration: {
    make: (name, content, clusters) =>
      create(RouteConfigurationSchema, {
        name,
        responseHeadersToRemove: content ? [content] : [],
        virtualHosts: clusters.map(virtualHost),
      }),
    read(bytes) {
      const routes = fromBinary(RouteConfigurationSchema, bytes);
      return [routes.name, routes.responseHeadersToRemove[0] ?? ""];
    },
  },
  VirtualHost: {
    make: (name, content, clusters) =>
      create(VirtualHostSchema, {
        ...virtualHost(clusters[0] ?? ""),
        name,
        responseHeadersToRemove: content ? [content] : [],
      }),
    read(bytes) {
      const host = fromBinary(VirtualHostSchema, bytes);
      return [host.name, host.responseHeadersToRemove[0] ?? ""];
    },
  },
  Secret: {
    make: (name, content) =>
      create(SecretSchema, {
        name,
        type: {
          case: "genericSecret",
          value: {
            secret: {
              specifier: { case: "inlineString", value: content },
            },
          },
        },
      }),
    read(bytes) {
      const { name, type } = fromBinary(SecretSchema, bytes);
      const specifier = type.case === "genericSecret"
        ? type.value.secret?.specifier
        : undefined;
      return [name, specifier?.case === "inlineString" ? specifier.value : ""];
    },
  },
};

/** The type URL that a script's short name stands for; undefined if it is none. */
export function typeOf(short: string): string | undefined {
  return short in notations
    ? TypeUrl[short as keyof typeof TypeUrl]
    : undefined;
}

/** The resource that a script writes as `a`, `a=2`, `a~30`, `a->x` or `a=2~30->x+y`. */
export function resource(typeUrl: string, text: string): Resource {
  const [head, refers] = text.split("->");
  const [left, seconds] = head.split("~");
  const [name, content = ""] = left.split("=");
  const { make } = notations[shortName(typeUrl)];
  const message = make(name, content, refers?.split("+") ?? []);
  const ttl = seconds === undefined ? undefined : Number(seconds) * 1000;
  return createResource(message, { ttl });
}

/** How a script writes the resource in an `Any`, without what it refers to. */
export function written({ typeUrl, value }: Any): string {
  const [name, content] = notations[shortName(typeUrl)].read(value);
  return content ? `${name}=${content}` : name;
}

function virtualHost(cluster: string) {
  const pathSpecifier = { case: "prefix", value: "/" } as const;
  const clusterSpecifier = { case: "cluster", value: cluster } as const;
  const action = { case: "route", value: { clusterSpecifier } } as const;
  const routes = [{ match: { pathSpecifier }, action }];
  return { name: cluster, domains: [cluster], routes };
}

function pack(
  schema: typeof HttpConnectionManagerSchema,
  init: MessageInitShape<typeof HttpConnectionManagerSchema>,
): Any {
  return anyPack(schema, create(schema, init));
}
