import { assert, assertEquals } from "@std/assert";
import { serve, type ServeOptions, SnapshotCache } from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { h2spec } from "./setup.ts";

const CASES =
  /<testcase package="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs;

/** Runs all of h2spec's cases, those of the "generic", "http2" and "hpack" sections, the strict ones included. */
async function failures(port: number, ...args: string[]): Promise<string[]> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const command = new Deno.Command(await h2spec(), {
      args: [
        "--host=127.0.0.1",
        `--port=${port}`,
        "--strict",
        `--junit-report=${report}`,
        ...args,
      ],
    });
    await command.output().catch((cause) => {
      throw new Error("h2spec was not built: run `deno task setup:http2`", {
        cause,
      });
    });
    const cases = [...(await Deno.readTextFile(report)).matchAll(CASES)];
    assert(cases.length > 140, `there were ${cases.length} cases`);
    return cases.filter(([, , , outcome]) => outcome.trim() !== "")
      .map(([, section, name, outcome]) => `${section}: ${name}: ${outcome}`);
  } finally {
    await Deno.remove(report);
  }
}

for (
  const [what, options, ...args] of [
    ["in the clear", {}],
    [
      "over TLS",
      { tls: { cert: pem("server.pem"), key: pem("server.key") } },
      "--tls",
      "--insecure",
    ],
  ] satisfies [string, Partial<ServeOptions>, ...string[]][]
) {
  Deno.test(`h2spec has no complaint, ${what}`, async () => {
    await using server = await serve({
      cache: new SnapshotCache(),
      hostname: "127.0.0.1",
      port: 0,
      ...options,
    });
    assertEquals(await failures(server.addr.port, ...args), []);
  });
}
