import { assert, assertEquals } from "@std/assert";
import { replaceUnderLoad } from "./lossless.ts";

for (const delta of [false, true]) {
  const protocol = delta ? "delta" : "state of the world";
  Deno.test(`no request is lost while everything is replaced, ${protocol}`, async () => {
    const options = { delta, rounds: 50, rate: 500 };
    const { sent, answered, failures } = await replaceUnderLoad(options);
    assertEquals(failures, []);
    assertEquals(answered, sent);
    assert(sent > 0);
  });

  Deno.test(`no request is lost while LinearCaches are changed together, ${protocol}`, async () => {
    const options = { delta, rounds: 50, rate: 500, linear: true };
    const { sent, answered, failures } = await replaceUnderLoad(options);
    assertEquals(failures, []);
    assertEquals(answered, sent);
    assert(sent > 0);
  });

  Deno.test(`no request is lost while ACKs are late, ${protocol}`, async () => {
    const options = { delta, rounds: 20, rate: 500, delay: 30 };
    const { sent, answered, failures } = await replaceUnderLoad(options);
    assertEquals(failures, []);
    assertEquals(answered, sent);
    assert(sent > 0);
  });
}
