import {
  type DescField,
  type DescMessage,
  type JsonValue,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { writeStruct } from "./_struct.ts";

type Fields = Record<string, unknown>;
type WriteMessage = (writer: BinaryWriter, message: Fields) => void;
type WriteValue = (writer: BinaryWriter, value: unknown) => void;

/** One for all: to begin with an empty buffer and let it grow costs more than the rest. */
let shared = new BinaryWriter();
/** Bytes beyond which a message's buffer is not kept for the next. */
const MOST_KEPT = 1024 * 1024;

/**
 * Encodes a message so that equal messages give equal bytes: fields in the order of their numbers, entries of maps in
 * the order of their keys.
 */
export function encodeCanonical(
  schema: DescMessage,
  message: Message,
): Uint8Array {
  try {
    messageWriter(schema)(shared, message as unknown as Fields);
  } catch (error) {
    shared = new BinaryWriter();
    // The library's encoder says which field it is; ours is made to be fast.
    toBinary(schema, message);
    throw error;
  }
  const bytes = shared.finish();
  if (bytes.length > MOST_KEPT) shared = new BinaryWriter();
  return bytes;
}

const writers = new WeakMap<DescMessage, WriteMessage>();

function messageWriter(schema: DescMessage): WriteMessage {
  const known = writers.get(schema);
  if (known) return known;
  const { typeName } = schema;
  const fields: WriteMessage[] = [];
  const write: WriteMessage = (writer, message) => {
    if (message.$typeName !== typeName) {
      throw new TypeError(`${message.$typeName} is no ${typeName}`);
    }
    for (let i = 0; i < fields.length; i++) fields[i](writer, message);
    for (const { no, wireType, data } of (message as Message).$unknown ?? []) {
      writer.tag(no, wireType).raw(data);
    }
  };
  // Before its fields, which may be of its own type.
  writers.set(schema, write);
  const sorted = schema.fields.toSorted((a, b) => a.number - b.number);
  for (const field of sorted) fields.push(fieldWriter(field));
  return write;
}

function fieldWriter(field: DescField): WriteMessage {
  const name = field.localName;
  if (field.fieldKind === "list") return listWriter(field);
  if (field.fieldKind === "map") return mapWriter(field);
  const write = valueWriter(field);
  if (field.oneof) {
    const group = field.oneof.localName;
    return (writer, message) => {
      const chosen = message[group] as { case?: string; value?: unknown };
      if (chosen.case === name) write(writer, chosen.value);
    };
  }
  if (field.presence === IMPLICIT) {
    const isSet = field.fieldKind === "enum"
      ? (value: unknown) => value !== field.enum.values[0].number
      : nonZero(field.fieldKind === "scalar" ? field.scalar : undefined);
    return (writer, message) => {
      const value = message[name];
      if (isSet(value)) write(writer, value);
    };
  }
  const isRequired = field.presence === LEGACY_REQUIRED;
  return (writer, message) => {
    const value = message[name];
    // A default of proto2 lies on the prototype.
    if (value !== undefined && Object.hasOwn(message, name)) {
      write(writer, value);
    } else if (isRequired) throw new TypeError(`${field} is required`);
  };
}

// The values of google.protobuf.FeatureSet.FieldPresence.
const IMPLICIT = 2;
const LEGACY_REQUIRED = 3;

function nonZero(type: ScalarType | undefined): (value: unknown) => boolean {
  switch (type) {
    case ScalarType.BOOL:
      return (value) => value !== false;
    case ScalarType.STRING:
      return (value) => value !== "";
    case ScalarType.BYTES:
      return (value) => (value as Uint8Array).length > 0;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return (value) => !Object.is(value, 0);
    default:
      // Loose, since 64-bit integers are bigints or strings.
      return (value) => value != 0;
  }
}

/** Writes one value with its tag. */
function valueWriter(field: DescField): WriteValue {
  const { number } = field;
  if (field.message) {
    const write = contentWriter(field, field.message);
    if ("delimitedEncoding" in field && field.delimitedEncoding) {
      return (writer, value) => {
        writer.tag(number, WireType.StartGroup);
        write(writer, value);
        writer.tag(number, WireType.EndGroup);
      };
    }
    return (writer, value) => {
      writer.tag(number, WireType.LengthDelimited).fork();
      write(writer, value);
      writer.join();
    };
  }
  const type = field.scalar ?? ScalarType.INT32;
  const wire = wireOf(type);
  const write = scalarWriter(type);
  return (writer, value) => {
    writer.tag(number, wire);
    write(writer, value);
  };
}

/** Writes what is in a message, as the field holds it. */
function contentWriter(field: DescField, schema: DescMessage): WriteValue {
  // In a field, a Struct is a plain JSON object, and a wrapper the value that it wraps.
  if (
    schema.typeName === "google.protobuf.Struct" &&
    field.parent?.typeName !== "google.protobuf.Value"
  ) return (writer, value) => writeStruct(writer, value as JsonValue);
  const write = messageWriter(schema);
  if (
    field.fieldKind === "message" && !field.oneof && isWrapperDesc(schema)
  ) {
    const { typeName: $typeName } = schema;
    return (writer, value) => write(writer, { $typeName, value });
  }
  return write as WriteValue;
}

function listWriter(field: DescField & { fieldKind: "list" }): WriteMessage {
  const name = field.localName;
  const { number } = field;
  if (field.listKind !== "message" && field.packed) {
    const write = scalarWriter(field.scalar ?? ScalarType.INT32);
    return (writer, message) => {
      const items = message[name] as unknown[];
      if (items.length === 0) return;
      writer.tag(number, WireType.LengthDelimited).fork();
      for (const item of items) write(writer, item);
      writer.join();
    };
  }
  const write = valueWriter(field);
  return (writer, message) => {
    const items = message[name] as unknown[];
    for (let i = 0; i < items.length; i++) write(writer, items[i]);
  };
}

function mapWriter(field: DescField & { fieldKind: "map" }): WriteMessage {
  const name = field.localName;
  const keyWire = wireOf(field.mapKey);
  const writeKey = scalarWriter(field.mapKey);
  const keyOf = mapKey(field.mapKey);
  const content = field.message && contentWriter(field, field.message);
  const type = field.scalar ?? ScalarType.INT32;
  const valueWire = wireOf(type);
  const writeScalar = scalarWriter(type);
  return (writer, message) => {
    const entries = message[name] as Fields;
    for (const key of Object.keys(entries).sort()) {
      writer.tag(field.number, WireType.LengthDelimited).fork();
      writer.tag(1, keyWire);
      writeKey(writer, keyOf(key));
      if (content) {
        writer.tag(2, WireType.LengthDelimited).fork();
        content(writer, entries[key]);
        writer.join();
      } else {
        writer.tag(2, valueWire);
        writeScalar(writer, entries[key]);
      }
      writer.join();
    }
  };
}

/** Keys of maps are properties, and so texts. */
function mapKey(type: ScalarType): (key: string) => unknown {
  if (type === ScalarType.STRING) return (key) => key;
  if (type === ScalarType.BOOL) return (key) => key === "true";
  return wireOf(type) === WireType.Bit64 || is64Bit(type)
    ? (key) => key
    : Number;
}

function is64Bit(type: ScalarType): boolean {
  return type === ScalarType.INT64 || type === ScalarType.UINT64 ||
    type === ScalarType.SINT64;
}

function wireOf(type: ScalarType): WireType {
  switch (type) {
    case ScalarType.BYTES:
    case ScalarType.STRING:
      return WireType.LengthDelimited;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
    case ScalarType.FLOAT:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}

/** Writes a value without a tag. */
function scalarWriter(type: ScalarType): WriteValue {
  // The writer's methods check what they are given.
  const writes: Record<ScalarType, WriteValue> = {
    [ScalarType.STRING]: (writer, value) => writer.string(value as string),
    [ScalarType.BOOL]: (writer, value) => writer.bool(value as boolean),
    [ScalarType.BYTES]: (writer, value) => writer.bytes(value as Uint8Array),
    [ScalarType.DOUBLE]: (writer, value) => writer.double(value as number),
    [ScalarType.FLOAT]: (writer, value) => writer.float(value as number),
    [ScalarType.INT32]: (writer, value) => writer.int32(value as number),
    [ScalarType.UINT32]: (writer, value) => writer.uint32(value as number),
    [ScalarType.SINT32]: (writer, value) => writer.sint32(value as number),
    [ScalarType.FIXED32]: (writer, value) => writer.fixed32(value as number),
    [ScalarType.SFIXED32]: (writer, value) => writer.sfixed32(value as number),
    [ScalarType.INT64]: (writer, value) => writer.int64(value as bigint),
    [ScalarType.UINT64]: (writer, value) => writer.uint64(value as bigint),
    [ScalarType.SINT64]: (writer, value) => writer.sint64(value as bigint),
    [ScalarType.FIXED64]: (writer, value) => writer.fixed64(value as bigint),
    [ScalarType.SFIXED64]: (writer, value) => writer.sfixed64(value as bigint),
  };
  return writes[type];
}
