/**
 * Tells all who wait that a server ends. One listener of the signal serves all of them: a listener of its own for each
 * would be looked for among all others when it leaves.
 */
export class Ending {
  readonly #signal: AbortSignal | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", () => {
      for (const end of this.#waiting) end();
    }, { once: true });
  }

  /** Whether it has ended, or is about to. */
  get isOver(): boolean {
    return this.#signal?.aborted ?? false;
  }

  /** Calls a function when it ends. */
  add(end: () => void) {
    this.#waiting.add(end);
  }

  /** Calls it no longer. */
  delete(end: () => void) {
    this.#waiting.delete(end);
  }
}
