import {
  create,
  type DescField,
  type DescMessage,
  equals,
  fromBinary,
  type JsonObject,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
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

/** A sequence that is the same each time. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = Math.imul(this.#state, 1664525) + 1013904223 >>> 0;
    return Math.floor(this.#state / 2 ** 32 * limit);
  }

  text(): string {
    return ["", "a", "é", "x".repeat(40), "y".repeat(200)][this.below(5)];
  }
}

const DEPTH = 5;

/** A message whose fields are set at random, with so many entries a map. */
function fill(
  schema: DescMessage,
  random: Random,
  entries: number,
  depth = DEPTH,
): Message {
  const message = create(schema);
  for (const field of schema.fields) {
    const isDeep = field.message !== undefined && depth === 0;
    if (isDeep || random.below(schema.fields.length > 20 ? 4 : 2) > 0) continue;
    const value = () => one(field, random, entries, depth);
    const local = message as unknown as Record<string, unknown>;
    if (field.fieldKind === "list") {
      local[field.localName] = Array.from({ length: random.below(3) }, value);
    } else if (field.fieldKind === "map") {
      const map: Record<string, unknown> = {};
      for (let i = 0; i < entries; i++) {
        map[key(field.mapKey, random.below(100))] = value();
      }
      local[field.localName] = map;
    } else if (field.oneof) {
      const chosen = { case: field.localName, value: value() };
      local[field.oneof.localName] = chosen;
    } else local[field.localName] = value();
  }
  return message;
}

function key(type: ScalarType, number: number): string {
  if (type === ScalarType.BOOL) return String(number % 2 === 0);
  return type === ScalarType.STRING ? `key-${number}` : String(number);
}

function one(
  field: DescField,
  random: Random,
  entries: number,
  depth: number,
): unknown {
  if (!field.message) return scalar(field, random);
  const { message } = field;
  if (message.typeName === "google.protobuf.Struct") {
    return struct(random, entries);
  }
  if (
    field.fieldKind === "message" && !field.oneof && isWrapperDesc(message)
  ) return scalar(message.fields[0], random);
  return fill(message, random, entries, depth - 1);
}

function struct(random: Random, entries: number): JsonObject {
  const values = [null, true, 1.5, "é", [1, ["x"], {}], { a: { b: null } }];
  return Object.fromEntries(
    Array.from({ length: entries }, () => [
      `key-${random.below(100)}`,
      values[random.below(values.length)],
    ]),
  );
}

function scalar(field: DescField, random: Random): unknown {
  if (field.enum) {
    return field.enum.values[random.below(field.enum.values.length)].number;
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      return random.text();
    case ScalarType.BYTES:
      return new TextEncoder().encode(random.text());
    case ScalarType.BOOL:
      return random.below(2) === 0;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return [0, -0, 0.5, -1, Infinity][random.below(5)];
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return [0n, 1n, -1n, 2n ** 60n][random.below(4)];
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return [0n, 1n, 2n ** 63n][random.below(3)];
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return [0, 1, -1, 2 ** 31 - 1][random.below(4)];
    default:
      return [0, 1, 300, 2 ** 32 - 1][random.below(4)];
  }
}

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
