import type { WaitOptions } from "./options.ts";

const DEADLINE = 5_000;

/** Those who wait for something of a client. */
export class Waiting {
  readonly #checks = new Set<() => void>();

  /** Looks whether something has come that somebody waits for. */
  wake(): void {
    for (const check of [...this.#checks]) check();
  }

  /**
   * Waits until `probe` finds something; it may throw to end the wait. The first look is that of the next `wake`.
   *
   * @param late says what to say when it took too long
   */
  for<T>(
    probe: () => T | undefined,
    late: () => string,
    { signal, deadline = DEADLINE }: WaitOptions,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#checks.delete(check);
    };
    const check = () => {
      try {
        const found = probe();
        if (found === undefined) return;
        resolve(found);
      } catch (error) {
        reject(error);
      }
      stop();
    };
    const abort = () => {
      reject(signal!.reason);
      stop();
    };
    const timer = setTimeout(() => {
      const message = `${late()}: not within ${deadline} ms`;
      reject(new DOMException(message, "TimeoutError"));
      stop();
    }, deadline);
    this.#checks.add(check);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    return promise;
  }
}
