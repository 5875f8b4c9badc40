import {
  create,
  type DescMessage,
  type JsonValue,
  type Message,
  type MessageInitShape,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { type FieldPlan, type MessagePlan, planOf, Shape } from "./_plan.ts";
import { writeStruct } from "./_struct.ts";
import { Writer } from "./_writer.ts";

type Fields = Record<string, unknown>;

/** One for all: to begin with an empty buffer and let it grow costs more than the rest. */
let writer = new Writer();

/** Whether something is being encoded: what is read for that may be a getter that has something else encoded. */
let isBusy = false;

/**
 * Encodes a message so that equal messages give equal bytes: fields in the order of their numbers, entries of maps in
 * the order of their keys.
 */
export function encodeCanonical(
  schema: DescMessage,
  message: Message,
): Uint8Array {
  if (isBusy) return apart(() => encodeCanonical(schema, message));
  isBusy = true;
  try {
    writeMessage(planOf(schema), message as unknown as Fields);
    return writer.finish();
  } catch (error) {
    writer.reset();
    // The library's encoder says which field it is; ours is made to be fast.
    toBinary(schema, message);
    throw error;
  } finally {
    isBusy = false;
  }
}

/** Encodes something while something else is being encoded. */
function apart<T>(encode: () => T): T {
  const outer = { writer, fieldsFound, valuesFound, depth };
  writer = new Writer();
  fieldsFound = [];
  valuesFound = [];
  depth = 0;
  isBusy = false;
  try {
    return encode();
  } finally {
    ({ writer, fieldsFound, valuesFound, depth } = outer);
    isBusy = true;
  }
}

/** Encodes what `create` would make a message of, without making it. The bytes are those of the message. */
export function encodeInit<D extends DescMessage>(
  schema: D,
  init: MessageInitShape<D>,
): Uint8Array {
  if (isBusy) return apart(() => encodeInit(schema, init));
  isBusy = true;
  try {
    writeInit(planOf(schema), init as unknown as Fields);
    return writer.finish();
  } catch (error) {
    writer.reset();
    depth = 0;
    valuesFound.length = 0;
    toBinary(schema, create(schema, init));
    throw error;
  } finally {
    isBusy = false;
  }
}

function writeMessage(plan: MessagePlan, message: Fields) {
  if (message.$typeName !== plan.typeName) {
    throw new TypeError(`${message.$typeName} is no ${plan.typeName}`);
  }
  const { fields } = plan;
  let group = "";
  let oneof: { case?: string; value?: unknown } = message;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    if (field.group !== "") {
      if (field.group !== group) {
        group = field.group;
        oneof = message[group] as typeof oneof;
      }
      if (oneof.case === field.name) writeField(field, oneof.value, false);
      continue;
    }
    const value = message[field.name];
    // A default of proto2 lies on the prototype.
    if (
      value === field.unset ||
      plan.inherits && !Object.hasOwn(message, field.name)
    ) {
      if (field.isRequired) throw new TypeError(`${field.name} is required`);
      continue;
    }
    writeField(field, value, false);
  }
  const unknown = (message as unknown as Message).$unknown;
  if (unknown !== undefined) {
    for (const { no, wireType, data } of unknown) {
      writer.varint((no << 3 | wireType) >>> 0);
      writer.raw(data);
    }
  }
}

// Fields of the messages that are being written by what they are to be made of, in the order of their numbers, and their values.
let fieldsFound: FieldPlan[] = [];
let valuesFound: unknown[] = [];
let depth = 0;

function writeInit(plan: MessagePlan, init: Fields) {
  if (init.$typeName !== undefined) return writeMessage(plan, init);
  if (typeof init !== "object") {
    throw new TypeError(`${init} is no ${plan.typeName}`);
  }
  const first = depth;
  for (const key in init) {
    let value = init[key];
    if (value === undefined || value === null) continue;
    let field = plan.byName.get(key);
    if (field === undefined) {
      const cases = plan.groups.get(key);
      const oneof = value as { case?: string; value?: unknown };
      field = cases?.get(oneof.case!);
      if (field === undefined) continue;
      value = oneof.value;
    }
    let at = depth++;
    for (; at > first && fieldsFound[at - 1].order > field.order; at--) {
      fieldsFound[at] = fieldsFound[at - 1];
      valuesFound[at] = valuesFound[at - 1];
    }
    fieldsFound[at] = field;
    valuesFound[at] = value;
  }
  const end = depth;
  if (plan.isDemanding) requireAll(plan, first, end);
  for (let at = first; at < end; at++) {
    writeField(fieldsFound[at], valuesFound[at], true);
    valuesFound[at] = undefined;
  }
  depth = first;
}

function requireAll(plan: MessagePlan, first: number, end: number) {
  for (const field of plan.fields) {
    if (field.isRequired && !fieldsFound.slice(first, end).includes(field)) {
      throw new TypeError(`${field.name} is required`);
    }
  }
}

/** Writes a field, unless it has no presence and the value that it has when it was not set. */
function writeField(field: FieldPlan, value: unknown, isInit: boolean) {
  switch (field.shape) {
    case Shape.String:
    case Shape.Bool:
    case Shape.Enum:
      if (value === field.unset) return;
      break;
    case Shape.Integer:
      // Loose, since 64-bit integers are bigints or strings.
      if (value == 0) return;
      break;
    case Shape.Float:
      if (Object.is(value, 0)) return;
      break;
    case Shape.Bytes:
      if (value instanceof Uint8Array && value.length === 0) return;
      if (isInit && Array.isArray(value) && value.length === 0) return;
      break;
    case Shape.Scalar:
      break;
    case Shape.Message:
      return writeSub(field, value, isInit);
    case Shape.Messages: {
      const items = value as unknown[];
      for (let i = 0; i < items.length; i++) writeSub(field, items[i], isInit);
      return;
    }
    case Shape.Scalars: {
      const items = value as unknown[];
      for (let i = 0; i < items.length; i++) {
        writer.varint(field.tag);
        writer.scalar(field.scalar, asBytes(items[i], field, isInit));
      }
      return;
    }
    case Shape.Packed: {
      const items = value as unknown[];
      if (items.length === 0) return;
      writer.varint(field.tag);
      const start = writer.open();
      for (let i = 0; i < items.length; i++) {
        writer.scalar(field.scalar, items[i]);
      }
      return writer.close(start);
    }
    case Shape.Map:
      return writeMap(field, value as Fields, isInit);
  }
  writer.varint(field.tag);
  writer.scalar(field.scalar, asBytes(value, field, isInit));
}

/** What a message is made of may have bytes as a list of numbers. */
function asBytes(value: unknown, field: FieldPlan, isInit: boolean): unknown {
  return isInit && field.scalar === ScalarType.BYTES && Array.isArray(value)
    ? new Uint8Array(value)
    : value;
}

function writeSub(field: FieldPlan, value: unknown, isInit: boolean) {
  writer.varint(field.tag);
  if (field.endTag !== 0) {
    writeContent(field, value, isInit);
    writer.varint(field.endTag);
    return;
  }
  const start = writer.open();
  writeContent(field, value, isInit);
  writer.close(start);
}

/** Writes what is in a message, as the field holds it. */
function writeContent(field: FieldPlan, value: unknown, isInit: boolean) {
  const { plan, wrapped } = field;
  // In a field, a Struct is a plain JSON object, and a wrapper the value that it wraps.
  if (wrapped !== undefined) writeField(wrapped, value, isInit);
  else if (plan === undefined) writeStruct(writer, value as JsonValue);
  else if (isInit) writeInit(plan, value as Fields);
  else writeMessage(plan, value as Fields);
}

function writeMap(field: FieldPlan, entries: Fields, isInit: boolean) {
  const keys = Object.keys(entries);
  if (keys.length === 0) return;
  if (keys.length > 1) keys.sort();
  for (const key of keys) {
    writer.varint(field.tag);
    const start = writer.open();
    writer.varint(field.keyTag);
    writer.scalar(field.keyScalar, keyOf(field.keyScalar, key));
    const value = entries[key];
    writeField(field.value!, value, isInit);
    writer.close(start);
  }
}

/** Keys of maps are properties, and so texts. */
function keyOf(type: ScalarType, key: string): unknown {
  switch (type) {
    case ScalarType.BOOL:
      return key !== "false";
    case ScalarType.INT32:
    case ScalarType.UINT32:
    case ScalarType.SINT32:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return Number.parseInt(key);
    default:
      return key;
  }
}
