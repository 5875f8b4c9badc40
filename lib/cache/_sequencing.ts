import type { Sequencing } from "./cache.ts";
import type { Clock } from "./clock.ts";

/** Options of caches that order changes. */
export interface SequencingOptions {
  readonly makeBeforeBreak: boolean;
  readonly holdTimeout: number | undefined;
  readonly drain: number | undefined;
  readonly clock: Clock;
}

/** Milliseconds. */
const DEFAULT_HOLD_TIMEOUT = 1_000;
/** Milliseconds: Envoy's default of `--drain-time-s`, and a little more. */
const DEFAULT_DRAIN = 605_000;
const DEFAULT_HISTORY = 5;

/**
 * How a cache's changes are ordered.
 *
 * @throws {RangeError} if an option is no time
 */
export function sequencingOf(options: SequencingOptions): Sequencing {
  const { makeBeforeBreak, clock, drain = DEFAULT_DRAIN } = options;
  const { holdTimeout = makeBeforeBreak ? DEFAULT_HOLD_TIMEOUT : 0 } = options;
  requireTime("holdTimeout", holdTimeout);
  requireTime("drain", drain);
  return { makeBeforeBreak, holdTimeout, drain, clock };
}

/**
 * How many older sets a cache keeps.
 *
 * @throws {RangeError} if that is no number of sets
 */
export function historyOf(history = DEFAULT_HISTORY): number {
  if (Number.isInteger(history) && history >= 0) return history;
  throw new RangeError(
    `history is ${history}: it must be a whole number, 0 or above`,
  );
}

function requireTime(option: string, value: number) {
  if (value >= 0 && value < Infinity) return;
  throw new RangeError(
    `${option} is ${value}: it must be milliseconds, 0 or above`,
  );
}
