import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { eachField, type Field, text, Wire } from "../resource/_wire.ts";

/** Levels of objects and lists in each other. */
const MAX_DEPTH = 32;

/** Values that may still be decoded. */
export interface ValueCount {
  left: number;
}

/**
 * Decodes a `google.protobuf.Struct`. Numbers that JSON lacks become their names, as in protobuf's JSON mapping, so that equal
 * bytes give equal values.
 *
 * @throws {RangeError} if the bytes are no Struct, or hold more values than `count` has left
 */
export function decodeStruct(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: ValueCount,
  depth = 0,
): JsonObject {
  if (depth > MAX_DEPTH) {
    throw new RangeError(`metadata is nested deeper than ${MAX_DEPTH} levels`);
  }
  const object: JsonObject = {};
  eachField(bytes, start, end, (field) => {
    spend(count);
    if (field.number !== 1 || field.wire !== Wire.Bytes) return;
    let key = "";
    let value: JsonValue = null;
    eachField(bytes, field.start, field.end, (entry) => {
      if (entry.wire !== Wire.Bytes) return;
      if (entry.number === 1) key = text(bytes, entry.start, entry.end);
      else if (entry.number === 2) {
        value = decodeValue(bytes, entry, count, depth);
      } else spend(count);
    });
    if (key !== "__proto__") object[key] = value;
    else Object.defineProperty(object, key, { ...plain, value });
  });
  return object;
}

const plain = { configurable: true, enumerable: true, writable: true };

function decodeValue(
  bytes: Uint8Array,
  { start, end }: Field,
  count: ValueCount,
  depth: number,
): JsonValue {
  let value: JsonValue = null;
  eachField(bytes, start, end, (field) => {
    spend(count);
    const { number, wire, start, end } = field;
    if (number === 1 && wire === Wire.Varint) value = null;
    else if (number === 2 && wire === Wire.Fixed64) {
      value = double(bytes, start);
    } else if (number === 3 && wire === Wire.Bytes) {
      value = text(bytes, start, end);
    } else if (number === 4 && wire === Wire.Varint) value = field.value !== 0;
    else if (number === 5 && wire === Wire.Bytes) {
      value = decodeStruct(bytes, start, end, count, depth + 1);
    } else if (number === 6 && wire === Wire.Bytes) {
      value = decodeList(bytes, start, end, count, depth + 1);
    }
  });
  return value;
}

function decodeList(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: ValueCount,
  depth: number,
): JsonValue[] {
  if (depth > MAX_DEPTH) {
    throw new RangeError(`metadata is nested deeper than ${MAX_DEPTH} levels`);
  }
  const values: JsonValue[] = [];
  eachField(bytes, start, end, (field) => {
    spend(count);
    if (field.number !== 1 || field.wire !== Wire.Bytes) return;
    values.push(decodeValue(bytes, field, count, depth));
  });
  return values;
}

function double(bytes: Uint8Array, at: number): number | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  const value = view.getFloat64(0, true);
  return Number.isFinite(value) ? value : String(value);
}

function spend(count: ValueCount) {
  if (--count.left < 0) throw new RangeError("too many values");
}
