/** What a peer may do is counted on all of its connections together. */
import { assertEquals } from "@std/assert";
import { PeerResets } from "../../lib/server/_peer_resets.ts";
import { RawClient } from "../http2/_raw_client.ts";
import { END_HEADERS, frame, requestBlock, uint32 } from "../http2/_wire.ts";
import { until } from "../support/until.ts";
import { scene } from "./_scene.ts";

Deno.test("streams that a peer gives up are counted on all of its connections, one after the other", async () => {
  await using at = await scene({ limits: { resetsPerSecond: 10 } });
  const request = requestBlock();
  for (let round = 0; round < 3; round++) {
    using client = new RawClient(at.port);
    client.begin();
    for (let id = 1; id < 40; id += 2) {
      client.send(
        frame("HEADERS", END_HEADERS, id, request),
        frame("RST_STREAM", 0, id, uint32(8)),
      );
    }
    if (round === 2) await client.next("GOAWAY");
    else await client.next("SETTINGS");
  }
  await until(
    "the limit",
    () =>
      at.events.some((event) =>
        event.kind === "limit" && event.limit === "resetsPerSecond"
      ),
  );
});

Deno.test("peers that gave up nothing for long are forgotten", () => {
  const resets = new PeerResets(100);
  const one = resets.of("one", 0);
  one.take(0);
  assertEquals(resets.of("one", 1) === one, true);
  for (let i = 0; i < 10_000; i++) resets.of(`peer-${i}`, 1_000_000);
  assertEquals(resets.of("one", 1_000_000) === one, false);
  assertEquals(resets.of(undefined, 0) === resets.of(undefined, 0), false);
});

Deno.test("the default of connections leaves files for others", async () => {
  const module = new URL("../../lib/server/_process.ts", import.meta.url);
  const code = `import { connectionLimit } from ${JSON.stringify(module)};
    console.log(connectionLimit());`;
  const limitOf = async (files: number, permission: string) => {
    const { stdout } = await new Deno.Command("sh", {
      args: [
        "-c",
        `ulimit -n ${files} && exec "$0" run ${permission} --no-config "$1"`,
        Deno.execPath(),
        `data:application/typescript,${encodeURIComponent(code)}`,
      ],
    }).output();
    return Number(new TextDecoder().decode(stdout));
  };
  assertEquals(await limitOf(2_000, "--allow-all"), 2_000 - 200 - 128);
  assertEquals(await limitOf(2_000, "--allow-read"), 4_096 - 410 - 128);
});
