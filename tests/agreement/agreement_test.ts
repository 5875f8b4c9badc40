import { assert, assertEquals } from "@std/assert";
import {
  agreement,
  compare,
  isCutShort,
  isRule,
  saysTheSame,
} from "./_agreement.ts";

Deno.test("a real Envoy refuses whatever breaks a rule, in the same words, and for no rule takes what does not", async () => {
  const verdicts = await compare(7);
  const { bothAccept, bothRefuse, onlyEnvoyRefuses, onlyWeRefuse } = agreement(
    verdicts,
  );
  const labels = (of: typeof verdicts) =>
    of.map(({ mutation }) => mutation.label);
  assertEquals(labels(onlyWeRefuse), []);
  assertEquals(labels(onlyEnvoyRefuses.filter(isRule)), []);
  assert(bothAccept.length > 200, `both accept ${bothAccept.length}`);
  assert(bothRefuse.length > 200, `both refuse ${bothRefuse.length}`);
  // A negative duration Envoy refuses in words of its own before it comes to the rules.
  const other = bothRefuse.filter((verdict) =>
    !isCutShort(verdict) && !saysTheSame(verdict) &&
    !verdict.refusal!.includes("Invalid duration")
  );
  assertEquals(labels(other), []);
});
