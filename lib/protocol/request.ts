import { fromBinary } from "@bufbuild/protobuf";
import { type Node, NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import { eachField, type Field, text, Wire } from "../resource/_wire.ts";
import { readNames } from "./_names.ts";

/** What a client sends on a stream, in either protocol, as far as the protocol needs it. */
export interface StreamRequest {
  /** The client; Envoy gives it with a stream's first request, and again when its dynamic context parameters change. */
  readonly node: Node | undefined;
  /** The type that is asked for; on a single-type service it may be empty. */
  readonly typeUrl: string;
  /** The nonce of the response that this answers; empty if it answers none. */
  readonly nonce: string;
  /** Why the response was refused; undefined if it was not. */
  readonly error:
    | { readonly code: number; readonly message: string }
    | undefined;
  /** What the client wants from now on. */
  readonly wanted: WantedNames | NameChanges;
}

/** State of the world: all names, each time. */
export interface WantedNames {
  readonly kind: "all";
  readonly names: readonly string[];
  /** The version that the client has; it counts in a stream's first request of a type. */
  readonly version: string;
}

/** Delta: what changes. */
export interface NameChanges {
  readonly kind: "changes";
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Versions of the resources that the client has, by name; they count in a stream's first request of a type. */
  readonly versions: ReadonlyMap<string, string>;
}

/**
 * Reads a `DiscoveryRequest`.
 *
 * @throws {RangeError | TypeError} if the bytes are none
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
 */
export function decodeSotwRequest(bytes: Uint8Array): StreamRequest {
  const common = commonFields();
  let names: readonly string[] = [];
  let own: string[] | undefined;
  const add = (name: string) => {
    // What was read so far may be shared.
    if (!own) names = own = [...names];
    own.push(name);
  };
  let version = "";
  eachField(bytes, 0, bytes.length, (field) => {
    if (field.wire !== Wire.Bytes) return;
    if (field.number === 1) version = text(bytes, field.start, field.end);
    else if (field.number === 2) common.node = decodeNode(bytes, field);
    else if (field.number === 3) {
      const more = readNames(bytes, field);
      if (names.length === 0) names = more;
      else for (const name of more) add(name);
    } else if (field.number === 4) {
      common.typeUrl = text(bytes, field.start, field.end);
    } else if (field.number === 5) {
      common.nonce = text(bytes, field.start, field.end);
    } else if (field.number === 6) common.error = decodeStatus(bytes, field);
    else if (field.number === 7) add(decodeLocator(bytes, field));
  });
  return { ...common, wanted: { kind: "all", names, version } };
}

/**
 * Reads a `DeltaDiscoveryRequest`.
 *
 * @throws {RangeError | TypeError} if the bytes are none
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
 */
export function decodeDeltaRequest(bytes: Uint8Array): StreamRequest {
  const common = commonFields();
  const subscribe: string[] = [];
  const unsubscribe: string[] = [];
  const versions = new Map<string, string>();
  eachField(bytes, 0, bytes.length, (field) => {
    if (field.wire !== Wire.Bytes) return;
    if (field.number === 1) common.node = decodeNode(bytes, field);
    else if (field.number === 2) {
      common.typeUrl = text(bytes, field.start, field.end);
    } else if (field.number === 3) {
      subscribe.push(text(bytes, field.start, field.end));
    } else if (field.number === 4) {
      unsubscribe.push(text(bytes, field.start, field.end));
    } else if (field.number === 5) {
      decodeEntry(bytes, field, (name, version) => versions.set(name, version));
    } else if (field.number === 6) {
      common.nonce = text(bytes, field.start, field.end);
    } else if (field.number === 7) common.error = decodeStatus(bytes, field);
    else if (field.number === 8) subscribe.push(decodeLocator(bytes, field));
    else if (field.number === 9) unsubscribe.push(decodeLocator(bytes, field));
  });
  return {
    ...common,
    wanted: { kind: "changes", subscribe, unsubscribe, versions },
  };
}

interface CommonFields {
  node: Node | undefined;
  typeUrl: string;
  nonce: string;
  error: StreamRequest["error"];
}

function commonFields(): CommonFields {
  return { node: undefined, typeUrl: "", nonce: "", error: undefined };
}

/** `Node.extensions`, passed over: an Envoy lists hundreds, and nothing here reads them. */
const EXTENSIONS = 9;

function decodeNode(bytes: Uint8Array, { start, end }: Field): Node {
  const kept: Uint8Array[] = [];
  let from = start;
  eachField(bytes, start, end, (field) => {
    // A field ends where the next one's tag begins.
    if (field.number !== EXTENSIONS) kept.push(bytes.subarray(from, field.end));
    from = field.end;
  });
  const node = new Uint8Array(
    kept.reduce((size, part) => size + part.length, 0),
  );
  let at = 0;
  for (const part of kept) {
    node.set(part, at);
    at += part.length;
  }
  try {
    return fromBinary(NodeSchema, node);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`not a node: ${reason}`, { cause });
  }
}

/** The name in a `ResourceLocator`. Its dynamic parameters select among variants of a resource, of which there is one here. */
function decodeLocator(bytes: Uint8Array, { start, end }: Field): string {
  let name = "";
  eachField(bytes, start, end, (field) => {
    if (field.number === 1 && field.wire === Wire.Bytes) {
      name = text(bytes, field.start, field.end);
    }
  });
  return name;
}

function decodeStatus(
  bytes: Uint8Array,
  { start, end }: Field,
): { code: number; message: string } {
  const status = { code: 0, message: "" };
  eachField(bytes, start, end, (field) => {
    if (field.number === 1 && field.wire === Wire.Varint) {
      status.code = field.value;
    }
    if (field.number === 2 && field.wire === Wire.Bytes) {
      status.message = text(bytes, field.start, field.end);
    }
  });
  return status;
}

/** Tags of a map entry's key and value, where both are texts. */
const KEY = 1 << 3 | Wire.Bytes;
const VALUE = 2 << 3 | Wire.Bytes;

/** Reads an entry of a map of texts. There may be a hundred of them in a request, all of one form. */
function decodeEntry(
  bytes: Uint8Array,
  { start, end }: Field,
  set: (key: string, value: string) => void,
) {
  const keyEnd = start + 2 + bytes[start + 1];
  if (
    end - start < 0x80 && keyEnd + 2 <= end && bytes[start] === KEY &&
    bytes[keyEnd] === VALUE && keyEnd + 2 + bytes[keyEnd + 1] === end
  ) {
    set(text(bytes, start + 2, keyEnd), text(bytes, keyEnd + 2, end));
    return;
  }
  const entry = ["", ""];
  eachField(bytes, start, end, (field) => {
    if (
      field.wire === Wire.Bytes && (field.number === 1 || field.number === 2)
    ) {
      entry[field.number - 1] = text(bytes, field.start, field.end);
    }
  });
  set(entry[0], entry[1]);
}
