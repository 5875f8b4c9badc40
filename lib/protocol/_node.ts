import { fromBinary } from "@bufbuild/protobuf";
import { type Node, NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import { eachField, type Field, Wire } from "../resource/_wire.ts";
import { BoundsError, FieldCount, type RequestBounds } from "./_bounds.ts";
import { decodeStruct } from "./_metadata.ts";

const METADATA = 3;

/** Fields that are kept as they are: all that is of use for recognizing a client. */
const keptFields: ReadonlySet<number> = new Set([
  1, // id
  2, // cluster
  4, // locality
  6, // user_agent_name
  7, // user_agent_version
  8, // user_agent_build_version
  10, // client_features
  12, // dynamic_parameters
]);

/** Bytes of the kept fields, metadata excluded. */
const MAX_KEPT = 16 * 1024;

/** Estimated bytes of memory for a byte of them. */
const KEPT_FACTOR = 16;

/** A value of metadata takes this many bytes at least, on average. */
const BYTES_PER_VALUE = 12;

/** Estimated bytes of memory that a value of metadata takes beside its payload. */
const VALUE_OVERHEAD = 64;

const sizes = new WeakMap<Node, number>();

/** Estimated bytes of memory that a decoded node takes. */
export function memoryOf(node: Node): number {
  return sizes.get(node) ?? 0;
}

/**
 * Decodes a node, without `extensions` (an Envoy lists hundreds), `listening_addresses` and what is not known.
 *
 * @throws {RangeError} if the bytes are no node
 * @throws {BoundsError} if it is larger than is allowed
 */
export function decodeNode(
  bytes: Uint8Array,
  { start, end }: Field,
  bounds: RequestBounds,
): Node {
  const kept: Uint8Array[] = [];
  let metadata: [start: number, end: number] | undefined;
  let size = 0;
  let from = start;
  const count = new FieldCount();
  eachField(bytes, start, end, (field) => {
    count.add();
    if (field.number === METADATA && field.wire === Wire.Bytes) {
      metadata = [field.start, field.end];
    } else if (keptFields.has(field.number)) {
      // A field ends where the next one's tag begins.
      const part = bytes.subarray(from, field.end);
      kept.push(part);
      size += part.length;
    }
    from = field.end;
  });
  const metadataBytes = metadata ? metadata[1] - metadata[0] : 0;
  const allowed = bounds.nodeBytes;
  if (size > MAX_KEPT) throw tooLarge(size, "without metadata", MAX_KEPT);
  if (size + metadataBytes > allowed) {
    throw tooLarge(size + metadataBytes, "without extensions", allowed);
  }
  const values = { left: Math.ceil(bounds.nodeBytes / BYTES_PER_VALUE) };
  const most = values.left;
  try {
    const node = fromBinary(NodeSchema, joined(kept, size), {
      readUnknownFields: false,
    });
    if (metadata) node.metadata = decodeStruct(bytes, ...metadata, values);
    sizes.set(
      node,
      size * KEPT_FACTOR + metadataBytes +
        (most - values.left) * VALUE_OVERHEAD,
    );
    return node;
  } catch (cause) {
    if (values.left < 0) {
      throw new BoundsError(
        "nodeBytes",
        bounds.nodeBytes,
        `a node of up to ${bounds.nodeBytes} bytes may hold ${most} values in its metadata, and this one holds more`,
      );
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`not a node: ${reason}`, { cause });
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function tooLarge(size: number, of: string, allowed: number): BoundsError {
  return new BoundsError(
    "nodeBytes",
    allowed,
    `a node of ${size} bytes, ${of}, is larger than the ${allowed} that are allowed`,
  );
}
