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

/** A piece of a message: bytes of its own, or a nested message. Sizes are known before anything is written. */
class Fields {
  size = 0;
  readonly #parts: (number | Uint8Array)[] = [];

  bytes(number: number, value: Uint8Array): this {
    if (value.length === 0) return this;
    return this.#head(number, value.length).#raw(value);
  }

  /** One of a repeated field, which is written even if it is empty. */
  item(number: number, value: string): this {
    const bytes = encoder.encode(value);
    return this.#head(number, bytes.length).#raw(bytes);
  }

  text(number: number, value: string): this {
    return this.bytes(number, encoder.encode(value));
  }

  varint(number: number, value: number): this {
    if (value === 0) return this;
    return this.#number(number * 8).#number(value);
  }

  message(number: number, fields: Fields): this {
    this.#head(number, fields.size);
    for (const part of fields.#parts) this.#parts.push(part);
    this.size += fields.size;
    return this;
  }

  /** The encoded message behind `room` bytes that are left free. */
  encode(room: number): Uint8Array {
    const bytes = new Uint8Array(room + this.size);
    let at = room;
    for (const part of this.#parts) {
      if (typeof part !== "number") {
        bytes.set(part, at);
        at += part.length;
        continue;
      }
      let rest = part;
      for (; rest > 127; rest = Math.floor(rest / 128)) {
        bytes[at++] = rest % 128 | 128;
      }
      bytes[at++] = rest;
    }
    return bytes;
  }

  #head(number: number, length: number): this {
    return this.#number(number * 8 + 2).#number(length);
  }

  #raw(value: Uint8Array): this {
    this.#parts.push(value);
    this.size += value.length;
    return this;
  }

  #number(value: number): this {
    this.#parts.push(value);
    for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) {
      this.size++;
    }
    this.size++;
    return this;
  }
}

/**
 * Encodes a `DiscoveryResponse` behind `room` free bytes. A resource with a TTL goes into a `Resource` wrapper, and a
 * heartbeat has bodies: Envoy's state of the world passes over a resource that has none, and its TTL runs out.
 */
export function encodeSotwResponse(content: Content, room: number): Uint8Array {
  const type = encoder.encode(content.typeUrl);
  const fields = new Fields().text(1, content.version);
  for (const resource of content.resources) {
    const any = anyOf(type, resource.bytes);
    if (resource.ttl === undefined) fields.message(2, any);
    else {
      const wrapper = wrapped(resource, any);
      fields.message(2, new Fields().bytes(1, WRAPPER).message(2, wrapper));
    }
  }
  fields.bytes(4, type).text(5, content.nonce);
  for (const name of content.missing) {
    const message = `no resource of type ${content.typeUrl} is named ${
      JSON.stringify(name)
    }`;
    const status = new Fields().varint(1, NOT_FOUND).text(2, message);
    fields.message(
      7,
      new Fields().message(1, new Fields().text(1, name)).message(2, status),
    );
  }
  return fields.encode(room);
}

/** Encodes a `DeltaDiscoveryResponse` behind `room` free bytes. */
export function encodeDeltaResponse(
  content: Content,
  room: number,
): Uint8Array {
  const type = encoder.encode(content.typeUrl);
  const fields = new Fields().text(1, content.version);
  // Without a body, a virtual host is one that does not exist.
  const hasBodies = !content.isHeartbeat ||
    content.typeUrl === TypeUrl.VirtualHost;
  for (const resource of content.resources) {
    const any = hasBodies ? anyOf(type, resource.bytes) : undefined;
    fields.message(2, wrapped(resource, any));
  }
  for (const name of content.missing) {
    // Envoy takes a resource without a body only if it has an alias.
    fields.message(2, new Fields().text(3, name).text(4, name));
  }
  fields.bytes(4, type).text(5, content.nonce);
  for (const name of content.removed) fields.item(6, name);
  return fields.encode(room);
}

function anyOf(type: Uint8Array, value: Uint8Array): Fields {
  return new Fields().bytes(1, type).bytes(2, value);
}

/** A `Resource`; without a body it renews the resource's TTL. */
function wrapped(resource: Resource, any: Fields | undefined): Fields {
  const fields = new Fields().text(1, resource.version);
  if (any) fields.message(2, any);
  fields.text(3, resource.name);
  if (resource.ttl === undefined) return fields;
  // Rounded as a whole, since a duration has less than a second of nanoseconds.
  const nanos = Math.round((resource.ttl % 1000) * 1e6);
  const seconds = Math.floor(resource.ttl / 1000) + Math.floor(nanos / 1e9);
  const duration = new Fields().varint(1, seconds).varint(2, nanos % 1e9);
  return fields.message(6, duration);
}
