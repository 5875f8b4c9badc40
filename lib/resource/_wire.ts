/** Protobuf's wire format, as far as one needs it to read a few fields of a message and pass over the rest. */

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Wire types, as in protobuf's encoding guide. */
export const Wire = { Varint: 0, Fixed64: 1, Bytes: 2, Fixed32: 5 } as const;

/** One field: a varint's value, or where the payload of a length-delimited field lies. */
export interface Field {
  number: number;
  wire: number;
  /** A varint's value, exact to 2^53; 0 for another wire type. */
  value: number;
  /** Offset of the payload's first byte. */
  start: number;
  /** Offset past the payload's last byte. */
  end: number;
}

/**
 * Calls `visit` for each field of the message that lies in `bytes` from `start` to `end`. The object it gets is reused; where
 * it moves the `end` on, what lies before that is passed over.
 *
 * @throws {RangeError} if the bytes are no message; it says at which offset.
 */
export function eachField(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (field: Field) => void,
): void {
  const field: Field = { number: 0, wire: 0, value: 0, start: 0, end: 0 };
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) break;
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError(
      `not a protobuf message: bad varint at byte ${at - start}`,
    );
  };
  while (at < end) {
    const tag = varint();
    field.number = Math.floor(tag / 8);
    field.wire = tag % 8;
    field.value = 0;
    field.start = at;
    if (field.number === 0) {
      throw new RangeError(
        `not a protobuf message: field number 0 at byte ${at - start}`,
      );
    }
    if (field.wire === Wire.Varint) {
      field.value = varint();
    } else if (field.wire === Wire.Bytes) {
      const length = varint();
      field.start = at;
      at += length;
    } else if (field.wire === Wire.Fixed64) {
      at += 8;
    } else if (field.wire === Wire.Fixed32) {
      at += 4;
    } else {
      throw new RangeError(
        `not a protobuf message: wire type ${field.wire} at byte ${at - start}`,
      );
    }
    field.end = at;
    if (at > end) {
      throw new RangeError(
        `not a protobuf message: field ${field.number} ends past the last byte`,
      );
    }
    visit(field);
    at = field.end;
  }
}

/** Texts of more bytes are decoded by the runtime, and not kept. */
const LONGEST_KEPT = 96;
/** How many texts are kept; a power of two. */
const MOST_KEPT = 1 << 14;
const FNV_PRIME = 0x01000193;

/** Texts that were read, each at a place that its bytes tell. A place has the newest of those that belong there. */
let kept: (string | undefined)[] | undefined;

/**
 * Decodes UTF-8. The same short bytes mostly give the same string, so that the names, versions and types that a thousand
 * clients say lie in memory once, and cost no decoding.
 *
 * @throws {TypeError} if it is none.
 */
export function text(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > LONGEST_KEPT) return decoder.decode(bytes.subarray(start, end));
  let hash = length;
  let all = 0;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 |
      bytes[at + 3] << 24;
    all |= word;
    hash = Math.imul(hash ^ word, FNV_PRIME);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) {
    all |= bytes[at];
    hash = Math.imul(hash ^ bytes[at], FNV_PRIME);
  }
  // Some byte is no ASCII.
  if ((all & 0x80808080) !== 0) {
    return decoder.decode(bytes.subarray(start, end));
  }
  kept ??= new Array<string | undefined>(MOST_KEPT).fill(undefined);
  const place = (hash ^ hash >>> 15) & (MOST_KEPT - 1);
  const known = kept[place];
  if (known !== undefined && isText(known, bytes, start, length)) return known;
  const read = String.fromCharCode(...bytes.subarray(start, end));
  kept[place] = read;
  return read;
}

function isText(
  text: string,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}
