import {
  type DescMethod,
  type DescService,
  getOption,
} from "@bufbuild/protobuf";
import { ClusterDiscoveryService } from "@xds/envoy/envoy/service/cluster/v3";
import {
  AggregatedDiscoveryService,
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { EndpointDiscoveryService } from "@xds/envoy/envoy/service/endpoint/v3";
import { ExtensionConfigDiscoveryService } from "@xds/envoy/envoy/service/extension/v3";
import { ListenerDiscoveryService } from "@xds/envoy/envoy/service/listener/v3";
import {
  RouteDiscoveryService,
  ScopedRoutesDiscoveryService,
  VirtualHostDiscoveryService,
} from "@xds/envoy/envoy/service/route/v3";
import { RuntimeDiscoveryService } from "@xds/envoy/envoy/service/runtime/v3";
import { SecretDiscoveryService } from "@xds/envoy/envoy/service/secret/v3";
import { http } from "@xds/envoy/google/api";
import { RateLimitConfigDiscoveryService } from "@xds/envoy/ratelimit/service/ratelimit/v3";
import type { Protocol } from "../protocol/mod.ts";
import { TypeUrl } from "../resource/mod.ts";

/** A discovery service, and the type that it serves; undefined for the aggregated one. */
export interface DiscoveryService {
  readonly service: DescService;
  readonly typeUrl: string | undefined;
}

/** Every v3 discovery service. */
export const discoveryServices: readonly DiscoveryService[] = [
  { service: AggregatedDiscoveryService, typeUrl: undefined },
  { service: ClusterDiscoveryService, typeUrl: TypeUrl.Cluster },
  { service: EndpointDiscoveryService, typeUrl: TypeUrl.ClusterLoadAssignment },
  { service: ListenerDiscoveryService, typeUrl: TypeUrl.Listener },
  { service: RouteDiscoveryService, typeUrl: TypeUrl.RouteConfiguration },
  {
    service: ScopedRoutesDiscoveryService,
    typeUrl: TypeUrl.ScopedRouteConfiguration,
  },
  { service: VirtualHostDiscoveryService, typeUrl: TypeUrl.VirtualHost },
  { service: SecretDiscoveryService, typeUrl: TypeUrl.Secret },
  { service: RuntimeDiscoveryService, typeUrl: TypeUrl.Runtime },
  {
    service: ExtensionConfigDiscoveryService,
    typeUrl: TypeUrl.TypedExtensionConfig,
  },
  {
    service: RateLimitConfigDiscoveryService,
    typeUrl: TypeUrl.RateLimitConfig,
  },
];

/** Whether a method answers one request with the state of the world. */
export function isFetch(method: DescMethod): boolean {
  return method.methodKind === "unary" &&
    method.output.typeName === DiscoveryResponseSchema.typeName;
}

/** The path that a method has over REST, as its proto says; undefined if it has none. */
export function restPath(method: DescMethod): string | undefined {
  const { pattern } = getOption(method, http);
  return pattern.case === "post" ? pattern.value : undefined;
}

/** The protocol that a method streams, or undefined if it is no stream of discovery. */
export function streamedProtocol(method: DescMethod): Protocol | undefined {
  if (method.methodKind !== "bidi_streaming") return undefined;
  if (method.output.typeName === DiscoveryResponseSchema.typeName) {
    return "sotw";
  }
  if (method.output.typeName === DeltaDiscoveryResponseSchema.typeName) {
    return "delta";
  }
  return undefined;
}
