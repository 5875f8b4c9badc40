import { Budget } from "./_budget.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";

/** Frames of a client that ask for work and bring nothing: how many at once, and how many a second. */
const MAX_IDLE_FRAMES = 2_000;
const IDLE_FRAMES_PER_SECOND = 200;
/** What is sent allows for more: windows are opened, and times are measured with pings. */
const IDLE_FRAMES_PER_DATA = 4;

/** Streams that a client may have begun in vain: how many at once, and how many a second. */
const MAX_RESETS = 2_000;
const RESETS_PER_SECOND = 50;

/** Bytes of frames that may wait, other than of bodies; a client that reads nothing and asks for more is given up. */
const MAX_WAITING = 1024 * 1024;

/** What a client may do for nothing before its connection is ended. */
export class Patience {
  readonly #idleFrames = new Budget(MAX_IDLE_FRAMES, IDLE_FRAMES_PER_SECOND);
  readonly #resets = new Budget(MAX_RESETS, RESETS_PER_SECOND);

  /**
   * A frame came that brings nothing.
   *
   * @throws {ConnectionError} for one too many, as of all that follows
   */
  idleFrame(now: number) {
    if (!this.#idleFrames.spend(now)) {
      throw calm("too many frames that bring nothing");
    }
  }

  /** A stream was given up, or should not have been begun. */
  reset(now: number) {
    if (!this.#resets.spend(now)) {
      throw calm("too many streams were begun and given up");
    }
  }

  /** So many bytes of answers wait. */
  waiting(size: number) {
    if (size > MAX_WAITING) {
      throw calm(`${size} bytes of answers wait to be read`);
    }
  }

  /** So many frames of bodies were sent. */
  sent(frames: number) {
    this.#idleFrames.gain(frames * IDLE_FRAMES_PER_DATA);
  }
}

function calm(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.EnhanceYourCalm, message);
}
