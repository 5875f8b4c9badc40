import {
  create,
  type DescMessage,
  equals,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BootstrapSchema } from "@xds/envoy/envoy/config/bootstrap/v3";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";
import { SecretSchema } from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import { encodeCanonical } from "../../lib/resource/_canonical.ts";
import { fill, Random } from "./_fill.ts";

const schemas: readonly DescMessage[] = [
  BootstrapSchema,
  ClusterSchema,
  ClusterLoadAssignmentSchema,
  HttpConnectionManagerSchema,
  ListenerSchema,
  NodeSchema,
  RouteConfigurationSchema,
  SecretSchema,
];

for (const schema of schemas) {
  Deno.test(`${schema.name} is encoded as by the library, but for the order in maps`, () => {
    for (let seed = 0; seed < 60; seed++) {
      const message = fill(schema, new Random(seed), 1);
      assertEquals(encodeCanonical(schema, message), toBinary(schema, message));
      const wide = fill(schema, new Random(seed), 5);
      const bytes = encodeCanonical(schema, wide);
      const read = fromBinary(schema, bytes);
      const expected = fromBinary(schema, toBinary(schema, wide));
      assert(equals(schema, read, expected));
      assertEquals(encodeCanonical(schema, read), bytes);
    }
  });
}

Deno.test("unknown fields are kept", () => {
  const bytes = new Uint8Array([10, 1, 97, 0xfa, 0xff, 0x7f, 2, 1, 2]);
  const cluster = fromBinary(ClusterSchema, bytes);
  assertEquals(encodeCanonical(ClusterSchema, cluster), bytes);
});

Deno.test("entries of maps are in the order of their keys", () => {
  const metadata = (keys: string[]) =>
    create(ClusterSchema, {
      name: "a",
      metadata: {
        filterMetadata: Object.fromEntries(
          keys.map((key) => [key, Object.fromEntries(keys.map((k) => [k, 1]))]),
        ),
      },
    });
  assertEquals(
    encodeCanonical(ClusterSchema, metadata(["b", "a", "10", "9"])),
    encodeCanonical(ClusterSchema, metadata(["9", "10", "a", "b"])),
  );
});

Deno.test("what does not encode leaves no trace in what comes after", () => {
  const good = create(ClusterSchema, { name: "good", altStatName: "x" });
  const bytes = encodeCanonical(ClusterSchema, good);
  const bad = create(ClusterSchema, {
    name: "bad",
    connectTimeout: { seconds: 1n, nanos: 0.5 },
  });
  const error = assertThrows(() => encodeCanonical(ClusterSchema, bad), Error);
  assert((error as Error).message.includes("Duration.nanos"));
  assertEquals(encodeCanonical(ClusterSchema, good), bytes);
});
