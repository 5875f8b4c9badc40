import { cpuUsage } from "node:process";
import { assert, assertEquals } from "@std/assert";
import { concerned } from "../../lib/protocol/_refusal.ts";

Deno.test("a refusal concerns the names that it speaks of, or all", () => {
  const names = ["a", "a-b", "outbound|80||a.b", "*", "a.b"];
  assertEquals(concerned("a-b is bad", names), ["a-b"]);
  assertEquals(concerned("outbound|80||a.b: bad", names), [
    "a",
    "outbound|80||a.b",
    "a.b",
  ]);
  assertEquals(concerned("resource index 4: bad", names), ["a.b"]);
  assertEquals(concerned("(*)", names), ["*"]);
  assertEquals(concerned("b.a", ["a.b"]), ["a.b"]);
  assertEquals(concerned("b.a and c", ["a.b", "c"]), ["c"]);
  assertEquals(concerned("ab a_ -a", names), names);
});

Deno.test("a long refusal of many names takes no time that others would miss", () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `outbound|${i}||x`);
  // Every word of every name, and no name.
  const words = `x outbound ${names.map((_, i) => i).join(" ")} `;
  const message = words.repeat(Math.ceil(8 * 1024 ** 2 / words.length));
  const start = cpuUsage();
  for (const said of [message, "y".repeat(message.length)]) {
    assertEquals(concerned(said, names), names);
  }
  const { user } = cpuUsage(start);
  assert(user < 3_000_000, `${user / 1000} ms`);
});
