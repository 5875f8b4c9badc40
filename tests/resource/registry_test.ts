import {
  createRegistry,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { messages } from "@xds/envoy/messages";
import { loadRegistry, UnknownTypesError } from "@xds/envoy/registry";
import { findTypes } from "../../lib/resource/mod.ts";
import { registryForJson, TypeUrl, UnknownTypeError } from "../../mod.ts";
import { customSchema } from "../support/custom.ts";

const PREFIX = "type.googleapis.com/";
const HTTP =
  "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const LUA = "envoy.extensions.filters.http.lua.v3.Lua";
const LUA_ROUTE = "envoy.extensions.filters.http.lua.v3.LuaPerRoute";

/** A listener with an `Any` in an `Any`, one of them in a map. */
function listener(inner = LUA, route = LUA_ROUTE): JsonValue {
  return {
    name: "web",
    filter_chains: [{}, {
      filters: [{
        name: "http",
        typed_config: {
          "@type": PREFIX + HTTP,
          http_filters: [{
            name: "inner",
            typed_config: { "@type": PREFIX + inner },
          }],
          route_config: {
            typed_per_filter_config: { "in.ner": { "@type": PREFIX + route } },
          },
        },
      }],
    }],
  };
}

Deno.test("all types of a JSON value are loaded, however deep", async () => {
  const json = listener();
  const registry = await registryForJson(json);
  assertEquals(
    [...registry].map(({ typeName }) => typeName).sort(),
    [LUA, LUA_ROUTE, HTTP].sort(),
  );
  const message = fromJson(ListenerSchema, json, { registry });
  assertEquals(
    toJson(ListenerSchema, message, { registry, useProtoFieldName: true }),
    json,
  );
});

Deno.test("all types of a resource's bytes are found, each with its place", async () => {
  const json = listener();
  const registry = await registryForJson(json);
  const message = fromJson(ListenerSchema, json, { registry });
  const http = "filter_chains[1].filters[0].typed_config";
  assertEquals(findTypes(TypeUrl.Listener, toBinary(ListenerSchema, message)), [
    { typeName: "envoy.config.listener.v3.Listener", path: "" },
    { typeName: HTTP, path: http },
    {
      typeName: LUA_ROUTE,
      path: `${http}.route_config.typed_per_filter_config["in.ner"]`,
    },
    { typeName: LUA, path: `${http}.http_filters[0].typed_config` },
  ]);
});

Deno.test("what a config source is made of is found, too", async () => {
  const credentials =
    "envoy.extensions.grpc_service.call_credentials.access_token.v3.AccessTokenCredentials";
  const json: JsonValue = {
    name: "a",
    eds_cluster_config: {
      eds_config: {
        api_config_source: {
          grpc_services: [{
            google_grpc: {
              call_credentials_plugin: [{ "@type": PREFIX + credentials }],
            },
          }],
        },
      },
    },
  };
  const registry = await registryForJson(json);
  const message = fromJson(ClusterSchema, json, { registry });
  const types = findTypes(TypeUrl.Cluster, toBinary(ClusterSchema, message));
  assertEquals(types.map(({ typeName }) => typeName), [
    "envoy.config.cluster.v3.Cluster",
    credentials,
  ]);
});

Deno.test("an unknown type is named, with its place", async () => {
  const path = "filter_chains[1].filters[0].typed_config.http_filters[0]";
  for (
    const typeName of [
      "acme.v1.Filter",
      "envoy.extensions.filters.http.lua.v3.Luaa",
      "envoy.extensions.filters.http.lua.v3",
      "Lua",
    ]
  ) {
    const error = await assertRejects(
      () => registryForJson(listener(typeName)),
      UnknownTypeError,
      `${path}.typed_config: ${typeName} is no message of Envoy's API`,
    );
    assertEquals(error.typeName, typeName);
    assertEquals(error.path, `${path}.typed_config`);
  }
});

Deno.test("types of one's own are looked up first", async () => {
  const custom = customSchema("acme.v1.Filter");
  const registry = await registryForJson(listener(custom.typeName), {
    types: createRegistry(custom),
  });
  assertEquals(registry.getMessage(custom.typeName), custom);
  assertEquals(registry.getMessage(HTTP)?.typeName, HTTP);
});

Deno.test("a registry has what was asked for: nested messages, and well-known ones", async () => {
  const names = [
    "envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig",
    "google.protobuf.StringValue",
    "google.rpc.Status",
    "xds.type.v3.TypedStruct",
  ];
  const registry = await loadRegistry([...names, names[0]]);
  assertEquals([...registry].map(({ typeName }) => typeName).sort(), names);
  const json = { "@type": `${PREFIX}google.protobuf.StringValue`, value: "a" };
  assertEquals(
    toJson(AnySchema, fromJson(AnySchema, json, { registry }), { registry }),
    json,
  );
});

Deno.test("every message of Envoy's API can be loaded, those of contrib too", async () => {
  const names = Object.entries(messages).flatMap(([name, own]) =>
    // What only protoc's plugin for Go reads is not generated.
    name === "pb" ? [] : own.split(" ").map((message) => `${name}.${message}`)
  );
  assert(names.length > 1_000);
  const registry = await loadRegistry(names);
  assertEquals([...registry].length, names.length);
});

Deno.test("every name that there is no message for is named", async () => {
  const error = await assertRejects(
    () => loadRegistry(["acme.A", "google.rpc.Status", "google.rpc.Statu"]),
    UnknownTypesError,
    "has no message acme.A, google.rpc.Statu",
  );
  assertEquals(error.typeNames, ["acme.A", "google.rpc.Statu"]);
});

Deno.test("JSON without types needs none", async () => {
  const values: JsonValue[] = [null, 1, "@type", [], {}, { "@type": 1 }];
  for (const json of values) {
    assertEquals([...await registryForJson(json)], []);
  }
});
