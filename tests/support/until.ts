/**
 * Waits until something becomes true, for what cannot be awaited: a process of somebody else's.
 *
 * @throws {Error} if it is not within `deadline` milliseconds; it names what was waited for
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  deadline = 15_000,
): Promise<T> {
  const end = performance.now() + deadline;
  let failure: unknown;
  while (performance.now() < end) {
    try {
      const found = await probe();
      if (found) return found;
    } catch (error) {
      failure = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what}: not within ${deadline} ms`, { cause: failure });
}
