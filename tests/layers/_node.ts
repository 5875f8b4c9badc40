import { assert } from "@std/assert";
import { stop, transform } from "esbuild";

const root = new URL("../../", import.meta.url);

export interface NodeOptions {
  /** What the bundle may import: nothing that a browser has not (the default), or Node's own modules, too. */
  platform?: "browser" | "deno";
  /** The folder, beside tests/layers, of what its tests read as `testdata/`. */
  testdata?: string;
}

/**
 * Bundles a module's text for Node and runs there a script that is given the bundle's path.
 *
 * @returns what the script writes, which is JSON
 */
export async function runInNode(
  entry: string,
  script: string,
  { platform = "browser", testdata }: NodeOptions = {},
): Promise<unknown> {
  const folder = await Deno.makeTempDir({ prefix: "layers-" });
  try {
    // As deep as the tests, so that what they read beside themselves is found by the same paths.
    const beside = `${folder}/tests/layers`;
    await Deno.mkdir(beside, { recursive: true });
    const links = {
      "proto": "../../proto",
      "tests/layers/certs": "../support/certs",
      ...testdata && { "tests/layers/testdata": testdata },
    };
    for (const [from, to] of Object.entries(links)) {
      await Deno.symlink(`${import.meta.dirname}/${to}`, `${folder}/${from}`);
    }
    await Deno.writeTextFile(`${folder}/entry.ts`, entry);
    const bundle = `${beside}/bundle.mjs`;
    await run(Deno.execPath(), [
      ...["bundle", "--quiet", "--platform", platform, "--format", "esm"],
      ...["--output", bundle, `${folder}/entry.ts`],
    ]);
    await lower(bundle);
    const out = await run("node", [
      ...["--input-type=module", "--eval", script, bundle],
    ]).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      throw new Error(
        "Node is not on the PATH: install it from https://nodejs.org",
        { cause },
      );
    });
    return JSON.parse(out);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The module beside this, as text that exports all it does. */
export function everythingOf(...files: string[]): string {
  const urls = files.map((file) => new URL(file, import.meta.url).href);
  return urls.map((url) => `export * from ${JSON.stringify(url)};\n`).join("");
}

/** Puts `using`, which is a matter of syntax, in words of Node 20; what is missing there of the library stays missing. */
async function lower(file: string) {
  try {
    const source = await Deno.readTextFile(file);
    const { code } = await transform(source, {
      target: "node20",
      format: "esm",
      keepNames: true,
    });
    await Deno.writeTextFile(file, code);
  } finally {
    await stop();
  }
}

async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: root,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, text(stderr));
  return text(stdout);
}
