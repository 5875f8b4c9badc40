import {
  create,
  fromBinary,
  type Message,
  protoInt64,
  toBinary,
} from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  SubstitutionFormatStringSchema,
  TypedExtensionConfigSchema,
} from "@xds/envoy/envoy/config/core/v3";
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
import {
  createResource,
  type EncodedResource,
  TypeUrl,
  typeUrl,
} from "../../mod.ts";

function failure(run: () => unknown): string {
  return (assertThrows(run, TypeError) as TypeError).message;
}

Deno.test("a resource of each type is named by its message", () => {
  const name = "x";
  const messages: Record<keyof typeof TypeUrl, Message> = {
    Cluster: create(ClusterSchema, { name }),
    ClusterLoadAssignment: create(ClusterLoadAssignmentSchema, {
      clusterName: name,
    }),
    Listener: create(ListenerSchema, { name }),
    RouteConfiguration: create(RouteConfigurationSchema, { name }),
    ScopedRouteConfiguration: create(ScopedRouteConfigurationSchema, { name }),
    VirtualHost: create(VirtualHostSchema, { name }),
    Secret: create(SecretSchema, { name }),
    Runtime: create(RuntimeSchema, { name }),
    TypedExtensionConfig: create(TypedExtensionConfigSchema, { name }),
    // Its domain is the service's, and its name that of the resource.
    RateLimitConfig: create(RateLimitConfigSchema, { name, domain: "d" }),
    ThriftRouteConfiguration: create(ThriftRouteConfigurationSchema, { name }),
  };
  for (const [type, message] of Object.entries(messages)) {
    const resource = createResource(message);
    assertEquals(resource.name, "x", type);
    assertEquals(resource.typeUrl, TypeUrl[type as keyof typeof TypeUrl]);
  }
});

Deno.test("a resource's bytes are its message's, as they were when it was made", () => {
  const message = create(ClusterSchema, { name: "users", altStatName: "u" });
  const resource = createResource(message);
  message.altStatName = "changed";
  const held = fromBinary(ClusterSchema, resource.bytes);
  assertEquals(held.altStatName, "u");
  assertEquals(resource.bytes, toBinary(ClusterSchema, held));
});

Deno.test("name, version and time to live may be given", () => {
  const resource = createResource(create(ClusterSchema, { name: "users" }), {
    name: "xdstp://authority/users",
    version: "7",
    ttl: 1_500,
  });
  assertEquals(resource.name, "xdstp://authority/users");
  assertEquals(resource.version, "7");
  assertEquals(resource.ttl, 1_500);
});

Deno.test("an xdstp name is kept with its context parameters in order", () => {
  const named = (name: string) =>
    createResource(create(ClusterSchema), { name }).name;
  const canonical = "xdstp://a/envoy.config.cluster.v3.Cluster/x?a=1&b=2";
  assertEquals(
    named("xdstp://a/envoy.config.cluster.v3.Cluster/x?b=2&a=1"),
    canonical,
  );
  assertEquals(named(canonical), canonical);
  assertEquals(named("x?b=2&a=1"), "x?b=2&a=1");
});

Deno.test("a resource of any other type takes its schema and name from the caller", () => {
  const format = create(SubstitutionFormatStringSchema);
  assertEquals(
    failure(() => createResource(format)),
    "envoy.config.core.v3.SubstitutionFormatString is no resource type known here: pass { schema } and { name } with it",
  );
  const schema = SubstitutionFormatStringSchema;
  assertEquals(
    failure(() => createResource(format, { schema })),
    "a envoy.config.core.v3.SubstitutionFormatString has no name: set it, or pass { name } with it",
  );
  const resource = createResource(format, { schema, name: "mine" });
  assertEquals(resource.typeUrl, typeUrl(schema));
  assertEquals(resource.name, "mine");
});

Deno.test("a resource may be made of encoded bytes, which are taken as they are", () => {
  const bytes = new Uint8Array([10, 1, 120]);
  const resource = createResource({
    typeUrl: "type.googleapis.com/acme.Thing",
    name: "x",
    bytes,
  });
  assert(resource.bytes === bytes);
  assertEquals(resource.references, { references: [], malformed: [] });
});

Deno.test("what is no resource is refused, and by name", () => {
  const encoded = (part: Record<string, unknown>) =>
    createResource(
      {
        typeUrl: TypeUrl.Cluster,
        name: "users",
        bytes: new Uint8Array(),
        ...part,
      } as unknown as EncodedResource,
    );
  const type = TypeUrl.Cluster;
  assertEquals(
    failure(() => createResource(create(ClusterSchema))),
    "a envoy.config.cluster.v3.Cluster has no name: set it, or pass { name } with it",
  );
  assertEquals(
    failure(() =>
      createResource(create(ClusterSchema, { name: "x" }), { name: "" })
    ),
    "a envoy.config.cluster.v3.Cluster has no name: set it, or pass { name } with it",
  );
  const plain = { name: "users", connectTimeout: { seconds: 1n } };
  assertEquals(
    failure(() => createResource(plain as unknown as Message)),
    'a plain object named "users" is no resource: pass a message, as create(ClusterSchema, …) makes it, or { typeUrl, name, bytes }',
  );
  assertEquals(
    failure(() => createResource(undefined as unknown as Message)),
    "undefined is no resource: pass a message, as create(ClusterSchema, …) makes it, or { typeUrl, name, bytes }",
  );
  assertEquals(
    failure(() =>
      createResource(create(ClusterSchema, { name: "x" }), {
        schema: ListenerSchema,
      })
    ),
    "a envoy.config.cluster.v3.Cluster was passed with the schema of envoy.config.listener.v3.Listener",
  );
  assertEquals(
    failure(() => encoded({ typeUrl: "Cluster" })),
    `resource "users" has the type URL "Cluster", which is none; it has the form ${type}`,
  );
  assertEquals(
    failure(() => encoded({ typeUrl: "" })),
    `resource "users" has the type URL "", which is none; it has the form ${type}`,
  );
  assertEquals(
    failure(() => encoded({ name: "" })),
    `a resource of type ${type} has no name`,
  );
  assertEquals(
    failure(() => encoded({ bytes: "CgF4" })),
    `${type} "users" has no bytes: they must be a Uint8Array`,
  );
  assertEquals(
    failure(() => encoded({ version: "" })),
    `${type} "users" has an empty version: to a client, that is to have none; leave it out, and it is derived from the content`,
  );
  for (const ttl of [0, -1, NaN, Infinity]) {
    assertEquals(
      failure(() => encoded({ ttl })),
      `${type} "users" has a TTL of ${ttl}: it must be milliseconds above 0`,
    );
  }
});

Deno.test("a message that does not encode is named, with the encoder's error as the cause", () => {
  const message = create(ClusterSchema, { name: "users" });
  message.lbPolicy = "ROUND_ROBIN" as unknown as typeof message.lbPolicy;
  const error = assertThrows(
    () => createResource(message),
    TypeError,
  ) as TypeError;
  assert(
    error.message.startsWith(
      'envoy.config.cluster.v3.Cluster "users" does not encode: ',
    ),
    error.message,
  );
  assert(error.cause instanceof Error);
  assert(error.message.endsWith(error.cause.message));
});

Deno.test("versions are derived from content and time to live, the same in every process", async () => {
  const message = create(ClusterSchema, {
    name: "users",
    connectTimeout: { seconds: protoInt64.parse(5) },
  });
  const version = createResource(message).version;
  assertEquals(createResource(create(ClusterSchema, message)).version, version);
  assert(createResource(message, { ttl: 1_000 }).version !== version);
  assert(
    createResource(create(ClusterSchema, { ...message, name: "carts" }))
      .version !== version,
  );
  // A replica of an earlier release must agree, too: a change of the hash makes every client of a fleet be sent everything.
  assertEquals(version, "2ba72d5e0485f87c");

  const script = `
    import { create } from "@bufbuild/protobuf";
    import { createResource } from "@xds/control-plane";
    import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
    const connectTimeout = { seconds: 5n };
    console.log(createResource(create(ClusterSchema, { name: "users", connectTimeout })).version);`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", script],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assertEquals(new TextDecoder().decode(stdout).trim(), version);
});

Deno.test("equal content has equal bytes and versions, whatever the order of a map's entries", () => {
  const filterMetadata = {
    one: { b: 1, a: { y: true, x: [{ d: 1, c: 2 }] } },
    two: { z: "z" },
  };
  const reversed = {
    two: { z: "z" },
    one: { a: { x: [{ c: 2, d: 1 }], y: true }, b: 1 },
  };
  const cluster = (metadata: typeof filterMetadata) =>
    create(ClusterSchema, {
      name: "users",
      metadata: { filterMetadata: metadata },
      // In a list, in a message, in a oneof.
      loadAssignment: {
        clusterName: "users",
        endpoints: [{
          lbEndpoints: [{ metadata: { filterMetadata: metadata } }],
        }],
        namedEndpoints: {},
      },
      lbSubsetConfig: { defaultSubset: metadata.one },
    });
  const message = cluster(filterMetadata);
  const other = cluster(reversed);
  assert(
    toBinary(ClusterSchema, message).join() !==
      toBinary(ClusterSchema, other).join(),
    "the messages are in different orders",
  );
  const resource = createResource(message);
  assertEquals(resource.bytes, createResource(other).bytes);
  assertEquals(resource.version, createResource(other).version);
  // Nothing is lost or changed by putting it in order, in the message least of all.
  assertEquals(fromBinary(ClusterSchema, resource.bytes), message);
  assertEquals(Object.keys(other.metadata!.filterMetadata), ["two", "one"]);
});

Deno.test("maps in a oneof are put in order, and fields that are not known are kept", () => {
  const runtime = (layer: Record<string, number>) =>
    create(RuntimeSchema, { name: "l", layer });
  assertEquals(
    createResource(runtime({ a: 1, b: 2, 10: 3, 9: 4 })).bytes,
    createResource(runtime({ 9: 4, b: 2, 10: 3, a: 1 })).bytes,
  );
  const format = (jsonFormat: Record<string, string>) =>
    createResource(
      create(SubstitutionFormatStringSchema, {
        format: { case: "jsonFormat", value: jsonFormat },
      }),
      { schema: SubstitutionFormatStringSchema, name: "f" },
    );
  assertEquals(
    format({ a: "1", b: "2" }).version,
    format({ b: "2", a: "1" }).version,
  );
  assert(format({ a: "1" }).version !== format({ a: "2" }).version);

  // Field 50000 is a later Envoy's.
  const later = new Uint8Array([
    ...toBinary(RuntimeSchema, runtime({ b: 2, a: 1 })),
    ...[0x80, 0xb5, 0x18, 0x07],
  ]);
  const resource = createResource(fromBinary(RuntimeSchema, later));
  assertEquals([...resource.bytes.slice(-4)], [0x80, 0xb5, 0x18, 0x07]);
});
