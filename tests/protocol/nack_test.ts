import { cpuUsage } from "node:process";
import { assert, assertEquals } from "@std/assert";
import { mentionedNames } from "../../lib/protocol/_nack.ts";

Deno.test("a NACK mentions names", () => {
  const names = ["a", "a-b", "outbound|80||a.b", "*", "a.b"];
  assertEquals(mentionedNames("a-b is bad", names), ["a-b"]);
  assertEquals(mentionedNames("outbound|80||a.b: bad", names), [
    "a",
    "outbound|80||a.b",
    "a.b",
  ]);
  assertEquals(mentionedNames("resource index 4: bad", names), ["a.b"]);
  assertEquals(mentionedNames("(*)", names), ["*"]);
  assertEquals(mentionedNames("b.a", ["a.b"]), []);
  assertEquals(mentionedNames("b.a and c", ["a.b", "c"]), ["c"]);
  assertEquals(mentionedNames("ab a_ -a", names), []);
});

Deno.test("a long NACK of many names takes no time that others would miss", () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `outbound|${i}||x`);
  // Every word of every name, and no name.
  const words = `x outbound ${names.map((_, i) => i).join(" ")} `;
  const message = words.repeat(Math.ceil(8 * 1024 ** 2 / words.length));
  const start = cpuUsage();
  assertEquals(mentionedNames(message, names), names);
  assertEquals(mentionedNames("y".repeat(message.length), names), []);
  const { user } = cpuUsage(start);
  assert(user < 3_000_000, `${user / 1000} ms`);
});
