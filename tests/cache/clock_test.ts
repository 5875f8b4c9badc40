import { assertEquals } from "@std/assert";
import { systemClock } from "../../lib/cache/mod.ts";
import { deferred } from "../support/deferred.ts";

Deno.test("what is due in more than 25 days is not due at once", async () => {
  let called = 0;
  using _long = systemClock.after(2 ** 31, () => called++);
  const { promise, resolve } = deferred<void>();
  using _short = systemClock.after(20, resolve);
  await promise;
  assertEquals(called, 0);
});

Deno.test("what was called off is not called back", async () => {
  let called = 0;
  systemClock.after(0, () => called++)[Symbol.dispose]();
  const { promise, resolve } = deferred<void>();
  using _later = systemClock.after(1, resolve);
  await promise;
  assertEquals(called, 0);
});
