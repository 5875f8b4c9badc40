import {
  create,
  type DescMessage,
  fromJson,
  type JsonObject,
  toBinary,
} from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { assertEquals, assertThrows } from "@std/assert";
import {
  type Cluster_LbPolicy,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import {
  ExtensionConfigSourceSchema,
  HeaderValueSchema,
  HealthCheckSchema,
  MetadataSchema,
  SchemeHeaderTransformationSchema,
  TypedExtensionConfigSchema,
} from "@xds/envoy/envoy/config/core/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { HistogramBucketSettingsSchema } from "@xds/envoy/envoy/config/metrics/v3";
import { PermissionSchema } from "@xds/envoy/envoy/config/rbac/v3";
import {
  HeaderMatcherSchema,
  InternalRedirectPolicySchema,
  RateLimit_HitsAddendSchema,
  RouteMatchSchema,
  VirtualHostSchema,
} from "@xds/envoy/envoy/config/route/v3";
import { MaxMindConfigSchema } from "@xds/envoy/envoy/extensions/geoip_providers/maxmind/v3";
import { AudienceSchema } from "@xds/envoy/envoy/extensions/filters/http/gcp_authn/v3";
import { UriTemplateMatchConfigSchema } from "@xds/envoy/envoy/extensions/path/match/uri_template/v3";
import { HttpGenericBodyMatch_GenericTextMatchSchema } from "@xds/envoy/envoy/config/common/matcher/v3";
import { FileServerConfigSchema } from "@xds/envoy/envoy/extensions/filters/http/file_server/v3";
import { FieldSelectorSchema } from "@xds/envoy/envoy/extensions/filters/http/thrift_to_metadata/v3";
import { ShadowDecisionSchema } from "@xds/envoy/envoy/extensions/filters/http/ext_authz/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { DownstreamConnectionsConfigSchema } from "@xds/envoy/envoy/extensions/resource_monitors/downstream_connections/v3";
import { BucketIdSchema } from "@xds/envoy/envoy/service/rate_limit_quota/v3";
import { HttpStatusSchema } from "@xds/envoy/envoy/type/v3";
import { ruledMessages } from "@xds/envoy/rules";
import {
  createResource,
  validateResource,
  ValidationError,
} from "../../mod.ts";
import { compiledMessage } from "../../lib/resource/rules/_message.ts";
import { pattern } from "../../lib/resource/rules/_pattern.ts";
import { findViolations } from "../../lib/resource/rules/mod.ts";

/** What a message of JSON breaks, each in a line. */
function broken(schema: DescMessage, json: JsonObject): string[] {
  return brokenBytes(schema, toBinary(schema, fromJson(schema, json)));
}

function brokenBytes(schema: DescMessage, bytes: Uint8Array): string[] {
  return findViolations(`type.googleapis.com/${schema.typeName}`, bytes).map(
    ({ path, message, rule }) => `${path}: ${message} (${rule})`,
  );
}

/** A sound health check, but for what it checks. */
const how = {
  timeout: "1s",
  interval: "5s",
  unhealthyThreshold: 3,
  healthyThreshold: 2,
};
const check = { ...how, tcpHealthCheck: {} };
const wellKnown = "(string.well_known_regex)";
const strict = String.raw`"^[^\x00-\b\n-\x1f\x7f]*$"`;
const lax = String.raw`"^[^\x00\n\r]*$"`;

const cases: [
  rule: string,
  schema: DescMessage,
  json: JsonObject,
  ...found: string[],
][] = [
  [
    "string.min_len",
    ClusterSchema,
    {},
    "name: value length must be at least 1 characters (string.min_len)",
  ],
  ["string.min_len, kept", ClusterSchema, { name: "a" }],
  [
    "string.max_len counts characters, not bytes",
    UriTemplateMatchConfigSchema,
    { pathTemplate: "é".repeat(257) },
    "path_template: value must have between 1 and 256 characters inclusive (string.max_len)",
  ],
  [
    "string.max_len, kept",
    UriTemplateMatchConfigSchema,
    { pathTemplate: "é".repeat(256) },
  ],
  [
    "string.max_bytes",
    HeaderValueSchema,
    { key: "é".repeat(8_193), value: "v" },
    "key: value length must be at most 16384 bytes (string.max_bytes)",
  ],
  [
    "string.well_known_regex, not strict",
    HeaderValueSchema,
    { key: "k", value: "a\rb" },
    `value: value does not match regex pattern ${lax} ${wellKnown}`,
  ],
  [
    "string.well_known_regex, strict",
    HealthCheckSchema,
    { ...how, httpHealthCheck: { path: "/a\u0007" } },
    `http_health_check.path: value does not match regex pattern ${strict} ${wellKnown}`,
  ],
  [
    "string.pattern",
    RouteMatchSchema,
    { pathSeparatedPrefix: "/a/" },
    'path_separated_prefix: value does not match regex pattern "^[^?#]+[^?#/]$" (string.pattern)',
  ],
  ["string.pattern, kept", RouteMatchSchema, { pathSeparatedPrefix: "/a" }],
  [
    "string.prefix and string.suffix",
    RateLimit_HitsAddendSchema,
    { format: "x%" },
    'format: value does not have prefix "%" (string.prefix)',
  ],
  [
    "string.suffix",
    RateLimit_HitsAddendSchema,
    { format: "%x" },
    'format: value does not have suffix "%" (string.suffix)',
  ],
  [
    "string.ignore_empty",
    RateLimit_HitsAddendSchema,
    {},
  ],
  [
    "string.in",
    SchemeHeaderTransformationSchema,
    { schemeToOverwrite: "ftp" },
    "scheme_to_overwrite: value must be in list [http https] (string.in)",
  ],
  [
    "bytes.min_len",
    HttpGenericBodyMatch_GenericTextMatchSchema,
    { binaryMatch: "" },
    "binary_match: value length must be at least 1 bytes (bytes.min_len)",
  ],
  [
    "bytes.max_len",
    HeaderValueSchema,
    { key: "k", rawValue: "A".repeat(21_852) },
    "raw_value: value length must be between 0 and 16384 bytes, inclusive (bytes.max_len)",
  ],
  [
    "enum.defined_only",
    ClusterSchema,
    { name: "a", type: 9, lbPolicy: 4 },
    "type: value must be one of the defined enum values (enum.defined_only)",
    "lb_policy: value must be one of the defined enum values (enum.defined_only)",
  ],
  [
    "enum.not_in",
    HttpStatusSchema,
    {},
    "code: value must not be in list [Empty] (enum.not_in)",
  ],
  [
    "bool.const",
    PermissionSchema,
    { any: false },
    "any: value must equal true (bool.const)",
  ],
  [
    "duration.gt",
    ClusterSchema,
    { name: "a", connectTimeout: "0s", dnsRefreshRate: "0.001s" },
    "connect_timeout: value must be greater than 0s (duration.gt)",
    "dns_refresh_rate: value must be greater than 1ms (duration.gt)",
  ],
  [
    "duration.gt, kept",
    ClusterSchema,
    { name: "a", connectTimeout: "0.000000001s", dnsRefreshRate: "0.002s" },
  ],
  [
    "duration.required, message.required",
    HealthCheckSchema,
    { tcpHealthCheck: {} },
    "timeout: value is required (duration.required)",
    "interval: value is required (duration.required)",
    "unhealthy_threshold: value is required (message.required)",
    "healthy_threshold: value is required (message.required)",
  ],
  [
    "oneof.required",
    HealthCheckSchema,
    how,
    "health_checker: is required (oneof.required)",
  ],
  [
    "message.required of one of a oneof",
    RouteMatchSchema,
    { prefix: "/" },
  ],
  [
    "uint32.lte",
    ListenerSchema,
    { address: { socketAddress: { address: "a", portValue: 65_536 } } },
    "address.socket_address.port_value: value must be less than or equal to 65535 (uint32.lte)",
  ],
  [
    "uint32.lte in a list",
    ClusterLoadAssignmentSchema,
    { clusterName: "a", endpoints: [{ priority: 129 }] },
    "endpoints[0].priority: value must be less than or equal to 128 (uint32.lte)",
  ],
  [
    "uint32 in a wrapper",
    ClusterLoadAssignmentSchema,
    { clusterName: "a", policy: { overprovisioningFactor: 0 } },
    "policy.overprovisioning_factor: value must be greater than 0 (uint32.gt)",
  ],
  [
    "uint32.ignore_empty",
    ShadowDecisionSchema,
    { statusCode: 0 },
  ],
  [
    "int32",
    FieldSelectorSchema,
    { name: "f", id: -32_769 },
    "id: value must be inside range [-32768, 32767] (int32.gte)",
  ],
  ["int32, kept", FieldSelectorSchema, { name: "f", id: -32_768 }],
  [
    "int64.gt",
    DownstreamConnectionsConfigSchema,
    { maxActiveDownstreamConnections: "-9007199254740993" },
    "max_active_downstream_connections: value must be greater than 0 (int64.gt)",
  ],
  [
    "double, unique",
    HistogramBucketSettingsSchema,
    { match: { exact: "a" }, buckets: [0.5, 0, 0.5] },
    "buckets[1]: value must be greater than 0 (repeated.items.double.gt)",
    "buckets[2]: repeated value must contain unique items (repeated.unique)",
  ],
  [
    "repeated.min_items",
    VirtualHostSchema,
    { name: "a" },
    "domains: value must contain at least 1 item(s) (repeated.min_items)",
  ],
  [
    "repeated.items",
    VirtualHostSchema,
    { name: "a", domains: ["a", "b\n"] },
    `domains[1]: value does not match regex pattern ${lax} (repeated.items.string.well_known_regex)`,
  ],
  [
    "repeated.max_items",
    ClusterSchema,
    { name: "a", healthChecks: Array(9).fill(check) },
    "health_checks: value must contain no more than 8 item(s) (repeated.max_items)",
  ],
  [
    "repeated.unique of strings",
    InternalRedirectPolicySchema,
    { responseHeadersToCopy: ["a", "a"] },
    "response_headers_to_copy[1]: repeated value must contain unique items (repeated.unique)",
  ],
  [
    "map",
    BucketIdSchema,
    { bucket: {} },
    "bucket: value must contain at least 1 pair(s) (map.min_pairs)",
  ],
  [
    "map.keys and map.values",
    BucketIdSchema,
    { bucket: { "": "v", k: "" } },
    'bucket[""]: value length must be at least 1 characters (map.keys.string.min_len)',
    'bucket["k"]: value length must be at least 1 characters (map.values.string.min_len)',
  ],
  [
    "map.keys.string.pattern",
    FileServerConfigSchema,
    { managerConfig: { threadPool: {} }, contentTypes: { "T!": "v" } },
    String
      .raw`content_types["T!"]: value does not match regex pattern "^[a-z0-9_\\-]*$" (map.keys.string.pattern)`,
  ],
  [
    "any.required, which ends the search there",
    ExtensionConfigSourceSchema,
    { typeUrls: ["t"] },
    "config_source: value is required (any.required)",
  ],
  [
    "any.required of a message that is no Any",
    ExtensionConfigSourceSchema,
    { typeUrls: ["t"], configSource: {} },
  ],
  [
    "string.pattern with a dot",
    MaxMindConfigSchema,
    { commonProviderConfig: {}, cityDbPath: "a\n.mmdb" },
    String
      .raw`city_db_path: value does not match regex pattern "^$|^.*\\.mmdb$" (string.pattern)`,
  ],
  [
    "string.pattern with white space",
    AudienceSchema,
    { url: "u", accessToken: { scopes: ["a\u00a0b", "a b"] } },
    String
      .raw`access_token.scopes[1]: value does not match regex pattern "^[^\\s,]+$" (repeated.items.string.pattern)`,
  ],
  [
    "a message that is skipped",
    HeaderMatcherSchema,
    { name: "a", stringMatch: { exact: "" } },
  ],
];

for (const [rule, schema, json, ...found] of cases) {
  Deno.test(`rules: ${rule}`, () => {
    assertEquals(broken(schema, json), found);
  });
}

Deno.test("rules hold in what an Any has, however deep, and the path leads there", () => {
  const http = anyPack(
    HttpConnectionManagerSchema,
    create(HttpConnectionManagerSchema, {
      routeSpecifier: {
        case: "routeConfig",
        value: { virtualHosts: [{ domains: ["*"] }] },
      },
    }),
  );
  const listener = create(ListenerSchema, {
    name: "edge",
    filterChains: [{
      filters: [{
        name: "http",
        configType: { case: "typedConfig", value: http },
      }],
    }],
  });
  const path = "filter_chains[0].filters[0].typed_config.";
  assertEquals(
    validateResource(listener).map((violation) => violation.path),
    [
      `${path}stat_prefix`,
      `${path}route_config.virtual_hosts[0].name`,
    ],
  );
});

Deno.test("an Any of a type that nobody knows is passed over", () => {
  const typedConfig = {
    typeUrl: "type.googleapis.com/example.Unknown",
    value: new Uint8Array([255]),
  };
  const extension = create(TypedExtensionConfigSchema, {
    name: "a",
    typedConfig,
  });
  assertEquals(validateResource(extension), []);
});

Deno.test("what Envoy does not look into is not looked into", () => {
  const key = anyPack(HeaderValueSchema, create(HeaderValueSchema));
  const found = broken(MetadataSchema, {});
  assertEquals(found, []);
  const metadata = create(MetadataSchema, {
    typedFilterMetadata: { "": key, own: key },
  });
  assertEquals(
    brokenBytes(MetadataSchema, toBinary(MetadataSchema, metadata)),
    [
      'typed_filter_metadata[""]: value length must be at least 1 characters (map.keys.string.min_len)',
    ],
  );
});

Deno.test("bytes that are no message are a violation of their field", () => {
  assertEquals(brokenBytes(ClusterSchema, new Uint8Array([10, 5, 97])), [
    ": not a protobuf message: field 1 ends past the last byte (wire)",
  ]);
  const name = new Uint8Array([10, 1, 0xff]);
  assertEquals(
    findViolations(`type.googleapis.com/${ClusterSchema.typeName}`, name)
      .map(({ path, rule }) => [path, rule]),
    [["", "wire"]],
  );
});

Deno.test("of fields that occur twice the last counts, and messages add up", () => {
  const bytes = (json: JsonObject) =>
    toBinary(ClusterSchema, fromJson(ClusterSchema, json));
  const joined = (...parts: JsonObject[]) =>
    new Uint8Array(parts.flatMap((part) => [...bytes(part)]));
  const name = "a";
  const twice = joined({ name, type: 9 }, { type: 3 }, { name: "b" });
  assertEquals(brokenBytes(ClusterSchema, twice), []);
  // The fields of a duration: 0 seconds in the one part, 5 nanoseconds in the other.
  const timeout = new Uint8Array([...bytes({ name }), 34, 0, 34, 2, 16, 5]);
  assertEquals(brokenBytes(ClusterSchema, timeout), []);
  // Of a oneof, what is set last is what is set.
  const other = joined({ name, type: 9 }, {
    clusterType: { name: "x", typedConfig: {} },
  });
  assertEquals(brokenBytes(ClusterSchema, other), []);
});

Deno.test("lists are read packed and not", () => {
  const { typeName } = HistogramBucketSettingsSchema;
  const sound = toBinary(
    HistogramBucketSettingsSchema,
    fromJson(HistogramBucketSettingsSchema, {
      match: { exact: "a" },
      buckets: [1, 2],
    }),
  );
  const zero = [17, 0, 0, 0, 0, 0, 0, 0, 0];
  const found = findViolations(
    `x/${typeName}`,
    new Uint8Array([...sound, ...zero]),
  );
  assertEquals(found.map(({ path }) => path), ["buckets[2]"]);
});

Deno.test("messages that are nested too deep are told of, and do no harm", () => {
  // A permission that is not a permission that is not a permission …
  let nested: number[] = [24, 1];
  for (let depth = 0; depth < 200; depth++) {
    const length: number[] = [];
    for (let rest = nested.length;; rest >>= 7) {
      length.push(rest > 127 ? rest & 127 | 128 : rest);
      if (rest <= 127) break;
    }
    nested = [66, ...length, ...nested];
  }
  const [{ rule, message }] = findViolations(
    `x/${PermissionSchema.typeName}`,
    new Uint8Array(nested),
  );
  assertEquals([rule, message], [
    "wire",
    "messages are nested deeper than 100",
  ]);
});

Deno.test("every rule of Envoy's protos is one that is known", () => {
  const types = Object.keys(ruledMessages());
  assertEquals(types.length > 1_000, true);
  for (const type of types) compiledMessage(type);
});

Deno.test("a pattern whose syntax may mean something else is turned away", () => {
  assertThrows(() => pattern("\\d+"), Error, "what \\d of");
  assertThrows(() => pattern("(?i)a"), Error, "a group with a flag");
  assertThrows(() => pattern("[[:alpha:]]"), Error, "a class within a class");
});

Deno.test("createResource throws, where it is asked to, and names what and why", () => {
  const users = create(ClusterSchema, {
    name: "users",
    connectTimeout: {},
    lbPolicy: 4 as Cluster_LbPolicy,
  });
  const error = assertThrows(
    () => createResource(users, { validate: "error" }),
    ValidationError,
  );
  assertEquals(
    error.message,
    "what Envoy would refuse:\n" +
      '  Cluster "users": connect_timeout: value must be greater than 0s (duration.gt)\n' +
      '  Cluster "users": lb_policy: value must be one of the defined enum values (enum.defined_only)',
  );
  assertEquals(error.violations.map(({ rule }) => rule), [
    "duration.gt",
    "enum.defined_only",
  ]);
  assertEquals(error.violations[0].resource.name, "users");
  const { typeUrl, name, bytes } = createResource(users);
  assertThrows(
    () => createResource({ typeUrl, name, bytes }, { validate: "error" }),
    ValidationError,
    'Cluster "users": connect_timeout',
  );
  createResource(create(ClusterSchema, { name: "a" }), { validate: "error" });
});
