import type { JsonValue } from "@bufbuild/protobuf";
import { type BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * Writes what is in a `google.protobuf.Struct`, entries in the order of their keys.
 *
 * @see https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/struct.proto
 */
export function writeStruct(writer: BinaryWriter, json: JsonValue) {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError(`a Struct is no ${JSON.stringify(json)}`);
  }
  for (const key of Object.keys(json).sort()) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).fork();
    writeValue(writer, json[key]);
    writer.join().join();
  }
}

function writeValue(writer: BinaryWriter, json: JsonValue) {
  if (json === null) writer.tag(1, WireType.Varint).int32(0);
  else if (typeof json === "number") {
    writer.tag(2, WireType.Bit64).double(json);
  } else if (typeof json === "string") {
    writer.tag(3, WireType.LengthDelimited).string(json);
  } else if (typeof json === "boolean") {
    writer.tag(4, WireType.Varint).bool(json);
  } else if (Array.isArray(json)) {
    writer.tag(6, WireType.LengthDelimited).fork();
    for (const item of json) {
      writer.tag(1, WireType.LengthDelimited).fork();
      writeValue(writer, item);
      writer.join();
    }
    writer.join();
  } else {
    writer.tag(5, WireType.LengthDelimited).fork();
    writeStruct(writer, json);
    writer.join();
  }
}
