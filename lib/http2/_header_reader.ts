import { ConnectionError, ErrorCode } from "./errors.ts";
import type { Field } from "./_fields.ts";
import { HpackDecoder } from "./_hpack_decoder.ts";

/** Bytes of a header block, encoded, that are taken. */
const MAX_BLOCK = 64 * 1024;

/** Frames that a header block may come in. Whole ones need four for the most that is taken. */
const MAX_FRAMES = 32;

/** Size of a header list, decoded, beyond which a request is refused. */
export const MAX_LIST = 64 * 1024;

/** Puts header blocks together from their frames, and decodes them. */
export class HeaderReader {
  /** The stream whose block has begun and not ended; 0 if there is none. */
  streamId = 0;
  /** Whether the stream ends with it. */
  isEnd = false;
  /** What is wrong with the frame that began it. */
  flaw: string | undefined;
  /** Whether the block that was read last had a list that is too large, of which a part is missing. */
  isTooLarge = false;
  readonly #decoder = new HpackDecoder();
  #parts: Uint8Array[] = [];
  #size = 0;
  #frames = 0;

  /** Begins a block. */
  begin(streamId: number, isEnd: boolean, flaw: string | undefined) {
    this.streamId = streamId;
    this.isEnd = isEnd;
    this.flaw = flaw;
    this.#frames = 0;
  }

  /**
   * Takes a part of the block. Returns the list if it was the last.
   *
   * @throws {ConnectionError} if it is no header block, or too much of one
   */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    isLast: boolean,
  ): Field[] | undefined {
    this.#size += end - start;
    if (this.#size > MAX_BLOCK) {
      throw new ConnectionError(
        ErrorCode.EnhanceYourCalm,
        `a header block is larger than ${MAX_BLOCK} bytes`,
      );
    }
    if (++this.#frames > MAX_FRAMES) {
      throw new ConnectionError(
        ErrorCode.EnhanceYourCalm,
        `a header block comes in more than ${MAX_FRAMES} frames`,
      );
    }
    if (isLast && this.#parts.length === 0) {
      return this.#decode(bytes, start, end);
    }
    this.#parts.push(bytes.slice(start, end));
    if (!isLast) return undefined;
    const block = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      block.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    return this.#decode(block, 0, block.length);
  }

  #decode(bytes: Uint8Array, start: number, end: number): Field[] {
    this.#size = 0;
    this.streamId = 0;
    const fields: Field[] = [];
    let size = 0;
    // To its end in any case, since the blocks that follow may refer to it.
    this.#decoder.decode(bytes, start, end, (field) => {
      size += field.size;
      if (size <= MAX_LIST) fields.push(field);
    });
    this.isTooLarge = size > MAX_LIST;
    return fields;
  }
}
