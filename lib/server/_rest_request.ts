import {
  fromJson,
  type JsonObject,
  type JsonValue,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { writeStruct } from "../resource/_struct.ts";
import { Writer } from "../resource/_writer.ts";
import { LimitError } from "./_status.ts";

/** A request as JSON has it. */
export interface RestBody {
  readonly request: DiscoveryRequest;
  /** The `DiscoveryRequest`, encoded. */
  readonly bytes: Uint8Array;
}

/** Values in a request beside its names. */
const MAX_VALUES = 10_000;

/** Levels of objects and lists in each other. */
const MAX_DEPTH = 40;

/** Bytes of the characters that a scan of JSON looks for. */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

const decoder = new TextDecoder("utf-8", { fatal: true });
const known = new Set(
  DiscoveryRequestSchema.fields.flatMap(({ name, jsonName }) => [
    name,
    jsonName,
  ]),
);

/**
 * Reads the body of a request.
 *
 * @throws {ConnectError} if it is none
 * @throws {LimitError} if it holds more than is allowed
 */
export function parseRestBody(body: Uint8Array, maxNames: number): RestBody {
  checkSize(body, maxNames);
  const json = parseObject(body);
  const unknown = Object.keys(json).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw invalid(
      `a DiscoveryRequest has no field ${JSON.stringify(unknown)}; it has ${
        DiscoveryRequestSchema.fields.map(({ name }) => name).join(", ")
      }`,
    );
  }
  // Nothing reads them, an Envoy lists hundreds of the one, and the other may hold messages of any type.
  for (
    const name of ["extensions", "listening_addresses", "listeningAddresses"]
  ) {
    drop(json, "node", name);
  }
  for (const name of ["error_detail", "errorDetail"]) {
    drop(json, name, "details");
  }
  const metadata = drop(json, "node", "metadata");
  if (countOf(json.node) + countOf(metadata) > MAX_VALUES) {
    throw invalid(`a node holds more than ${MAX_VALUES} values`);
  }
  let request: DiscoveryRequest;
  try {
    // A newer Envoy may say more of its node than is known here.
    request = fromJson(DiscoveryRequestSchema, json, {
      ignoreUnknownFields: true,
    });
  } catch (cause) {
    throw invalid("the body is no DiscoveryRequest", cause);
  }
  if (!request.node) {
    throw invalid(
      "the field node is missing: a request must carry the client's node",
    );
  }
  return { request, bytes: encode(request, metadata) };
}

/**
 * Encodes a request. Metadata goes from JSON to bytes without being made messages of, of which there is one for each value.
 */
function encode(
  request: DiscoveryRequest,
  metadata: JsonValue | undefined,
): Uint8Array {
  const { node, ...rest } = request;
  const writer = new Writer();
  const nodeBytes = toBinary(NodeSchema, node!);
  const others = toBinary(DiscoveryRequestSchema, { ...rest });
  let metadataBytes: Uint8Array | undefined;
  if (metadata !== undefined && metadata !== null) {
    try {
      writeStruct(writer, metadata);
    } catch (cause) {
      throw invalid("the node's metadata is no Struct", cause);
    }
    metadataBytes = writer.finish();
  }
  const parts = metadataBytes
    ? [nodeBytes, field(3, metadataBytes.length), metadataBytes]
    : [nodeBytes];
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  return joined([others, field(2, size), ...parts]);
}

/** The tag and length of a field. */
function field(number: number, size: number): Uint8Array {
  const bytes = [number << 3 | 2];
  for (; size > 127; size = Math.floor(size / 128)) {
    bytes.push(size % 128 | 128);
  }
  return Uint8Array.from([...bytes, size]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function parseObject(body: Uint8Array): JsonObject {
  let json: JsonValue;
  try {
    json = JSON.parse(decoder.decode(body));
  } catch (cause) {
    throw invalid("the body is no JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw invalid("the body is no DiscoveryRequest: it must be a JSON object");
  }
  return json;
}

/** Counts values and levels before any of them is made an object of. */
function checkSize(body: Uint8Array, maxNames: number) {
  let values = 0;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (isText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === COMMA) values++;
    else if (OPENING.has(byte)) {
      values++;
      if (++depth > MAX_DEPTH) {
        throw invalid(`the body is nested deeper than ${MAX_DEPTH} levels`);
      }
    } else if (CLOSING.has(byte)) depth--;
  }
  if (values <= maxNames + MAX_VALUES) return;
  throw new LimitError(
    "names",
    maxNames,
    `a request lists more than ${maxNames} names; ask for fewer, or subscribe to the wildcard`,
  );
}

/** How many values there are in one. */
function countOf(json: JsonValue | undefined): number {
  if (typeof json !== "object" || json === null) return 1;
  let count = 1;
  for (const value of Object.values(json)) count += countOf(value);
  return count;
}

/** Takes a field out of a message in another. */
function drop(
  json: JsonObject,
  from: string,
  name: string,
): JsonValue | undefined {
  const message = Object.hasOwn(json, from) ? json[from] : undefined;
  if (typeof message !== "object" || !message || Array.isArray(message)) {
    return undefined;
  }
  const value = Object.hasOwn(message, name) ? message[name] : undefined;
  delete message[name];
  return value;
}

function invalid(message: string, cause?: unknown): ConnectError {
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  return new ConnectError(
    message + reason,
    Code.InvalidArgument,
    undefined,
    undefined,
    cause,
  );
}
