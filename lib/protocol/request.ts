import type { Node } from "@xds/envoy/envoy/config/core/v3";
import { eachField, type Field, text, Wire } from "../resource/_wire.ts";
import {
  checkName,
  defaultBounds,
  EntryCount,
  FieldCount,
  type RequestBounds,
} from "./_bounds.ts";
import { readNames } from "./_names.ts";
import { decodeNode } from "./_node.ts";

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
 * Decodes a `DiscoveryRequest`.
 *
 * @throws {RangeError | TypeError} if the bytes are none
 * @throws {BoundsError} if it holds more than is allowed
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
 */
export function decodeSotwRequest(
  bytes: Uint8Array,
  bounds: RequestBounds = defaultBounds,
): StreamRequest {
  const fields = new CommonReader(bytes, bounds);
  let names: readonly string[] = [];
  let own: string[] | undefined;
  const add = (name: string) => {
    // What was read so far may be shared.
    if (!own) names = own = [...names];
    own.push(name);
  };
  const count = new EntryCount(bounds);
  let version = "";
  eachField(bytes, 0, bytes.length, (field) => {
    if (field.wire !== Wire.Bytes) return fields.skip();
    if (field.number === 3) {
      const more = readNames(bytes, field, count);
      if (names.length === 0) names = more;
      else for (const name of more) add(name);
    } else if (field.number === 7) {
      count.add();
      add(decodeLocator(bytes, field, fields.count));
    } else if (field.number === 1) {
      version = fields.short(field, "version_info", version);
    } else if (field.number === 2) fields.node(field);
    else if (field.number === 4) fields.typeUrl(field);
    else if (field.number === 5) fields.nonce(field);
    else if (field.number === 6) fields.error(field);
    else fields.skip();
  });
  return { ...fields.read(), wanted: { kind: "all", names, version } };
}

/**
 * Decodes a `DeltaDiscoveryRequest`.
 *
 * @throws {RangeError | TypeError} if the bytes are none
 * @throws {BoundsError} if it holds more than is allowed
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
 */
export function decodeDeltaRequest(
  bytes: Uint8Array,
  bounds: RequestBounds = defaultBounds,
): StreamRequest {
  const fields = new CommonReader(bytes, bounds);
  const subscribe: string[] = [];
  const unsubscribe: string[] = [];
  const versions = new Map<string, string>();
  const subscribed = new EntryCount(bounds);
  const unsubscribed = new EntryCount(bounds);
  const held = new EntryCount(bounds);
  eachField(bytes, 0, bytes.length, (field) => {
    if (field.wire !== Wire.Bytes) return fields.skip();
    if (field.number === 3 || field.number === 8) {
      subscribed.add();
      subscribe.push(
        field.number === 3
          ? nameIn(bytes, field)
          : decodeLocator(bytes, field, fields.count),
      );
    } else if (field.number === 4 || field.number === 9) {
      unsubscribed.add();
      unsubscribe.push(
        field.number === 4
          ? nameIn(bytes, field)
          : decodeLocator(bytes, field, fields.count),
      );
    } else if (field.number === 5) {
      held.add();
      decodeEntry(bytes, field, versions, fields.count);
    } else if (field.number === 1) fields.node(field);
    else if (field.number === 2) fields.typeUrl(field);
    else if (field.number === 6) fields.nonce(field);
    else if (field.number === 7) fields.error(field);
    else fields.skip();
  });
  return {
    ...fields.read(),
    wanted: { kind: "changes", subscribe, unsubscribe, versions },
  };
}

/** Bytes of a nonce, version or type URL. */
const MAX_SHORT_BYTES = 1_024;

/** Bytes of an error message that are kept. */
const MAX_ERROR_BYTES = 16 * 1024;

/** Fields that both protocols have. Of one that is repeated, the last counts, and is the only one that is decoded. */
class CommonReader {
  readonly count = new FieldCount();
  readonly #bytes: Uint8Array;
  readonly #bounds: RequestBounds;
  #node: Field | undefined;
  #error: Field | undefined;
  #typeUrl = "";
  #nonce = "";

  constructor(bytes: Uint8Array, bounds: RequestBounds) {
    this.#bytes = bytes;
    this.#bounds = bounds;
  }

  skip() {
    this.count.add();
  }

  node(field: Field) {
    if (this.#node) this.count.add();
    this.#node = { ...field };
  }

  error(field: Field) {
    if (this.#error) this.count.add();
    this.#error = { ...field };
  }

  typeUrl(field: Field) {
    this.#typeUrl = this.short(field, "type_url", this.#typeUrl);
  }

  nonce(field: Field) {
    this.#nonce = this.short(field, "response_nonce", this.#nonce);
  }

  /** A text of which there is no more than one; `before` is what was read of it, so that repetitions are counted. */
  short({ start, end }: Field, what: string, before: string): string {
    if (before !== "" || start === end) this.count.add();
    if (end - start > MAX_SHORT_BYTES) {
      throw new RangeError(
        `${what} has ${end - start} bytes, and may have ${MAX_SHORT_BYTES}`,
      );
    }
    return text(this.#bytes, start, end);
  }

  read(): Omit<StreamRequest, "wanted"> {
    const bytes = this.#bytes;
    return {
      node: this.#node && decodeNode(bytes, this.#node, this.#bounds),
      typeUrl: this.#typeUrl,
      nonce: this.#nonce,
      error: this.#error && decodeStatus(bytes, this.#error, this.count),
    };
  }
}

/** The name in a field. */
function nameIn(bytes: Uint8Array, { start, end }: Field): string {
  checkName(end - start);
  return text(bytes, start, end);
}

/** The name in a `ResourceLocator`. Its dynamic parameters select among variants of a resource, of which there is one here. */
function decodeLocator(
  bytes: Uint8Array,
  { start, end }: Field,
  count: FieldCount,
): string {
  let name = "";
  let fields = 0;
  eachField(bytes, start, end, (field) => {
    // One is what there is to be; only more are counted.
    if (fields++ > 0) count.add();
    if (field.number === 1 && field.wire === Wire.Bytes) {
      name = nameIn(bytes, field);
    }
  });
  return name;
}

const lenient = new TextDecoder();

function decodeStatus(
  bytes: Uint8Array,
  { start, end }: Field,
  count: FieldCount,
): { code: number; message: string } {
  const status = { code: 0, message: "" };
  eachField(bytes, start, end, (field) => {
    count.add();
    if (field.number === 1 && field.wire === Wire.Varint) {
      status.code = field.value;
    }
    if (field.number === 2 && field.wire === Wire.Bytes) {
      const { start, end } = field;
      status.message = end - start <= MAX_ERROR_BYTES
        ? text(bytes, start, end)
        : `${lenient.decode(bytes.subarray(start, start + MAX_ERROR_BYTES))}…`;
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
  into: Map<string, string>,
  count: FieldCount,
) {
  const keyEnd = start + 2 + bytes[start + 1];
  if (
    end - start < 0x80 && keyEnd + 2 <= end && bytes[start] === KEY &&
    bytes[keyEnd] === VALUE && keyEnd + 2 + bytes[keyEnd + 1] === end
  ) {
    into.set(text(bytes, start + 2, keyEnd), text(bytes, keyEnd + 2, end));
    return;
  }
  const entry = ["", ""];
  let fields = 0;
  eachField(bytes, start, end, (field) => {
    if (fields++ > 1) count.add();
    if (
      field.wire === Wire.Bytes && (field.number === 1 || field.number === 2)
    ) {
      entry[field.number - 1] = nameIn(bytes, field);
    }
  });
  into.set(entry[0], entry[1]);
}
