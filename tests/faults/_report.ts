import { assert } from "@std/assert";
import { kept, usedBytes } from "./_heap.ts";

/** What came of a fault that went on and on, beside an honest client. */
export interface Report {
  /** The fault. */
  name: string;
  /** How often something was wrong. */
  times: number;
  /** What there is more of than there was before: objects by their class, and entries of collections. */
  grown: Record<string, number>;
  /** How many bytes more are in use than there were before. */
  bytes: number;
  /** Milliseconds from a change to an honest client's having it. */
  without: Latency;
  /** As `without`, with the fault. */
  beside: Latency;
}

/** What it took at most in half of the rounds, and in nine of ten. */
export interface Latency {
  median: number;
  p90: number;
}

/** A fault, and an honest client beside it. */
export interface Fault {
  name: string;
  /** How often something is wrong in one round. Default: once. */
  times?: number;
  /** Does something wrong, again. */
  misbehave(): void | Promise<void>;
  /** Changes something, and waits until the honest client has it. Returns how many milliseconds that took. */
  change(): number | Promise<number>;
  /** Resolves once all that was done has an end, so that nothing needs to be kept of it. */
  rest?(): Promise<void>;
}

/** Lets faults go on, one after the other, and looks at the heap after each. */
export class Observation {
  #kept: Record<string, number> = {};
  #bytes = 0;
  #isWarm = false;

  /** Looks at the heap as it is before the first. */
  static async start(): Promise<Observation> {
    const observation = new Observation();
    await observation.#look();
    return observation;
  }

  /** Lets a fault go on for some rounds. */
  async of(fault: Fault, rounds: number): Promise<Report> {
    const { name, times = 1 } = fault;
    await this.#warmUp(fault);
    const without = new Float64Array(rounds);
    const beside = new Float64Array(rounds);
    for (let round = 0; round < rounds; round++) {
      without[round] = await fault.change();
      beside[round] = await during(fault);
    }
    await fault.rest?.();
    return {
      name,
      times: rounds * times,
      without: latency(without),
      beside: latency(beside),
      ...await this.#look(),
    };
  }

  /** Lets V8 compile what is called, and caches fill their history, before the first look. */
  async #warmUp(fault: Fault) {
    if (this.#isWarm) return;
    this.#isWarm = true;
    for (let round = 0; round < WARM_UP; round++) {
      await fault.change();
      await during(fault);
    }
    await this.#look();
  }

  async #look() {
    const [before, bytesBefore] = [this.#kept, this.#bytes];
    this.#kept = await kept();
    this.#bytes = usedBytes();
    const grown: Record<string, number> = {};
    for (const [kind, count] of Object.entries(this.#kept)) {
      const more = count - (before[kind] ?? 0);
      if (more > 0) grown[kind] = more;
    }
    return { grown, bytes: this.#bytes - bytesBefore };
  }
}

/** How many rounds go before the first that counts: more than a cache keeps older versions. */
const WARM_UP = 10;

/** Lets a fault be once; how many milliseconds a change takes meanwhile, on average. */
async function during(fault: Fault): Promise<number> {
  let isDone = false;
  const done = Promise.resolve(fault.misbehave()).then(() => isDone = true);
  let total = 0;
  let changes = 0;
  do {
    total += await fault.change();
    changes++;
  } while (!isDone && changes < MOST_CHANGES);
  await done;
  return total / changes;
}

/** How many changes are made while a fault is once. */
const MOST_CHANGES = 5;

/**
 * Bytes that must not be kept: many times what V8 takes for code that it has compiled meanwhile. Of less it is the number
 * of objects that tells.
 */
const MOST_BYTES = 1024 ** 2;

/** Fails if something is kept of each round. */
export function assertNothingKept({ times, grown, bytes }: Report) {
  // What is kept each time shows as often; all else was there before, but for some that are about to go.
  for (const [kind, more] of Object.entries(grown)) {
    assert(more < times / 2, `${more} more of ${kind} after ${times} times`);
  }
  assert(
    bytes < MOST_BYTES,
    `${bytes} bytes more after ${times} times`,
  );
}

/**
 * Fails if the honest client waited longer beside the fault than without it. They are taken in turn, so that what else the
 * machine has to do stretches both.
 *
 * @param floor milliseconds that are not worth measuring
 */
export function assertPrompt({ without, beside }: Report, floor: Latency) {
  for (const what of ["median", "p90"] as const) {
    const most = 2 * without[what] + floor[what];
    assert(
      beside[what] <= most,
      `${what} of ${beside[what]} ms beside it, ${without[what]} ms without`,
    );
  }
}

function latency(times: Float64Array): Latency {
  const sorted = times.toSorted();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { median: at(0.5), p90: at(0.9) };
}
