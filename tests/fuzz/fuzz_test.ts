/** Connections that were kept, and some that are like them, do no harm. */
import { assertLess } from "@std/assert";
import { fuzz } from "./fuzz.ts";

/** Seconds; `deno task fuzz` goes on for as long as it is told to. */
const SECONDS = 4;

Deno.test("whatever a client sends, no more than its connection ends, and nothing is kept", async () => {
  const { error } = console;
  try {
    const { count } = await fuzz(SECONDS, 14);
    assertLess(100, count);
  } finally {
    console.error = error;
  }
});
