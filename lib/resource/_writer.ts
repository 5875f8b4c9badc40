import { ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";

const FIRST_BYTES = 4 * 1024;
/** Bytes beyond which the buffer of a message is not kept for the next. */
const MOST_KEPT = 1024 * 1024;
/** Texts of fewer characters are written faster by a loop, if they are ASCII, than by a call to the encoder. */
const SHORT = 40;
/** Bytes of the longest length. */
const MOST_SIZE = 5;

const encoder = new TextEncoder();

/** Writes protobuf's binary form. What is common is written here; what is rare, or not valid, is left to the library's writer. */
export class Writer {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view: DataView | undefined;
  #at = 0;
  #rare = new BinaryWriter();

  /** What was written, as bytes of its own; the next message begins. */
  finish(): Uint8Array {
    const bytes = kept(this.#bytes.subarray(0, this.#at));
    if (this.#bytes.length > MOST_KEPT) this.#use(new Uint8Array(FIRST_BYTES));
    this.#at = 0;
    return bytes;
  }

  /** Forgets what was written. */
  reset() {
    this.#at = 0;
    this.#rare = new BinaryWriter();
  }

  /** A whole number of at least 0 and at most 2^53. */
  varint(value: number) {
    this.#reserve(8);
    const bytes = this.#bytes;
    let at = this.#at;
    while (value > 0x7f) {
      bytes[at++] = value & 0x7f | 0x80;
      value = value > 0x7fffffff ? Math.floor(value / 0x80) : value >>> 7;
    }
    bytes[at++] = value;
    this.#at = at;
  }

  /** Begins what is preceded by its length. Returns what `close` is to be given. */
  open(): number {
    this.#reserve(1);
    return ++this.#at;
  }

  /** Ends what is preceded by its length. */
  close(start: number) {
    const size = this.#at - start;
    if (size < 0x80) {
      this.#bytes[start - 1] = size;
      return;
    }
    // There is room for a length of one byte.
    const more = sizeOf(size) - 1;
    this.#reserve(more);
    this.#bytes.copyWithin(start + more, start, this.#at);
    this.#at = start - 1;
    this.varint(size);
    this.#at += size;
  }

  raw(bytes: Uint8Array) {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A text behind its length. */
  text(value: string) {
    const size = value.length;
    if (size > SHORT) return this.#encode(value);
    this.#reserve(size + 1);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = size;
    for (let i = 0; i < size; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return this.#encode(value);
      bytes[at++] = code;
    }
    this.#at = at;
  }

  #encode(value: string) {
    // As long as the text, if it is ASCII; otherwise what comes behind is moved.
    const room = sizeOf(value.length);
    this.#reserve(room + value.length * 3 + MOST_SIZE);
    const start = this.#at + room;
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(start));
    const taken = sizeOf(written);
    if (taken !== room) {
      this.#bytes.copyWithin(this.#at + taken, start, start + written);
    }
    this.varint(written);
    this.#at += written;
  }

  double(value: number) {
    this.#reserve(8);
    this.#view ??= new DataView(this.#bytes.buffer);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** Writes a value without a tag. */
  scalar(type: ScalarType, value: unknown) {
    switch (type) {
      case ScalarType.STRING:
        if (typeof value === "string") return this.text(value);
        break;
      case ScalarType.BOOL:
        return this.varint(value ? 1 : 0);
      case ScalarType.UINT32:
        if (typeof value === "number" && value >>> 0 === value) {
          return this.varint(value);
        }
        break;
      case ScalarType.INT32:
        if (
          typeof value === "number" && value >>> 0 === value &&
          value < 0x80000000
        ) {
          return this.varint(value);
        }
        break;
      case ScalarType.INT64:
      case ScalarType.UINT64:
        if (typeof value === "bigint" && value >= 0n && value <= MAX_EXACT) {
          return this.varint(Number(value));
        }
        break;
      case ScalarType.DOUBLE:
        if (typeof value === "number") return this.double(value);
        break;
      case ScalarType.BYTES:
        if (value instanceof Uint8Array) {
          this.varint(value.length);
          return this.raw(value);
        }
    }
    this.raw(writeRare(this.#rare, type, value).finish());
  }

  #reserve(size: number) {
    const needed = this.#at + size;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#use(grown);
  }

  #use(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = undefined;
  }
}

/** Most bytes of a piece of memory that several messages lie in. */
const MOST_SHARED = 16 * 1024;

/** What is left of the piece of memory that messages lie in which are encoded at once. */
let left = new Uint8Array(0);
/** How many bytes were encoded since other code could run. */
let burst = 0;

/**
 * A copy of some bytes. What is encoded at once will likely be forgotten at once, and so lies together, which takes less
 * memory and time; but the first has memory of its own, since a single message may be kept for long.
 */
function kept(bytes: Uint8Array): Uint8Array {
  const size = bytes.length;
  if (burst === 0) void Promise.resolve().then(endBurst);
  if (burst === 0 || size > MOST_SHARED / 4) {
    burst += size + 1;
    return bytes.slice();
  }
  if (size > left.length) {
    left = new Uint8Array(Math.min(MOST_SHARED, Math.max(size, burst)));
  }
  burst += size + 1;
  const copy = left.subarray(0, size);
  copy.set(bytes);
  left = left.subarray(size);
  return copy;
}

function endBurst() {
  burst = 0;
  left = new Uint8Array(0);
}

/** How many bytes a length takes. */
function sizeOf(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x200000) return 3;
  return length < 0x10000000 ? 4 : MOST_SIZE;
}

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/** Writes a value by the library's writer, which checks what it is given. */
function writeRare(
  writer: BinaryWriter,
  type: ScalarType,
  value: unknown,
): BinaryWriter {
  switch (type) {
    case ScalarType.STRING:
      return writer.string(value as string);
    case ScalarType.BOOL:
      return writer.bool(value as boolean);
    case ScalarType.BYTES:
      return writer.bytes(value as Uint8Array);
    case ScalarType.DOUBLE:
      return writer.double(value as number);
    case ScalarType.FLOAT:
      return writer.float(value as number);
    case ScalarType.INT32:
      return writer.int32(value as number);
    case ScalarType.UINT32:
      return writer.uint32(value as number);
    case ScalarType.SINT32:
      return writer.sint32(value as number);
    case ScalarType.FIXED32:
      return writer.fixed32(value as number);
    case ScalarType.SFIXED32:
      return writer.sfixed32(value as number);
    case ScalarType.INT64:
      return writer.int64(value as bigint);
    case ScalarType.UINT64:
      return writer.uint64(value as bigint);
    case ScalarType.SINT64:
      return writer.sint64(value as bigint);
    case ScalarType.FIXED64:
      return writer.fixed64(value as bigint);
    case ScalarType.SFIXED64:
      return writer.sfixed64(value as bigint);
  }
}
