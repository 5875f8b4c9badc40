import { ConnectionError, ErrorCode } from "./errors.ts";
import { type Field, fieldOf } from "./_fields.ts";
import { decodeHuffman, latin1 } from "./_huffman.ts";
import { staticTable } from "./_static_table.ts";

/** Size of the dynamic table, in bytes: what the protocol has all begin with. */
const MAX_TABLE_BYTES = 4_096;

/** No number in a header block is larger. */
const MAX_INTEGER = 2 ** 28;

const statics = staticTable.map(([name, value]) => fieldOf(name, value));

/** Decodes header blocks (RFC 7541), one after the other: each may refer to what was in those before it. */
export class HpackDecoder {
  /** The dynamic table, the newest last, from `#first` on. */
  #entries: (Field | undefined)[] = [];
  #first = 0;
  #size = 0;
  #maxSize = MAX_TABLE_BYTES;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #end = 0;

  /**
   * Decodes a whole block, and passes on its fields in their order.
   *
   * @throws {ConnectionError} if it is none
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    take: (field: Field) => void,
  ) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    let isBegin = true;
    while (this.#at < end) {
      const first = bytes[this.#at];
      if ((first & 0xe0) === 0x20) {
        if (!isBegin) throw invalid("the table's size changes within a block");
        this.#resize(this.#integer(5));
        continue;
      }
      isBegin = false;
      if (first & 0x80) take(this.#indexed(this.#integer(7)));
      else if (first & 0x40) {
        const field = this.#literal(6);
        this.#add(field);
        take(field);
      } else take(this.#literal(4));
    }
    // What came is not kept alive until more does.
    this.#bytes = nothing;
  }

  #indexed(index: number): Field {
    if (index >= 1 && index <= statics.length) return statics[index - 1];
    const field = this.#entries[
      this.#entries.length - (index - statics.length)
    ];
    if (index === 0 || !field) {
      throw invalid(`index ${index} stands for no field`);
    }
    return field;
  }

  #literal(prefix: number): Field {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#text() : this.#indexed(index).name;
    return fieldOf(name, this.#text());
  }

  #text(): string {
    if (this.#at >= this.#end) throw cutOff();
    const isHuffman = (this.#bytes[this.#at] & 0x80) !== 0;
    const size = this.#integer(7);
    const start = this.#at;
    const end = start + size;
    if (end > this.#end) throw cutOff();
    this.#at = end;
    return isHuffman
      ? decodeHuffman(this.#bytes, start, end)
      : latin1(this.#bytes, start, end);
  }

  #integer(prefix: number): number {
    const most = (1 << prefix) - 1;
    let value = this.#bytes[this.#at++] & most;
    if (value < most) return value;
    for (let factor = 1;; factor *= 128) {
      if (this.#at >= this.#end) throw cutOff();
      const byte = this.#bytes[this.#at++];
      value += (byte & 0x7f) * factor;
      if (value > MAX_INTEGER || factor > MAX_INTEGER) {
        throw invalid("a number is too large");
      }
      if (byte < 0x80) return value;
    }
  }

  #add(field: Field) {
    this.#size += field.size;
    this.#entries.push(field);
    this.#evict();
  }

  #resize(size: number) {
    if (size > MAX_TABLE_BYTES) {
      throw invalid(
        `a table of ${size} bytes is larger than the ${MAX_TABLE_BYTES} that are allowed`,
      );
    }
    this.#maxSize = size;
    this.#evict();
  }

  #evict() {
    while (this.#size > this.#maxSize) {
      this.#size -= this.#entries[this.#first]!.size;
      this.#entries[this.#first++] = undefined;
    }
    // Once most of the array is of what is gone.
    if (this.#first > 32 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}

const nothing = new Uint8Array();

function cutOff(): ConnectionError {
  return invalid("it ends within a field");
}

function invalid(what: string): ConnectionError {
  return new ConnectionError(
    ErrorCode.CompressionError,
    `a header block cannot be decoded: ${what}`,
  );
}
