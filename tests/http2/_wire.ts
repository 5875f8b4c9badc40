/** HTTP/2 on the wire, for tests: frames are written by name, and read back as lines. */
import type { Field } from "../../lib/http2/_fields.ts";
import { HpackDecoder } from "../../lib/http2/_hpack_decoder.ts";
import { ErrorCode, headerBlock } from "../../lib/http2/mod.ts";

export const PREFACE = new TextEncoder().encode(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

const types = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION",
];
export type FrameName = (typeof types)[number];

const settings = [
  "",
  "HEADER_TABLE_SIZE",
  "ENABLE_PUSH",
  "MAX_CONCURRENT_STREAMS",
  "INITIAL_WINDOW_SIZE",
  "MAX_FRAME_SIZE",
  "MAX_HEADER_LIST_SIZE",
];

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PRIORITY = 32;

export function uint32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

export function frame(
  name: FrameName | number,
  flags: number,
  streamId: number,
  payload: Iterable<number> = [],
): Uint8Array {
  const bytes = [...payload];
  const type = typeof name === "number" ? name : types.indexOf(name);
  const size = uint32(bytes.length).slice(1);
  return Uint8Array.from([
    ...size,
    type,
    flags,
    ...uint32(streamId),
    ...bytes,
  ]);
}

export function settingsFrame(given: Record<string, number> = {}): Uint8Array {
  return frame(
    "SETTINGS",
    0,
    0,
    Object.entries(given).flatMap(([name, value]) => [
      0,
      settings.includes(name) ? settings.indexOf(name) : Number(name),
      ...uint32(value),
    ]),
  );
}

/** A request's fields, with those that all have and these do not name. */
export function requestBlock(
  given: readonly (readonly [string, string])[] = [],
): Uint8Array {
  const usual = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/"],
  ] as const;
  const missing = usual.filter(([name]) =>
    !given.some(([other]) => other === name)
  );
  return headerBlock([...missing, ...given]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A frame that a server sent. */
export interface Frame {
  readonly name: string;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** Cuts what a server sent into frames. */
export class Frames {
  #rest: Uint8Array = new Uint8Array();

  take(bytes: Uint8Array): Frame[] {
    let all = concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    while (all.length >= 9) {
      const view = new DataView(all.buffer, all.byteOffset);
      const end = 9 + (view.getUint32(0) >>> 8);
      if (all.length < end) break;
      frames.push({
        name: types[all[3]],
        flags: all[4],
        streamId: view.getUint32(5),
        payload: all.slice(9, end),
      });
      all = all.subarray(end);
    }
    this.#rest = all;
    return frames;
  }
}

/** Writes what a server sends as lines, one a frame. */
export class Reader {
  readonly #frames = new Frames();
  readonly #decoder = new HpackDecoder();
  #block: Uint8Array = new Uint8Array();

  read(bytes: Uint8Array): string[] {
    return this.#frames.take(bytes).map((frame) => this.#line(frame));
  }

  #line({ name, flags, streamId, payload }: Frame): string {
    const view = new DataView(payload.buffer, payload.byteOffset);
    const words = [`< ${name}`];
    if (streamId) words.push(String(streamId));
    switch (name) {
      case "DATA":
        words.push(text(payload));
        break;
      case "HEADERS":
      case "CONTINUATION": {
        this.#block = concat([this.#block, payload]);
        if (!(flags & END_HEADERS)) {
          words.push(`${payload.length} bytes`);
          break;
        }
        const fields: Field[] = [];
        this.#decoder.decode(
          this.#block,
          0,
          this.#block.length,
          (field) => fields.push(field),
        );
        this.#block = new Uint8Array();
        for (const { name, value } of fields) {
          const { length } = value;
          words.push(`${name}=${length > 99 ? `${length} bytes` : value}`);
        }
        break;
      }
      case "RST_STREAM":
        words.push(codeName(view.getUint32(0)));
        break;
      case "SETTINGS":
        if (flags & ACK) words.push("ack");
        for (let at = 0; at < payload.length; at += 6) {
          words.push(
            `${settings[view.getUint16(at)]}=${view.getUint32(at + 2)}`,
          );
        }
        break;
      case "PING":
        if (flags & ACK) words.push("ack");
        words.push(String(payload[7]));
        break;
      case "GOAWAY":
        words.push(`last=${view.getUint32(0)}`, codeName(view.getUint32(4)));
        words.push(new TextDecoder().decode(payload.subarray(8)));
        break;
      case "WINDOW_UPDATE":
        words.push(String(view.getUint32(0)));
    }
    const mayEnd = name === "DATA" || name === "HEADERS";
    if (mayEnd && flags & END_STREAM) words.push("end");
    return words.filter((word) => word !== "").join(" ");
  }
}

/** Text as it is, and what is long by its length. */
export function text(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  if (bytes.length > 20) return `${bytes.length} bytes`;
  return JSON.stringify(new TextDecoder().decode(bytes));
}

export function codeName(code: number): string {
  const entry = Object.entries(ErrorCode).find(([, value]) => value === code);
  return entry?.[0] ?? `code ${code}`;
}
