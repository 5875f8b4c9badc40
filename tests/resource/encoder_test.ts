/** The encoder beside the library's, for every message of Envoy's API and of protobuf's own files. */
import {
  create,
  createFileRegistry,
  type DescMessage,
  fromJson,
  type JsonObject,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { encodeCanonical, encodeInit } from "../../lib/resource/_canonical.ts";
import { bases } from "../agreement/_bases.ts";
import { envoyTypes } from "../agreement/_envoy.ts";
import { mutations } from "../agreement/_mutations.ts";
import { fill, Random } from "./_fill.ts";

const registry = await envoyTypes();
/** What Envoy's API has nothing of. */
const rare = createFileRegistry(
  fromJson(FileDescriptorProtoSchema, {
    name: "rare.proto",
    package: "rare",
    syntax: "proto2",
    messageType: [{
      name: "Rare",
      nestedType: [{
        name: "Group",
        field: [field("x", 1, "TYPE_SINT32"), field("y", 20, "TYPE_SINT64")],
      }, {
        name: "TimesEntry",
        options: { mapEntry: true },
        field: [
          field("key", 1, "TYPE_SFIXED64"),
          field("value", 2, "TYPE_BYTES"),
        ],
      }],
      field: [
        field("many", 3000, "TYPE_GROUP", ".rare.Rare.Group", "LABEL_REPEATED"),
        field("group", 2, "TYPE_GROUP", ".rare.Rare.Group"),
        field("with_default", 1, "TYPE_INT32", undefined, undefined, "7"),
        field(
          "unpacked",
          536_870_911,
          "TYPE_FIXED32",
          undefined,
          "LABEL_REPEATED",
        ),
        field(
          "times",
          4,
          "TYPE_MESSAGE",
          ".rare.Rare.TimesEntry",
          "LABEL_REPEATED",
        ),
        field("number", 5, "TYPE_FLOAT"),
      ],
    }],
  }),
  () => undefined,
);

function field(
  name: string,
  number: number,
  type: string,
  typeName?: string,
  label = "LABEL_OPTIONAL",
  defaultValue?: string,
): JsonObject {
  return {
    name,
    number,
    type,
    label,
    jsonName: name,
    ...typeName && { typeName },
    ...defaultValue && { defaultValue },
  };
}

const schemas = [...rare, ...registry].filter((type) =>
  type.kind === "message"
);

/** What a message is made of: the same without the names of types, and what was not set left out or given as null. */
function initOf(value: unknown, random: Random): unknown {
  if (value instanceof Uint8Array) {
    return random.below(2) === 0 ? [...value] : value;
  }
  if (Array.isArray(value)) return value.map((item) => initOf(item, random));
  if (typeof value !== "object" || value === null) return value;
  const isMessage = "$typeName" in value;
  // A message among what others are made of is taken as it is.
  if (isMessage && random.below(8) === 0) return value;
  const init: Record<string, unknown> = {};
  const keys = Object.keys(value);
  // In another order than that of the fields.
  if (isMessage && random.below(2) === 0) keys.reverse();
  for (const key of keys) {
    if (isMessage && key.startsWith("$")) continue;
    init[key] = initOf((value as Record<string, unknown>)[key], random);
  }
  if (isMessage && random.below(4) === 0) init.notAField = 1;
  return init;
}

function outcome(encode: () => Uint8Array): Uint8Array | string {
  try {
    return encode();
  } catch (error) {
    return String(error);
  }
}

function hasField(schema: DescMessage, type: ScalarType): boolean {
  return schema.fields.some((field) => field.scalar === type);
}

Deno.test("every message type is encoded as by the library", () => {
  assert(schemas.length > 1_500, `${schemas.length} types`);
  // What proto3 does not have, so that it is not passed over.
  assert(schemas.some(({ file }) => file.edition !== 999));
  assert(schemas.some((schema) => hasField(schema, ScalarType.SFIXED64)));
  for (const [seed, schema] of schemas.entries()) {
    const times = schema.typeName.startsWith("rare.") ? 100 : 4;
    for (let i = 0; i < times; i++) {
      const message = fill(schema, new Random(seed * 4 + i), 1, 3);
      assertEquals(
        outcome(() => encodeCanonical(schema, message)),
        outcome(() => toBinary(schema, message)),
      );
    }
  }
});

Deno.test("what a message is made of is encoded as the message", () => {
  for (const [seed, schema] of schemas.entries()) {
    const random = new Random(seed);
    const init = initOf(fill(schema, random, 3, 3), random) as Message;
    const message = create(schema, init);
    assertEquals(
      outcome(() => encodeInit(schema, init)),
      outcome(() => encodeCanonical(schema, message)),
      schema.typeName,
    );
  }
});

Deno.test("resources of many kinds are encoded as by the library", () => {
  for (const base of bases) {
    const changed = mutations(base, registry).map(({ json }) => json);
    const schema = registry.getMessage(base.type)!;
    for (const json of [base.json, ...changed]) {
      const message = fromJson(schema, json, { registry });
      const bytes = encodeCanonical(schema, message);
      // Maps of the library's are in the order in which they were made.
      const length = toBinary(schema, message).length;
      assertEquals(bytes.length, length, `${base.type} ${base.name}`);
      assertEquals(encodeInit(schema, message), bytes);
    }
  }
});

Deno.test("what cannot be encoded is told as the library tells it", () => {
  const bad = [
    ...[1.5, -1, -0, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, NaN, Infinity, 1e39],
    ...[
      -1n,
      2n ** 63n,
      2n ** 64n,
      "",
      "1",
      "-1",
      "x",
      "\ud800",
      "é".repeat(99),
    ],
    ...[null, true, {}, [], new Uint8Array(2)],
  ];
  let refused = 0;
  let tried = 0;
  for (const schema of schemas) {
    for (const field of schema.fields) {
      if (field.message || field.fieldKind === "map") continue;
      const value = bad[tried++ % bad.length];
      const message = create(schema) as unknown as Record<string, unknown>;
      if (field.fieldKind === "list") message[field.localName] = [value];
      else if (field.oneof) {
        message[field.oneof.localName] = { case: field.localName, value };
      } else message[field.localName] = value;
      const its = message as unknown as Message;
      const expected = outcome(() => toBinary(schema, its));
      if (typeof expected === "string") refused++;
      assertEquals(
        outcome(() => encodeCanonical(schema, its)),
        expected,
        `${field}: ${String(value)}`,
      );
    }
  }
  assert(refused > 500, `${refused} were refused`);
});

Deno.test("a field that has to be set is asked for", () => {
  const schema = registry.getMessage(
    "google.protobuf.UninterpretedOption.NamePart",
  )!;
  for (const init of [{}, { namePart: "a" }]) {
    const message = create(schema, init);
    const expected = outcome(() => toBinary(schema, message));
    assert(typeof expected === "string" && expected.includes("required"));
    assertEquals(outcome(() => encodeCanonical(schema, message)), expected);
    assertEquals(outcome(() => encodeInit(schema, init)), expected);
  }
  const init = { namePart: "", isExtension: false };
  assertEquals(
    encodeInit(schema, init),
    toBinary(schema, create(schema, init)),
  );
});

Deno.test("what no message can be made of leaves no trace in what comes after", () => {
  const good = { name: "good", connectTimeout: { seconds: 1n } };
  const bytes = encodeInit(ClusterSchema, good);
  const bad = { name: "bad", connectTimeout: { seconds: 1n, nanos: 0.5 } };
  const error = assertThrows(() => encodeInit(ClusterSchema, bad), Error);
  assert((error as Error).message.includes("Duration.nanos"));
  assertEquals(encodeInit(ClusterSchema, good), bytes);
  assertThrows(() =>
    encodeInit(ClusterSchema, { connectTimeout: "1s" as never })
  );
  assertEquals(encodeInit(ClusterSchema, good), bytes);
});

Deno.test("texts of every length are encoded as by the library", () => {
  const lengths = [0, 39, 40, 41, 42, 43, 126, 127, 128, 129, 5_461, 5_462];
  for (const length of [...lengths, 16_383, 16_384, 700_000, 2_097_152]) {
    for (const letter of ["a", "é", "€", "😀", "\ud800"]) {
      const name = letter.repeat(length / letter.length) + "é";
      const message = create(ClusterSchema, { name, altStatName: name });
      const bytes = encodeCanonical(ClusterSchema, message);
      assertEquals(bytes.length, toBinary(ClusterSchema, message).length);
      assert(
        toBinary(ClusterSchema, message).every((byte, i) => byte === bytes[i]),
      );
    }
  }
});

Deno.test("what is encoded at once lies together, and one by itself alone", async () => {
  await undefined;
  const encode = (name: string) =>
    encodeCanonical(ClusterSchema, create(ClusterSchema, { name }));
  const alone = encode("alone");
  assertEquals(alone.buffer.byteLength, alone.length);
  const names = Array.from({ length: 5_000 }, (_, i) => `${i}`.repeat(i % 9));
  names.push("x".repeat(100_000));
  const all = names.map((name) => ({ name, bytes: encode(name) }));
  for (const { name, bytes } of all) {
    const message = create(ClusterSchema, { name });
    assertEquals(bytes, toBinary(ClusterSchema, message));
  }
  const buffers = new Set(all.map(({ bytes }) => bytes.buffer));
  assert(buffers.size < 50, `${buffers.size} buffers`);
  let size = 0;
  for (const { byteLength } of buffers) size += byteLength;
  const sum = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert(size < 1.5 * sum, `${size} bytes for ${sum}`);
  await undefined;
  const later = encode("later");
  assertEquals(later.buffer.byteLength, later.length);
});
