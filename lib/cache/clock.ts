/** What a cache needs of time. Give one of your own to test what happens later without waiting for it. */
export interface Clock {
  /** The time, in milliseconds since 1970. */
  now(): number;
  /** Calls back once after `delay` milliseconds, unless what it returns is disposed of before. */
  after(delay: number, callback: () => void): Disposable;
}

/** The system's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
