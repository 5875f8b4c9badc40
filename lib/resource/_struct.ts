import type { JsonValue } from "@bufbuild/protobuf";
import type { Writer } from "./_writer.ts";

// Tags: a field's number times eight, and its wire type.
const FIELDS = 1 << 3 | 2;
const KEY = 1 << 3 | 2;
const VALUE = 2 << 3 | 2;
const NULL = 1 << 3;
const NUMBER = 2 << 3 | 1;
const STRING = 3 << 3 | 2;
const BOOL = 4 << 3;
const STRUCT = 5 << 3 | 2;
const LIST = 6 << 3 | 2;
const VALUES = 1 << 3 | 2;

/**
 * Writes what is in a `google.protobuf.Struct`, entries in the order of their keys.
 *
 * @see https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/struct.proto
 */
export function writeStruct(writer: Writer, json: JsonValue) {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError(`a Struct is no ${JSON.stringify(json)}`);
  }
  for (const key of Object.keys(json).sort()) {
    writer.varint(FIELDS);
    const entry = writer.open();
    writer.varint(KEY);
    writer.text(key);
    writer.varint(VALUE);
    const value = writer.open();
    writeValue(writer, json[key]);
    writer.close(value);
    writer.close(entry);
  }
}

function writeValue(writer: Writer, json: JsonValue) {
  if (json === null) {
    writer.varint(NULL);
    writer.varint(0);
  } else if (typeof json === "number") {
    writer.varint(NUMBER);
    writer.double(json);
  } else if (typeof json === "string") {
    writer.varint(STRING);
    writer.text(json);
  } else if (typeof json === "boolean") {
    writer.varint(BOOL);
    writer.varint(json ? 1 : 0);
  } else if (Array.isArray(json)) {
    writer.varint(LIST);
    const list = writer.open();
    for (const item of json) {
      writer.varint(VALUES);
      const value = writer.open();
      writeValue(writer, item);
      writer.close(value);
    }
    writer.close(list);
  } else {
    writer.varint(STRUCT);
    const struct = writer.open();
    writeStruct(writer, json);
    writer.close(struct);
  }
}
