import { TokenBucket } from "./_token_bucket.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";

/** Frames of a client that ask for work and bring nothing: how many at once, and how many a second. */
const MAX_IDLE_FRAMES = 2_000;
const IDLE_FRAMES_PER_SECOND = 200;
/**
 * Each frame of a body that is sent allows for more: windows are opened for it, and times are measured with pings. What is
 * sent is not limited in how much it allows for, since a fan-out may be large.
 */
const IDLE_FRAMES_PER_DATA = 4;

/** Bytes of frames that may wait, other than of bodies; a client that reads nothing and asks for more is given up. */
const MAX_WAITING = 1024 * 1024;

/** How many streams may be begun and given up; connections of one peer may share it. */
export interface ResetBudget {
  /** Takes one at a time in milliseconds; false if there is none left. */
  take(now: number): boolean;
}

/** A client reset more streams than it may. */
export class ResetFloodError extends ConnectionError {}

/** Ends the connection of a client that makes work and brings nothing. */
export class FloodGuard {
  readonly #idleFrames = new TokenBucket(
    MAX_IDLE_FRAMES,
    IDLE_FRAMES_PER_SECOND,
  );
  readonly #resets: ResetBudget;
  /** Frames that what was sent allows for. */
  #earned = 0;

  constructor(resets: ResetBudget) {
    this.#resets = resets;
  }

  /**
   * A frame came that brings nothing.
   *
   * @throws {ConnectionError} for one too many, as of all that follows
   */
  idleFrame(now: number) {
    if (this.#earned > 0) this.#earned--;
    else if (!this.#idleFrames.take(now)) {
      throw calm("too many frames that bring nothing");
    }
  }

  /** A stream was given up, or should not have been begun. */
  reset(now: number) {
    if (this.#resets.take(now)) return;
    throw new ResetFloodError(
      ErrorCode.EnhanceYourCalm,
      "too many streams were begun and given up",
    );
  }

  /** So many bytes of answers wait. */
  waiting(size: number) {
    if (size > MAX_WAITING) {
      throw calm(`${size} bytes of answers wait to be read`);
    }
  }

  /** So many frames of bodies were sent. */
  sent(frames: number) {
    this.#earned += frames * IDLE_FRAMES_PER_DATA;
  }
}

function calm(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.EnhanceYourCalm, message);
}
