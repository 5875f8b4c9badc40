import { ConnectionError, ErrorCode } from "./errors.ts";
import { HEAD_BYTES, MAX_PAYLOAD, uint31 } from "./_frames.ts";

/** Takes a frame; its payload is what stands from `start` to `end`, for as long as the call takes. */
export type TakeFrame = (
  type: number,
  flags: number,
  streamId: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

const nothing = new Uint8Array();

/** Frames between two looks at whether the time is over. */
const FRAMES_AT_ONCE = 16;

/** Cuts what comes into frames. Those that come whole are read where they are. */
export class FrameReader {
  /** A frame that has begun, and how much of it is there. */
  #part = nothing;
  #held = 0;

  /**
   * Takes bytes from a place on, and passes on the frames that are complete with them, at least one. Returns how far the
   * bytes were taken: not to their end once the time is over.
   *
   * @throws {ConnectionError} for a frame that is too large
   */
  read(
    bytes: Uint8Array,
    from: number,
    take: TakeFrame,
    isOver: () => boolean,
  ): number {
    let at = from;
    if (this.#held > 0) {
      at = this.#fill(bytes, at, HEAD_BYTES);
      if (this.#held < HEAD_BYTES) return at;
      const end = HEAD_BYTES + payloadBytes(this.#part, 0);
      at = this.#fill(bytes, at, end);
      if (this.#held < end) return at;
      const frame = this.#part;
      this.#part = nothing;
      this.#held = 0;
      pass(frame, 0, end, take);
    }
    for (let frames = 1; bytes.length - at >= HEAD_BYTES; frames++) {
      const end = at + HEAD_BYTES + payloadBytes(bytes, at);
      if (end > bytes.length) break;
      pass(bytes, at, end, take);
      at = end;
      if (frames % FRAMES_AT_ONCE === 0 && isOver()) return at;
    }
    if (at < bytes.length) at = this.#fill(bytes, at, bytes.length - at);
    return at;
  }

  /** Makes what is held as long as `size`, if there is so much. Returns how far the bytes were taken. */
  #fill(bytes: Uint8Array, from: number, size: number): number {
    const more = Math.min(size - this.#held, bytes.length - from);
    if (more <= 0) return from;
    if (this.#part.length < size) {
      const larger = new Uint8Array(size);
      larger.set(this.#part.subarray(0, this.#held));
      this.#part = larger;
    }
    this.#part.set(bytes.subarray(from, from + more), this.#held);
    this.#held += more;
    return from + more;
  }
}

function payloadBytes(bytes: Uint8Array, at: number): number {
  const size = bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2];
  if (size > MAX_PAYLOAD) {
    throw new ConnectionError(
      ErrorCode.FrameSizeError,
      `a frame of ${size} bytes is larger than the ${MAX_PAYLOAD} of SETTINGS_MAX_FRAME_SIZE`,
    );
  }
  return size;
}

function pass(bytes: Uint8Array, at: number, end: number, take: TakeFrame) {
  const streamId = uint31(bytes, at + 5);
  take(bytes[at + 3], bytes[at + 4], streamId, bytes, at + HEAD_BYTES, end);
}
