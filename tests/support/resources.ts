import {
  create,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { Message } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from "@xds/envoy/envoy/config/core/v3";
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
import { RouterSchema } from "@xds/envoy/envoy/extensions/filters/http/router/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import {
  DownstreamTlsContextSchema,
  type Secret,
  SecretSchema,
} from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";

/** Where an Envoy gets the resources of a type from: the aggregated stream, a service for each type, or polls of one. */
export type Source = "ads" | "sotw" | "delta" | "rest";

/** Of a message type, what `create` takes. */
type Init<T extends Message> = MessageInitShape<GenMessage<T>>;

/** A message in an `Any`. */
export function any<T extends Message>(
  schema: GenMessage<T>,
  init?: Init<T>,
): Any {
  return anyPack(schema, create(schema, init) as MessageShape<GenMessage<T>>);
}

/** A `ConfigSource` of the control plane, which the bootstrap calls `control_plane`. */
export function configSource(source: Source, timeoutSeconds = 10n) {
  const initialFetchTimeout = { seconds: timeoutSeconds };
  if (source === "ads") {
    return create(ConfigSourceSchema, {
      resourceApiVersion: ApiVersion.V3,
      initialFetchTimeout,
      configSourceSpecifier: { case: "ads", value: {} },
    });
  }
  if (source === "rest") {
    return create(ConfigSourceSchema, {
      resourceApiVersion: ApiVersion.V3,
      initialFetchTimeout,
      configSourceSpecifier: {
        case: "apiConfigSource",
        value: {
          apiType: ApiConfigSource_ApiType.REST,
          transportApiVersion: ApiVersion.V3,
          clusterNames: ["control_plane"],
          refreshDelay: { nanos: 100_000_000 },
          requestTimeout: { seconds: 4n },
        },
      },
    });
  }
  return create(ConfigSourceSchema, {
    resourceApiVersion: ApiVersion.V3,
    initialFetchTimeout,
    configSourceSpecifier: {
      case: "apiConfigSource",
      value: {
        apiType: source === "delta"
          ? ApiConfigSource_ApiType.DELTA_GRPC
          : ApiConfigSource_ApiType.GRPC,
        transportApiVersion: ApiVersion.V3,
        grpcServices: [{
          targetSpecifier: {
            case: "envoyGrpc",
            value: { clusterName: "control_plane" },
          },
        }],
      },
    },
  });
}

function address(portValue: number) {
  const socketAddress = {
    address: "127.0.0.1",
    portSpecifier: { case: "portValue", value: portValue },
  } as const;
  return { address: { case: "socketAddress", value: socketAddress } } as const;
}

/** A cluster whose endpoints come by EDS. */
export function cluster(
  name: string,
  source: Source,
  more: Partial<Cluster> = {},
): Cluster {
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: configSource(source) },
    connectTimeout: { seconds: 2n },
  });
  return Object.assign(cluster, more);
}

/** Endpoints on this machine. */
export function endpoints(
  clusterName: string,
  ...ports: number[]
): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [{
      lbEndpoints: ports.map((port) => ({
        hostIdentifier: {
          case: "endpoint",
          value: { address: address(port) },
        } as const,
      })),
    }],
  });
}

/** Routes that send everything to one cluster. */
export function routes(name: string, cluster: string): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts: [{
      name: "all",
      domains: ["*"],
      routes: [{
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        action: {
          case: "route",
          value: { clusterSpecifier: { case: "cluster", value: cluster } },
        },
      }],
    }],
  });
}

/** The router, which ends a chain of HTTP filters. */
export const router = {
  name: "router",
  configType: { case: "typedConfig", value: any(RouterSchema) },
} as const;

/** What {@linkcode listener} may be told beside its name. */
export interface ListenerParts {
  /** Whence its routes come. */
  routeSpecifier: NonNullable<
    Init<MessageShape<typeof HttpConnectionManagerSchema>>["routeSpecifier"]
  >;
  /** The HTTP filters before the router. */
  httpFilters?: Init<
    MessageShape<typeof HttpConnectionManagerSchema>
  >["httpFilters"];
  /** A secret with the certificate for TLS. */
  tls?: { secret: string; source: Source; config?: ConfigSource };
  /** The port. Default: the system chooses one. */
  port?: number;
}

/** An HTTP listener on this machine. */
export function listener(name: string, parts: ListenerParts): Listener {
  const http = any(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: parts.routeSpecifier,
    httpFilters: [...parts.httpFilters ?? [], router],
  });
  const tls = parts.tls && any(DownstreamTlsContextSchema, {
    commonTlsContext: {
      tlsCertificateSdsSecretConfigs: [{
        name: parts.tls.secret,
        sdsConfig: parts.tls.config ?? configSource(parts.tls.source),
      }],
    },
  });
  return create(ListenerSchema, {
    name,
    address: address(parts.port ?? 0),
    filterChains: [{
      filters: [{
        name: "http",
        configType: { case: "typedConfig", value: http },
      }],
      transportSocket: tls &&
        { name: "tls", configType: { case: "typedConfig", value: tls } },
    }],
  });
}

/** Routes by RDS. */
export function rds(
  routeConfigName: string,
  source: Source,
): ListenerParts["routeSpecifier"] {
  return {
    case: "rds",
    value: { routeConfigName, configSource: configSource(source) },
  };
}

/** A certificate and its key. */
export function certificate(name: string, cert: string, key: string): Secret {
  return create(SecretSchema, {
    name,
    type: {
      case: "tlsCertificate",
      value: {
        certificateChain: { specifier: { case: "inlineString", value: cert } },
        privateKey: { specifier: { case: "inlineString", value: key } },
      },
    },
  });
}

/** Routes within the listener that answer with some text. */
export function answering(text: string): ListenerParts["routeSpecifier"] {
  return {
    case: "routeConfig",
    value: {
      name: "routes",
      virtualHosts: [{
        name: "all",
        domains: ["*"],
        routes: [{
          match: { pathSpecifier: { case: "prefix", value: "/" } },
          action: {
            case: "directResponse",
            value: {
              status: 200,
              body: { specifier: { case: "inlineString", value: text } },
            },
          },
        }],
      }],
    },
  };
}
