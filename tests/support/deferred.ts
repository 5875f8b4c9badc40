/** `Promise.withResolvers`, for tests that run in Node 20 too, which does not have it. */
export function deferred<T>(): PromiseWithResolvers<T> {
  let settle!: Omit<PromiseWithResolvers<T>, "promise">;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}
