/** What a cache needs of time. Give one of your own to test what happens later without waiting for it. */
export interface Clock {
  /** The time, in milliseconds since 1970. */
  now(): number;
  /** Calls back once after `delay` milliseconds, unless what it returns is disposed of before. */
  after(delay: number, callback: () => void): Disposable;
}

/** What a timer can wait at most, 25 days: one that is set to more goes off at once. */
const LONGEST = 2 ** 31 - 1;

/** The system's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, callback) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number) => {
      timer = left > LONGEST
        ? setTimeout(() => wait(left - LONGEST), LONGEST)
        : setTimeout(callback, left);
    };
    wait(delay);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
