import { setImmediate } from "node:timers";

/**
 * Milliseconds that connections may work until the event loop looks at what has come for others. Deno 2.9 does that only
 * when it has nothing else to do, so a timer has to be waited for then, which takes a millisecond or two.
 */
const TURN = 8;

/** Milliseconds that one connection may work while others wait. */
const SLICE = 1;

/** Milliseconds without work after which the event loop has looked. */
const GAP = 0.5;

const isDeno = "Deno" in globalThis;

/** A connection that has work to do. */
export interface Worker {
  /** Works until there is nothing left, or the slice is over. Returns whether there is something left. */
  work(): boolean;
}

/**
 * Shares the time of the event loop between connections: each works for a slice, in rotation, and all together for a turn,
 * after which the loop reads what has come for others.
 */
export class Rotation {
  /** Counts how often the event loop has gone on since it was looked at. */
  pass = 0;
  readonly #waiting = new Set<Worker>();
  /** What is to be written, the oldest first from `#written` on. */
  #writes: (() => void)[] = [];
  #written = 0;
  #slot: Promise<void> = Promise.resolve();
  #isScheduled = false;
  #isWorking = false;
  #turnEnd = 0;
  #workedAt = -Infinity;
  #sliceEnd = Infinity;

  /** Whether who works now has to stop. */
  get isOver(): boolean {
    return performance.now() >= this.#sliceEnd;
  }

  /** Lets a connection work: at once if nobody waits and the turn is not over, otherwise when it has its slice. */
  add(worker: Worker) {
    if (this.#isWorking || this.#waiting.size > 0 || !this.#hasTime()) {
      this.later(worker);
    } else {
      this.#work(worker);
      // So that a next pass begins.
      this.#schedule();
    }
  }

  /** Lets a connection work when it has its slice, in the next pass at the earliest. */
  later(worker: Worker) {
    this.#waiting.add(worker);
    this.#schedule();
  }

  /**
   * Resolves when something may be done that is not a connection's, of which one is done at a time, and as much in a turn
   * as there is time for.
   */
  async slot(): Promise<void> {
    const before = this.#slot;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#slot = promise;
    await before;
    if (!this.#hasTime()) {
      await new Promise<void>((go) => afterOthers(go));
      this.#turnEnd = performance.now() + TURN;
    }
    setImmediate(() => {
      this.#workedAt = performance.now();
      resolve();
    });
  }

  /** Has something written: at the end of what is being done, or, once that has taken a turn, after what others do. */
  write(write: () => void) {
    this.#writes.push(write);
    if (this.#writes.length === 1) queueMicrotask(this.#flush);
  }

  /** Forgets a connection that is gone. */
  delete(worker: Worker) {
    this.#waiting.delete(worker);
  }

  readonly #flush = () => {
    const end = performance.now() + TURN;
    while (this.#written < this.#writes.length) {
      this.#writes[this.#written++]();
      if (performance.now() >= end && this.#written < this.#writes.length) {
        afterOthers(this.#flush);
        return;
      }
    }
    this.#writes = [];
    this.#written = 0;
  };

  /** Whether there is time left in this turn; begins one if the event loop has looked at what came since the last. */
  #hasTime(): boolean {
    const now = performance.now();
    if (now - this.#workedAt >= GAP) this.#turnEnd = now + TURN;
    return now < this.#turnEnd;
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    if (performance.now() < this.#turnEnd) setImmediate(this.#next);
    else afterOthers(this.#next);
  }

  readonly #next = () => {
    this.#isScheduled = false;
    this.pass++;
    if (this.#waiting.size === 0) return;
    const now = performance.now();
    if (now >= this.#turnEnd) this.#turnEnd = now + TURN;
    for (const worker of [...this.#waiting]) {
      // It may be gone by now.
      if (!this.#waiting.delete(worker)) continue;
      this.#work(worker);
      if (this.#workedAt >= this.#turnEnd) break;
    }
    if (this.#waiting.size > 0) this.#schedule();
  };

  #work(worker: Worker) {
    const end = performance.now() + SLICE;
    this.#sliceEnd = this.#waiting.size > 0
      ? Math.min(end, this.#turnEnd)
      : this.#turnEnd;
    this.#isWorking = true;
    try {
      if (worker.work()) this.#waiting.add(worker);
    } finally {
      this.#isWorking = false;
      this.#sliceEnd = Infinity;
      this.#workedAt = performance.now();
    }
  }
}

/** Runs something once the event loop has looked at what came. */
export function afterOthers(run: () => void) {
  if (isDeno) setTimeout(run, 0);
  else setImmediate(run);
}
