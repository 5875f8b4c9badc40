import type { DescMessage } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TypedExtensionConfigSchema } from "@xds/envoy/envoy/config/core/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import {
  RouteConfigurationSchema,
  ScopedRouteConfigurationSchema,
  VirtualHostSchema,
} from "@xds/envoy/envoy/config/route/v3";
import {
  RouteConfigurationSchema as ThriftRouteConfigurationSchema,
} from "@xds/envoy/envoy/extensions/filters/network/thrift_proxy/v3";
import { SecretSchema } from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import { RuntimeSchema } from "@xds/envoy/envoy/service/runtime/v3";
import { RateLimitConfigSchema } from "@xds/envoy/ratelimit/config/ratelimit/v3";
import { shortName, TypeUrl, typeUrl } from "../../mod.ts";

Deno.test("TypeUrl has every v3 resource type, as its schema says", () => {
  const schemas: Record<keyof typeof TypeUrl, DescMessage> = {
    Cluster: ClusterSchema,
    ClusterLoadAssignment: ClusterLoadAssignmentSchema,
    Listener: ListenerSchema,
    RouteConfiguration: RouteConfigurationSchema,
    ScopedRouteConfiguration: ScopedRouteConfigurationSchema,
    VirtualHost: VirtualHostSchema,
    Secret: SecretSchema,
    Runtime: RuntimeSchema,
    TypedExtensionConfig: TypedExtensionConfigSchema,
    RateLimitConfig: RateLimitConfigSchema,
    ThriftRouteConfiguration: ThriftRouteConfigurationSchema,
  };
  const fromSchemas = Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, typeUrl(schema)]),
  );
  assertEquals<Record<string, string>>({ ...TypeUrl }, fromSchemas);
});

Deno.test("a short name is the last part of a type URL", () => {
  assertEquals(shortName(TypeUrl.Cluster), "Cluster");
  assertEquals(shortName("type.googleapis.com/Thing"), "Thing");
  assertEquals(shortName("acme.Thing"), "Thing");
});
