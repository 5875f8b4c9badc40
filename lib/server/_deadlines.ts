import type { Clock } from "../cache/mod.ts";

/** Things that have equally long to come to an end, with one timer for all of them. */
export class Deadlines<T> {
  /** How long, in milliseconds. */
  readonly time: number;
  readonly #clock: Clock;
  readonly #late: (item: T) => void;
  /** When each is late, the first of them first. */
  readonly #due = new Map<T, number>();
  #timer: Disposable | undefined;

  /**
   * @param time milliseconds
   * @param late called with what did not end in time
   */
  constructor(clock: Clock, time: number, late: (item: T) => void) {
    this.#clock = clock;
    this.time = time;
    this.#late = late;
  }

  /** Something has begun. */
  add(item: T) {
    this.#due.set(item, this.#clock.now() + this.time);
    this.#timer ??= this.#clock.after(this.time, this.#run);
  }

  /** It has come to an end. */
  delete(item: T) {
    if (!this.#due.delete(item) || this.#due.size > 0) return;
    // A process is not to wait for what does not happen.
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #run = () => {
    this.#timer = undefined;
    const now = this.#clock.now();
    const late: T[] = [];
    for (const [item, due] of this.#due) {
      if (due > now) {
        this.#timer = this.#clock.after(due - now, this.#run);
        break;
      }
      this.#due.delete(item);
      late.push(item);
    }
    late.forEach(this.#late);
  };
}
