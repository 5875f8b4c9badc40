import {
  create,
  type DescMessage,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { ApiVersion } from "@xds/envoy/envoy/config/core/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { RuntimeSchema } from "@xds/envoy/envoy/service/runtime/v3";
import { createResource, type Resource } from "../../mod.ts";

/** The types that benchmarks serve, by their short names. */
export type TypeName = keyof typeof makers;

const ads = {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { case: "ads", value: {} },
} as const;

/** A message's type, and what a message is made of. */
interface Made {
  readonly schema: DescMessage;
  readonly init: MessageInitShape<DescMessage>;
}

function made<D extends DescMessage>(
  schema: D,
  init: MessageInitShape<D>,
): Made {
  return { schema, init };
}

const makers = {
  /** About 300 bytes. */
  Cluster: (number: string, revision: number): Made =>
    made(ClusterSchema, {
      name: `cluster-${number}`,
      altStatName: `${revisionName(revision)}-`.repeat(14),
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
      edsClusterConfig: { edsConfig: ads },
      connectTimeout: { seconds: 5n },
    }),
  ClusterLoadAssignment: (number: string, revision: number): Made =>
    made(ClusterLoadAssignmentSchema, {
      clusterName: `cluster-${number}`,
      endpoints: [{
        lbEndpoints: [0, 1, 2, 3].map((net) => ({
          hostIdentifier: {
            case: "endpoint" as const,
            value: {
              address: address(
                `10.${net}.${revision >> 8 & 255}.${revision & 255}`,
                8080,
              ),
            },
          },
        })),
      }],
    }),
  Listener: (number: string, revision: number): Made =>
    made(ListenerSchema, {
      name: `listener-${number}`,
      address: address("0.0.0.0", 10_000 + Number(number)),
      filterChains: [{
        filters: [{
          name: "envoy.filters.network.http_connection_manager",
          configType: {
            case: "typedConfig",
            value: anyPack(
              HttpConnectionManagerSchema,
              create(HttpConnectionManagerSchema, {
                statPrefix: revisionName(revision),
                routeSpecifier: {
                  case: "rds",
                  value: {
                    configSource: ads,
                    routeConfigName: `route-${number}`,
                  },
                },
              }),
            ),
          },
        }],
      }],
    }),
  RouteConfiguration: (number: string, revision: number): Made =>
    made(RouteConfigurationSchema, {
      name: `route-${number}`,
      virtualHosts: [{
        name: revisionName(revision),
        domains: ["*"],
        routes: [{
          match: { pathSpecifier: { case: "prefix", value: "/" } },
          action: {
            case: "route",
            value: {
              clusterSpecifier: { case: "cluster", value: `cluster-${number}` },
            },
          },
        }],
      }],
    }),
  Runtime: (number: string): Made =>
    made(RuntimeSchema, { name: `runtime-${number}` }),
};

/** Makes what go/peer/resources.go makes: all of a revision differ from those of any other. */
export function messages(
  type: TypeName,
  from: number,
  count: number,
  revision: number,
): Message[] {
  return Array.from({ length: count }, (_, i) => {
    const { schema, init } = makers[type](digits(from + i), revision);
    return create(schema, init);
  });
}

/** Makes the resources of the same, without their messages. */
export function resources(
  type: TypeName,
  from: number,
  count: number,
  revision: number,
): Resource[] {
  return Array.from({ length: count }, (_, i) => {
    const { schema, init } = makers[type](digits(from + i), revision);
    return createResource(schema, init);
  });
}

function digits(number: number): string {
  return String(number).padStart(5, "0");
}

function revisionName(revision: number): string {
  return `version-${String(revision).padStart(6, "0")}`;
}

function address(ip: string, port: number) {
  return {
    address: {
      case: "socketAddress",
      value: {
        address: ip,
        portSpecifier: { case: "portValue", value: port },
      },
    },
  } as const;
}
