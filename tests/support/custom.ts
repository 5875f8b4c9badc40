import {
  create,
  createFileRegistry,
  type DescMessage,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** A message type that Envoy's API does not have, with one field, `text`. */
export function customSchema(typeName: string): DescMessage {
  const dot = typeName.lastIndexOf(".");
  const file = create(FileDescriptorProtoSchema, {
    name: `${typeName}.proto`,
    package: typeName.slice(0, dot),
    syntax: "proto3",
    messageType: [{
      name: typeName.slice(dot + 1),
      field: [{
        name: "text",
        jsonName: "text",
        number: 1,
        type: FieldDescriptorProto_Type.STRING,
        label: FieldDescriptorProto_Label.OPTIONAL,
      }],
    }],
  });
  return createFileRegistry(file, () => undefined).getMessage(typeName)!;
}
