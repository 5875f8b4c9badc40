import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { assert, assertEquals } from "@std/assert";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { RouterSchema } from "@xds/envoy/envoy/extensions/filters/http/router/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { createResource, TypeUrl } from "../../mod.ts";
import { any, listener, rds } from "../support/resources.ts";

const HCM = "filter_chains[0].filters[0].typed_config";

function typed(name: string, value: Any) {
  return { name, configType: { case: "typedConfig", value } } as const;
}

/** What is said of a listener's first filter, whose config is that `Any`. */
function malformed(typedConfig: MessageInitShape<typeof AnySchema>): string[] {
  const http = any(HttpConnectionManagerSchema, {
    routeSpecifier: rds("routes", "ads"),
  });
  const message = create(ListenerSchema, {
    name: "web",
    filterChains: [{
      filters: [
        typed("f", create(AnySchema, typedConfig)),
        typed("http", http),
      ],
    }],
  });
  const found = createResource(message).references;
  // What is well-formed beside it is found all the same.
  assertEquals(found.references.map(({ name }) => name), ["routes"]);
  return found.malformed.map(({ path, reason }) => `${path}: ${reason}`);
}

Deno.test("an Any that cannot be read is named, and what stands beside it is read", () => {
  const cut = new Uint8Array([0x0a, 0x7f, 1]);
  const url = (name: string) => `type.googleapis.com/${name}`;
  const { typeName } = HttpConnectionManagerSchema;
  assertEquals(malformed({ typeUrl: url(typeName), value: cut }), [
    `${HCM}: not a protobuf message: field 1 ends past the last byte`,
  ]);
  // Of a type that leads to no other resource.
  assertEquals(malformed({ typeUrl: url(RouterSchema.typeName), value: cut }), [
    `${HCM}: not a protobuf message: field 1 ends past the last byte`,
  ]);
  assertEquals(
    malformed({ typeUrl: url("acme.v1.Filter"), value: new Uint8Array() }),
    [
      `${HCM}: an Any of type "type.googleapis.com/acme.v1.Filter", which Envoy's API does not have`,
    ],
  );
  assertEquals(malformed({ typeUrl: url("envoy.config.core.v3.Nothing") }), [
    `${HCM}: an Any of type "type.googleapis.com/envoy.config.core.v3.Nothing", which Envoy's API does not have`,
  ]);
  assertEquals(malformed({ typeUrl: url("constructor") }), [
    `${HCM}: an Any of type "type.googleapis.com/constructor", which Envoy's API does not have`,
  ]);
  assertEquals(malformed({ value: new Uint8Array([8, 1]) }), [
    `${HCM}: an Any that holds bytes has no type URL`,
  ]);
  // Deep in another.
  const nested = any(HttpConnectionManagerSchema, {
    httpFilters: [
      typed(
        "g",
        create(AnySchema, { typeUrl: url(RouterSchema.typeName), value: cut }),
      ),
    ],
  });
  assertEquals(malformed(nested), [
    `${HCM}.http_filters[0].typed_config: not a protobuf message: field 1 ends past the last byte`,
  ]);
});

Deno.test("Anys of every kind that Envoy knows are no mistake", () => {
  assertEquals(malformed(any(RouterSchema)), []);
  assertEquals(malformed(any(AnySchema, any(RouterSchema))), []);
  assertEquals(
    malformed({ typeUrl: "type.googleapis.com/google.protobuf.Struct" }),
    [],
  );
  assertEquals(malformed({ typeUrl: "envoy.io/xds.type.v3.TypedStruct" }), []);
  assertEquals(
    malformed({
      typeUrl:
        "type.googleapis.com/envoy.extensions.filters.network.kafka_broker.v3.KafkaBroker",
    }),
    [],
  );
  assertEquals(malformed({}), []);
});

Deno.test("a resource that is no message of its type says so, wherever it is cut off", () => {
  const whole = toBinary(
    ListenerSchema,
    listener("web", { routeSpecifier: rds("routes", "ads") }),
  );
  const found = (bytes: Uint8Array) =>
    createResource({ typeUrl: TypeUrl.Listener, name: "web", bytes })
      .references;
  assertEquals(found(whole).malformed, []);
  let unread = 0;
  for (let end = 1; end < whole.length; end++) {
    const { malformed, references } = found(whole.subarray(0, end));
    if (malformed.length > 0) unread++;
    for (const { reason } of malformed) {
      assert(reason.startsWith("not a protobuf message: "), reason);
    }
    assertEquals(references, []);
  }
  // It may end between two fields, and be a message still.
  assert(unread > whole.length - 5, `${unread} of ${whole.length}`);
  assertEquals(found(new Uint8Array([15])).malformed, [{
    path: "",
    reason: "not a protobuf message: wire type 7 at byte 1",
  }]);
});
