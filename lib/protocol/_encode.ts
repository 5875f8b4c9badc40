import { type Resource, TypeUrl } from "../resource/mod.ts";

/** A response's fields, whose encoding differs by protocol. */
export interface Content {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly Resource[];
  /** Delta: names that are gone or never were. */
  readonly removed: readonly string[];
  /** Names that were asked for and do not exist, where `removed` is not how to say so. */
  readonly missing: readonly string[];
  /** Whether it renews TTLs, and holds nothing that is new. */
  readonly isHeartbeat: boolean;
}

const encoder = new TextEncoder();
const NOT_FOUND = 5;
const WRAPPER = encoder.encode(
  "type.googleapis.com/envoy.service.discovery.v3.Resource",
);

// Sizes of fields whose numbers are below 16, so that their tags take a byte. All sizes are known before anything is
// written, since what is written for ten thousand resources is best written once.

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** A field of so many bytes, which is written even if there are none. */
function fieldSize(size: number): number {
  return 1 + varintSize(size) + size;
}

/** A field of so many bytes, which is left out if there are none. */
function bytesSize(size: number): number {
  return size === 0 ? 0 : fieldSize(size);
}

/** A field with a number, which is left out if that is 0. */
function numberSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

function textSize(text: string): number {
  return bytesSize(utf8Size(text));
}

function utf8Size(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) size++;
    else {
      // Two code units that belong together have four bytes; one that has lost the other is written as a character of three.
      size += 2;
      if (isPair(text, i)) i++;
    }
  }
  return size;
}

function isPair(text: string, i: number): boolean {
  return (text.charCodeAt(i) & 0xfc00) === 0xd800 &&
    (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
}

/** Writes fields into a message whose size is known. */
class Output {
  readonly bytes: Uint8Array<ArrayBuffer>;
  #at: number;

  /** @param room how many bytes to leave free before the message */
  constructor(room: number, size: number) {
    this.bytes = new Uint8Array(room + size);
    this.#at = room;
  }

  /** Begins a field of so many bytes. */
  head(number: number, size: number) {
    this.bytes[this.#at++] = number * 8 + 2;
    this.#varint(size);
  }

  field(number: number, value: Uint8Array) {
    if (value.length === 0) return;
    this.head(number, value.length);
    this.bytes.set(value, this.#at);
    this.#at += value.length;
  }

  text(number: number, value: string) {
    if (value !== "") this.item(number, value);
  }

  /** One of a repeated field, which is written even if it is empty. */
  item(number: number, value: string) {
    const size = utf8Size(value);
    this.head(number, size);
    if (size === value.length) {
      for (let i = 0; i < size; i++) {
        this.bytes[this.#at + i] = value.charCodeAt(i);
      }
    } else encoder.encodeInto(value, this.bytes.subarray(this.#at));
    this.#at += size;
  }

  number(number: number, value: number) {
    if (value === 0) return;
    this.bytes[this.#at++] = number * 8;
    this.#varint(value);
  }

  #varint(value: number) {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) {
      this.bytes[this.#at++] = rest % 128 | 128;
    }
    this.bytes[this.#at++] = rest;
  }
}

/**
 * Encodes a `DiscoveryResponse` behind `room` free bytes. A resource with a TTL goes into a `Resource` wrapper, and a
 * heartbeat has bodies: Envoy's state of the world passes over a resource that has none, and its TTL runs out.
 */
export function encodeSotwResponse(content: Content, room: number): Uint8Array {
  const { version, nonce, typeUrl, resources } = content;
  const type = encoder.encode(typeUrl);
  const missing = content.missing.map((name) => ({
    name,
    message: `no resource of type ${typeUrl} is named ${JSON.stringify(name)}`,
  }));
  let size = textSize(version) + bytesSize(type.length) + textSize(nonce);
  for (const resource of resources) size += fieldSize(sotwSize(resource, type));
  for (const one of missing) size += fieldSize(missingSize(one));

  const output = new Output(room, size);
  output.text(1, version);
  for (const resource of resources) {
    output.head(2, sotwSize(resource, type));
    if (resource.ttl === undefined) writeAny(output, type, resource.bytes);
    else {
      output.field(1, WRAPPER);
      output.head(2, wrappedSize(resource, type));
      writeWrapped(output, resource, type);
    }
  }
  output.field(4, type);
  output.text(5, nonce);
  for (const one of missing) {
    output.head(7, missingSize(one));
    output.head(1, textSize(one.name));
    output.text(1, one.name);
    output.head(2, statusSize(one.message));
    output.number(1, NOT_FOUND);
    output.text(2, one.message);
  }
  return output.bytes;
}

function sotwSize(resource: Resource, type: Uint8Array): number {
  return resource.ttl === undefined
    ? anySize(type, resource.bytes)
    : bytesSize(WRAPPER.length) + fieldSize(wrappedSize(resource, type));
}

/** A `ResourceError`. */
function missingSize({ name, message }: { name: string; message: string }) {
  return fieldSize(textSize(name)) + fieldSize(statusSize(message));
}

function statusSize(message: string): number {
  return numberSize(NOT_FOUND) + textSize(message);
}

/** Encodes a `DeltaDiscoveryResponse` behind `room` free bytes. */
export function encodeDeltaResponse(
  content: Content,
  room: number,
): Uint8Array {
  const { version, nonce, typeUrl, resources, missing, removed } = content;
  const type = encoder.encode(typeUrl);
  // Without a body, a virtual host is one that does not exist.
  const hasBodies = !content.isHeartbeat || typeUrl === TypeUrl.VirtualHost;
  const body = hasBodies ? type : undefined;
  let size = textSize(version) + bytesSize(type.length) + textSize(nonce);
  for (const resource of resources) {
    size += fieldSize(wrappedSize(resource, body));
  }
  for (const name of missing) size += fieldSize(2 * textSize(name));
  for (const name of removed) size += fieldSize(utf8Size(name));

  const output = new Output(room, size);
  output.text(1, version);
  for (const resource of resources) {
    output.head(2, wrappedSize(resource, body));
    writeWrapped(output, resource, body);
  }
  for (const name of missing) {
    output.head(2, 2 * textSize(name));
    // Envoy takes a resource without a body only if it has an alias.
    output.text(3, name);
    output.text(4, name);
  }
  output.field(4, type);
  output.text(5, nonce);
  for (const name of removed) output.item(6, name);
  return output.bytes;
}

function anySize(type: Uint8Array, value: Uint8Array): number {
  return bytesSize(type.length) + bytesSize(value.length);
}

function writeAny(output: Output, type: Uint8Array, value: Uint8Array) {
  output.field(1, type);
  output.field(2, value);
}

/** A `Resource`; without a body, which has a type, it renews the resource's TTL. */
function wrappedSize(
  { version, name, bytes, ttl }: Resource,
  type: Uint8Array | undefined,
): number {
  return textSize(version) + (type ? fieldSize(anySize(type, bytes)) : 0) +
    textSize(name) + (ttl === undefined ? 0 : fieldSize(durationSize(ttl)));
}

function writeWrapped(
  output: Output,
  { version, name, bytes, ttl }: Resource,
  type: Uint8Array | undefined,
) {
  output.text(1, version);
  if (type) {
    output.head(2, anySize(type, bytes));
    writeAny(output, type, bytes);
  }
  output.text(3, name);
  if (ttl === undefined) return;
  output.head(6, durationSize(ttl));
  const { seconds, nanos } = durationOf(ttl);
  output.number(1, seconds);
  output.number(2, nanos);
}

function durationSize(ttl: number): number {
  const { seconds, nanos } = durationOf(ttl);
  return numberSize(seconds) + numberSize(nanos);
}

/** Milliseconds as a `Duration`. Rounded as a whole, since a duration has less than a second of nanoseconds. */
function durationOf(ttl: number): { seconds: number; nanos: number } {
  const nanos = Math.round((ttl % 1000) * 1e6);
  const seconds = Math.floor(ttl / 1000) + Math.floor(nanos / 1e9);
  return { seconds, nanos: nanos % 1e9 };
}
