import { assert, assertEquals } from "@std/assert";
import { converse } from "./_conversation.ts";
import { exchange } from "./_http2.ts";

const expected = [["a"], ["a", "b"]];

/** Runs in Node what stands in a file beside this, by a script that is given the bundle's path. */
async function runInNode(
  script: string,
  file = "_conversation.ts",
): Promise<unknown> {
  const folder = await Deno.makeTempDir({ prefix: "layers-" });
  try {
    const bundle = `${folder}/bundle.mjs`;
    const entry = `${import.meta.dirname}/${file}`;
    // For a browser, so that an import of Node's own modules fails.
    const bundled = await new Deno.Command(Deno.execPath(), {
      args: [
        "bundle",
        "--quiet",
        "--platform",
        "browser",
        "--format",
        "esm",
        "--output",
        bundle,
        entry,
      ],
      cwd: new URL("../../", import.meta.url),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert(bundled.success, text(bundled.stderr));
    const node = await new Deno.Command("node", {
      args: ["--input-type=module", "--eval", script, bundle],
    }).output().catch((cause) => {
      throw new Error(
        "Node is not on the PATH: install it from https://nodejs.org",
        { cause },
      );
    });
    assert(node.success, text(node.stderr));
    return JSON.parse(text(node.stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("resource, cache and protocol run in Deno", () => {
  assertEquals(converse(), expected);
});

Deno.test("resource, cache and protocol run in Node", async () => {
  const script = `
    const { converse } = await import(process.argv[1]);
    console.log(JSON.stringify(converse()));`;
  assertEquals(await runInNode(script), expected);
});

Deno.test("resource, cache and protocol run where there is no more than the language, text encoding and timers, as in every browser", async () => {
  const script = `
    import { readFileSync } from "node:fs";
    import { createContext, Script } from "node:vm";
    const bare = createContext({ TextEncoder, TextDecoder, setTimeout, clearTimeout });
    // A module whose exports are kept, there being no imports.
    const source = readFileSync(process.argv[1], "utf8").replace(/export \\{[^}]*\\};?\\s*$/, "");
    const run = new Script(source + "\\nconverse();");
    console.log(JSON.stringify(run.runInContext(bare)));`;
  assertEquals(await runInNode(script), expected);
});

Deno.test("HTTP/2 runs in Deno and in Node", async () => {
  const told = exchange();
  assertEquals(told.slice(0, -1), [
    "GET www.example.com /",
    "closed undefined",
  ]);
  const script = `
    const { exchange } = await import(process.argv[1]);
    console.log(JSON.stringify(exchange()));`;
  assertEquals(await runInNode(script, "_http2.ts"), told);
});
