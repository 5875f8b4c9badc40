import {
  type DescField,
  type DescMessage,
  ScalarType,
} from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";

/**
 * What a field holds. The first are singular fields without presence, which are not written if they have the value that
 * they have when they were not set.
 */
export const Shape = {
  String: 0,
  Bool: 1,
  Enum: 2,
  Integer: 3,
  Float: 4,
  Bytes: 5,
  /** With presence. */
  Scalar: 6,
  Message: 7,
  Messages: 8,
  Scalars: 9,
  Packed: 10,
  Map: 11,
} as const;

type Shape = (typeof Shape)[keyof typeof Shape];

/** How a field is written. A class, so that all have one form, and the code that reads them stays fast. */
export class FieldPlan {
  readonly name: string;
  /** The oneof that it belongs to; empty if it belongs to none. */
  readonly group: string;
  /** Its place in the order of its message's fields. */
  readonly order: number;
  readonly shape: Shape;
  /** A value that it has when it was not set. */
  readonly unset: unknown;
  readonly isRequired: boolean;
  readonly tag: number;
  /** What ends a group, as protobuf's delimited encoding is called; 0 for what is preceded by its length. */
  readonly endTag: number;
  /** Of a scalar or an enum, or of each in a list. */
  readonly scalar: ScalarType;
  /** The messages in it; undefined if there are none, or for a `Struct`, which a field holds as a JSON object. */
  readonly plan: MessagePlan | undefined;
  /** The field of the wrapper that it is, where it holds the value that is wrapped. */
  readonly wrapped: FieldPlan | undefined;
  /** Of a map. */
  readonly keyTag: number;
  readonly keyScalar: ScalarType;
  /** Of a map: how its values are written. */
  readonly value: FieldPlan | undefined;

  constructor(init: Partial<FieldPlan> & { name: string; shape: Shape }) {
    this.name = init.name;
    this.group = init.group ?? "";
    this.order = init.order ?? 0;
    this.shape = init.shape;
    this.unset = init.unset;
    this.isRequired = init.isRequired ?? false;
    this.tag = init.tag ?? 0;
    this.endTag = init.endTag ?? 0;
    this.scalar = init.scalar ?? ScalarType.INT32;
    this.plan = init.plan;
    this.wrapped = init.wrapped;
    this.keyTag = init.keyTag ?? 0;
    this.keyScalar = init.keyScalar ?? ScalarType.INT32;
    this.value = init.value;
  }
}

/** How a message is written. */
export interface MessagePlan {
  readonly typeName: string;
  /** In the order of their numbers. */
  readonly fields: FieldPlan[];
  /** Those that belong to no oneof. */
  readonly byName: Map<string, FieldPlan>;
  /** Fields of each oneof, by its name and theirs. */
  readonly groups: Map<string, Map<string, FieldPlan>>;
  /** Whether a field that was not set is found on the prototype. */
  readonly inherits: boolean;
  /** Whether it has a field that has to be set. */
  isDemanding: boolean;
}

const plans = new WeakMap<DescMessage, MessagePlan>();

/** How messages of a type are written; found out once. */
export function planOf(schema: DescMessage): MessagePlan {
  const known = plans.get(schema);
  if (known) return known;
  const plan: MessagePlan = {
    typeName: schema.typeName,
    fields: [],
    byName: new Map(),
    groups: new Map(),
    inherits: schema.file.edition !== EDITION_PROTO3,
    isDemanding: false,
  };
  // Before its fields, which may be of its own type.
  plans.set(schema, plan);
  const sorted = schema.fields.toSorted((a, b) => a.number - b.number);
  for (const [order, field] of sorted.entries()) {
    const own = fieldPlan(field, order);
    plan.fields.push(own);
    plan.isDemanding ||= own.isRequired;
    if (own.group === "") plan.byName.set(own.name, own);
    else {
      const cases = plan.groups.get(own.group);
      if (cases) cases.set(own.name, own);
      else plan.groups.set(own.group, new Map([[own.name, own]]));
    }
  }
  return plan;
}

// The values of google.protobuf.Edition and of google.protobuf.FeatureSet.FieldPresence.
const EDITION_PROTO3 = 999;
const IMPLICIT = 2;
const LEGACY_REQUIRED = 3;

function fieldPlan(field: DescField, order: number): FieldPlan {
  const scalar = field.scalar ?? ScalarType.INT32;
  const shape = shapeOf(field);
  const isDelimited = shape === Shape.Packed || shape === Shape.Map;
  const wire = isDelimited ? WireType.LengthDelimited : wireOf(scalar);
  return new FieldPlan({
    name: field.localName,
    group: field.oneof?.localName,
    order,
    shape,
    unset: shape === Shape.Enum
      ? field.enum?.values[0].number
      : unsetValues[shape],
    isRequired: "presence" in field && field.presence === LEGACY_REQUIRED,
    tag: tagOf(field.number, wire),
    scalar,
    ...field.fieldKind === "map"
      ? mapPlan(field)
      : field.message && messagePlan(field, field.message),
  });
}

const unsetValues: { readonly [shape: number]: unknown } = {
  [Shape.String]: "",
  [Shape.Bool]: false,
  [Shape.Integer]: 0,
};

function mapPlan(field: DescField & { fieldKind: "map" }) {
  const scalar = field.scalar ?? ScalarType.INT32;
  const value = field.message
    ? {
      ...messagePlan(field, field.message),
      shape: Shape.Message,
      tag: tagOf(2, WireType.LengthDelimited),
    }
    : { scalar, shape: Shape.Scalar, tag: tagOf(2, wireOf(scalar)) };
  return {
    keyTag: tagOf(1, wireOf(field.mapKey)),
    keyScalar: field.mapKey,
    value: new FieldPlan({ name: field.localName, ...value }),
  };
}

function messagePlan(field: DescField, message: DescMessage) {
  const isJson = message.typeName === "google.protobuf.Struct" &&
    field.parent?.typeName !== "google.protobuf.Value";
  const isUnwrapped = field.fieldKind === "message" && !field.oneof &&
    isWrapperDesc(message);
  const isGroup = "delimitedEncoding" in field && field.delimitedEncoding;
  return {
    plan: isJson ? undefined : planOf(message),
    wrapped: isUnwrapped ? planOf(message).fields[0] : undefined,
    tag: tagOf(
      field.number,
      isGroup ? WireType.StartGroup : WireType.LengthDelimited,
    ),
    endTag: isGroup ? tagOf(field.number, WireType.EndGroup) : 0,
  };
}

function shapeOf(field: DescField): Shape {
  if (field.fieldKind === "map") return Shape.Map;
  if (field.fieldKind === "list") {
    if (field.message) return Shape.Messages;
    return field.packed ? Shape.Packed : Shape.Scalars;
  }
  if (field.message) return Shape.Message;
  if (field.presence !== IMPLICIT || field.oneof) return Shape.Scalar;
  if (field.enum) return Shape.Enum;
  switch (field.scalar) {
    case ScalarType.STRING:
      return Shape.String;
    case ScalarType.BOOL:
      return Shape.Bool;
    case ScalarType.BYTES:
      return Shape.Bytes;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return Shape.Float;
    default:
      return Shape.Integer;
  }
}

function tagOf(number: number, wire: WireType): number {
  return (number << 3 | wire) >>> 0;
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
