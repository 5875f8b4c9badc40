import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import type { AddressSchema } from "@xds/envoy/envoy/config/core/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import {
  RouteConfigurationSchema,
  VirtualHostSchema,
} from "@xds/envoy/envoy/config/route/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { TcpProxySchema } from "@xds/envoy/envoy/extensions/filters/network/tcp_proxy/v3";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  SecretSchema,
  UpstreamTlsContextSchema,
} from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
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
    make: (name, altStatName, refers) => {
      const [serviceName] = ofKind(refers, undefined);
      const [secret] = ofKind(refers, "secret");
      return create(ClusterSchema, {
        name,
        altStatName,
        ...serviceName && {
          clusterDiscoveryType: {
            case: "type",
            value: Cluster_DiscoveryType.EDS,
          },
          edsClusterConfig: { serviceName },
        },
        ...secret && {
          transportSocket: {
            name: "tls",
            configType: {
              case: "typedConfig",
              value: pack(UpstreamTlsContextSchema, {
                commonTlsContext: commonTls(secret),
              }),
            },
          },
        },
      });
    },
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
    make: (name, statPrefix, refers) => {
      const [secret] = ofKind(refers, "secret");
      const [port] = ofKind(refers, "port");
      const filters = [
        ...ofKind(refers, undefined).map((routeConfigName) =>
          pack(HttpConnectionManagerSchema, {
            routeSpecifier: { case: "rds", value: { routeConfigName } },
          })
        ),
        ...ofKind(refers, "cluster").map((value) =>
          pack(TcpProxySchema, { clusterSpecifier: { case: "cluster", value } })
        ),
      ];
      const [api] = ofKind(refers, "api");
      return create(ListenerSchema, {
        name,
        statPrefix,
        ...port && { address: address(Number(port)) },
        ...api && {
          apiListener: {
            apiListener: pack(HttpConnectionManagerSchema, {
              routeSpecifier: { case: "rds", value: { routeConfigName: api } },
            }),
          },
        },
        filterChains: filters.map((value) => ({
          filters: [{
            name: "filter",
            configType: { case: "typedConfig" as const, value },
          }],
          ...secret && {
            transportSocket: {
              name: "tls",
              configType: {
                case: "typedConfig" as const,
                value: pack(DownstreamTlsContextSchema, {
                  commonTlsContext: commonTls(secret),
                }),
              },
            },
          },
        })),
      });
    },
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

function pack<D extends DescMessage>(
  schema: D,
  init: MessageInitShape<D>,
): Any {
  return anyPack(schema, create(schema, init));
}

/** What is referred to by a prefix, as in `secret:s`; or without one. */
function ofKind(refers: readonly string[], kind: string | undefined): string[] {
  return refers
    .map((refer) => refer.includes(":") ? refer.split(":") : [undefined, refer])
    .filter(([own]) => own === kind)
    .map(([, name]) => name!);
}

/** A certificate by SDS: `s`, or `s@15` with an initial fetch timeout of 15 seconds, and so with a config source of its own. */
function commonTls(
  secret: string,
): MessageInitShape<typeof CommonTlsContextSchema> {
  const [name, seconds] = secret.split("@");
  const configSourceSpecifier = { case: "ads", value: {} } as const;
  const sdsConfig = {
    configSourceSpecifier,
    ...seconds && { initialFetchTimeout: { seconds: BigInt(seconds) } },
  };
  return { tlsCertificateSdsSecretConfigs: [{ name, sdsConfig }] };
}

function address(portValue: number): MessageInitShape<typeof AddressSchema> {
  const portSpecifier = { case: "portValue", value: portValue } as const;
  const value = { address: "127.0.0.1", portSpecifier };
  return { address: { case: "socketAddress", value } };
}
