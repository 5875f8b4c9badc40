import { eachField, text, Wire } from "../_wire.ts";

/** Where bytes lie in a resource's bytes. */
export interface Span {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** What a field of a scalar type holds; integers of 64 bits are numbers where these hold them. */
export type Scalar = string | Uint8Array | number | bigint | boolean;

/** How the values of a scalar type are encoded. */
export interface ScalarType {
  readonly wire: number;
  /** What an absent field counts as. */
  readonly zero: Scalar;
  readonly decode: (span: Span) => Scalar;
}

const big = (span: Span): bigint => {
  let value = 0n;
  for (let at = span.start, shift = 0n; at < span.end; at++, shift += 7n) {
    value |= BigInt(span.bytes[at] & 0x7f) << shift;
  }
  return BigInt.asUintN(64, value);
};
const fitting = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};
const low = ({ bytes, start, end }: Span): number => {
  let value = 0;
  for (let at = start, shift = 0; at < end && shift < 32; at++, shift += 7) {
    value |= (bytes[at] & 0x7f) << shift;
  }
  return value;
};
const data = ({ bytes, start }: Span): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset + start);

const varint = (decode: ScalarType["decode"]): ScalarType => ({
  wire: Wire.Varint,
  zero: 0,
  decode,
});
const fixed = (wire: number, decode: ScalarType["decode"]): ScalarType => ({
  wire,
  zero: 0,
  decode,
});

const types: Readonly<Record<string, ScalarType>> = {
  string: {
    wire: Wire.Bytes,
    zero: "",
    decode: ({ bytes, start, end }) => text(bytes, start, end),
  },
  bytes: {
    wire: Wire.Bytes,
    zero: new Uint8Array(),
    decode: ({ bytes, start, end }) => bytes.subarray(start, end),
  },
  bool: {
    wire: Wire.Varint,
    zero: false,
    decode: (span) => big(span) !== 0n,
  },
  enum: varint(low),
  int32: varint(low),
  uint32: varint((span) => low(span) >>> 0),
  sint32: varint((span) => {
    const value = low(span) >>> 0;
    return value >>> 1 ^ -(value & 1);
  }),
  int64: varint((span) => fitting(BigInt.asIntN(64, big(span)))),
  uint64: varint((span) => fitting(big(span))),
  sint64: varint((span) => {
    const value = big(span);
    return fitting(value >> 1n ^ -(value & 1n));
  }),
  float: fixed(Wire.Fixed32, (span) => data(span).getFloat32(0, true)),
  fixed32: fixed(Wire.Fixed32, (span) => data(span).getUint32(0, true)),
  sfixed32: fixed(Wire.Fixed32, (span) => data(span).getInt32(0, true)),
  double: fixed(Wire.Fixed64, (span) => data(span).getFloat64(0, true)),
  fixed64: fixed(
    Wire.Fixed64,
    (span) => fitting(data(span).getBigUint64(0, true)),
  ),
  sfixed64: fixed(
    Wire.Fixed64,
    (span) => fitting(data(span).getBigInt64(0, true)),
  ),
};

/** The scalar type of a name; undefined for that of a message. */
export function scalarType(name: string): ScalarType | undefined {
  return types[name];
}

/** The message of `google.protobuf` that holds nothing but a scalar, by the scalar's type. */
const wrappers: Readonly<Record<string, string>> = {
  "google.protobuf.BoolValue": "bool",
  "google.protobuf.BytesValue": "bytes",
  "google.protobuf.DoubleValue": "double",
  "google.protobuf.FloatValue": "float",
  "google.protobuf.Int32Value": "int32",
  "google.protobuf.Int64Value": "int64",
  "google.protobuf.StringValue": "string",
  "google.protobuf.UInt32Value": "uint32",
  "google.protobuf.UInt64Value": "uint64",
};

/** The scalar type that a wrapper message holds. */
export function wrappedType(name: string): string | undefined {
  return wrappers[name];
}

/** The last value of a field in a message that came in some parts. */
export function lastOf(
  parts: readonly Span[],
  number: number,
  wire: number,
): Span | undefined {
  let last: Span | undefined;
  for (const { bytes, start, end } of parts) {
    eachField(bytes, start, end, (field) => {
      if (field.number !== number || field.wire !== wire) return;
      last = { bytes, start: field.start, end: field.end };
    });
  }
  return last;
}

/** A scalar field of a message that came in some parts. */
export function scalarOf(
  parts: readonly Span[],
  number: number,
  type: string,
): Scalar {
  const { wire, zero, decode } = types[type];
  const last = lastOf(parts, number, wire);
  return last ? decode(last) : zero;
}

/** The elements of a list in packed form. */
export function* packed(span: Span, wire: number): Iterable<Span> {
  const { bytes, end } = span;
  const size = wire === Wire.Fixed64 ? 8 : wire === Wire.Fixed32 ? 4 : 0;
  for (let start = span.start; start < end;) {
    let next = start + size;
    if (size === 0) {
      next = start + 1;
      while (next < end && bytes[next - 1] >= 0x80) next++;
    }
    if (next > end || size === 0 && bytes[next - 1] >= 0x80) {
      throw new RangeError(
        "not a protobuf message: a packed list ends within an element",
      );
    }
    yield { bytes, start, end: next };
    start = next;
  }
}
