import { assert, assertEquals } from "@std/assert";
import { converse } from "./_conversation.ts";
import { exchange } from "./_http2.ts";
import { everythingOf, runInNode } from "./_node.ts";

const expected = [["a"], ["a", "b"]];

Deno.test("resource, cache and protocol run in Deno", () => {
  assertEquals(converse(), expected);
});

Deno.test("resource, cache and protocol run in Node", async () => {
  const script = `
    const { converse } = await import(process.argv[1]);
    console.log(JSON.stringify(converse()));`;
  assertEquals(
    await runInNode(everythingOf("_conversation.ts"), script),
    expected,
  );
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
  assertEquals(
    await runInNode(everythingOf("_conversation.ts"), script),
    expected,
  );
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
  assertEquals(await runInNode(everythingOf("_http2.ts"), script), told);
});

const denoOnly = [
  // Its subject loads a module by a specifier that is made when it is needed, which no bundle has.
  "registry_test.ts",
  // It asks Deno's engine what is kept in memory.
  "bounds_test.ts",
];

/** In place of Deno, what the tests use of it. Those that serve, or start a process, are of the layers below. */
const runner = `
  import { readdirSync, readFileSync } from "node:fs";
  const tests = [];
  const text = (path) => readFileSync(path, "utf8");
  globalThis.Deno = {
    test: (name, run) => tests.push({ name, run }),
    env: { get: () => undefined },
    readDirSync: (path) => readdirSync(path).map((name) => ({ name })),
    readFile: async (path) => readFileSync(path),
    readTextFile: async (path) => text(path),
    readTextFileSync: text,
  };
  await import(process.argv[1]);
  const [failed, skipped] = [[], []];
  for (const { name, run } of tests) {
    if (/\\b(serve\\d*|served|Command)\\(/.test(run)) {
      skipped.push(name);
      continue;
    }
    if (failed.length === 5) break;
    try {
      await run();
    } catch (error) {
      failed.push(name + ": " + error.stack.split("\\n", 4).join(""));
    }
  }
  console.log(JSON.stringify({ passed: tests.length - skipped.length - failed.length, skipped, failed }));`;

interface Outcome {
  passed: number;
  skipped: string[];
  failed: string[];
}

/** Runs in Node the tests of some folders beside this. */
async function runTestsInNode(
  folders: readonly string[],
  testdata: string,
): Promise<Outcome> {
  const files: string[] = [];
  for (const folder of folders) {
    const url = new URL(`${folder}/`, import.meta.url);
    for await (const { name } of Deno.readDir(url)) {
      if (!name.endsWith("_test.ts") || denoOnly.includes(name)) continue;
      files.push(`${folder}/${name}`);
    }
  }
  return await runInNode(everythingOf(...files.sort()), runner, {
    // Tests may import what serves, which imports Node's modules.
    platform: "deno",
    testdata,
  }) as Outcome;
}

Deno.test("the tests of resource, cache and protocol pass in Node, but for those that serve", async () => {
  const folders = ["../resource", "../cache", "../protocol"];
  const testdata = "../protocol/testdata";
  const outcome = await runTestsInNode(folders, testdata);
  assertEquals(outcome.failed, []);
  assert(outcome.passed > 300, `${outcome.passed} passed`);
  assert(outcome.skipped.length < 30, `not run: ${outcome.skipped}`);
});

Deno.test("the tests of HTTP/2 pass in Node", async () => {
  const outcome = await runTestsInNode(["../http2"], "../http2/testdata");
  assertEquals(outcome.failed, []);
  assertEquals(outcome.skipped, []);
  assert(outcome.passed > 50, `${outcome.passed} passed`);
});
