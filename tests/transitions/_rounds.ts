import { change, type Step } from "./_changes.ts";
import { Random } from "./_random.ts";
import { START, type World } from "./_world.ts";

/** What makes transitions harder: nothing, disconnects and restarts of the control plane, or these and a slow network. */
export type Mode = "undisturbed" | "restarts" | "late";

/** What happens in one round. */
export interface Round {
  readonly number: number;
  /** One snapshot, or two in short succession. */
  readonly steps: readonly Step[];
  /** Time between the two, in milliseconds. */
  readonly pause: number;
  /** What happens to the connection. */
  readonly disturbance: "none" | "cut" | "restart";
  /** When the connection is cut, in milliseconds after the last snapshot was set. */
  readonly cutAfter: number;
  /** Delay of what Envoy says, in milliseconds. */
  readonly delay: number;
}

/** The rounds of a seed, the same whenever they are asked for. */
export class Rounds {
  readonly #seed: number;
  readonly #mode: Mode;
  readonly #rounds: Round[] = [];
  readonly #worlds: World[] = [START];

  constructor(seed: number, mode: Mode) {
    this.#seed = seed;
    this.#mode = mode;
  }

  /** A round, from 1. */
  at(number: number): Round {
    while (this.#rounds.length < number) this.#next();
    return this.#rounds[number - 1];
  }

  /** The world at the end of a round. */
  worldAfter(number: number): World {
    return number === 0 ? START : this.at(number).steps.at(-1)!.world;
  }

  #next() {
    const number = this.#rounds.length + 1;
    const random = new Random(this.#seed, number);
    const steps: Step[] = [];
    const isDouble = random.chance(0.3);
    for (let left = isDouble ? 2 : 1; left > 0; left--) {
      // Each step has a stamp of its own.
      const stamp = number * 2 - (left - 1);
      const step = change(this.#worlds, random, stamp);
      this.#worlds.push(step.world);
      steps.push(step);
    }
    const disturbances = ["none", "none", "none", "cut", "restart"] as const;
    const drawn = random.pick(disturbances);
    this.#rounds.push({
      number,
      steps,
      pause: random.below(30),
      disturbance: this.#mode === "undisturbed" ? "none" : drawn,
      cutAfter: random.below(30),
      delay: this.#mode === "late" ? random.below(40) : 0,
    });
  }
}
