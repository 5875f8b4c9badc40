import {
  create,
  type DescField,
  type DescMessage,
  type JsonObject,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";

/** A sequence that is the same each time. */
export class Random {
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
export function fill(
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
