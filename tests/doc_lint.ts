/**
 * `deno doc --lint`, but for one thing: it takes a type of another package for a private one of ours, which cannot be
 * mended by exporting it, since that type refers to others in turn.
 */
const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
  args: [
    "doc",
    "--lint",
    "mod.ts",
    "lib/testing/mod.ts",
    "lib/telemetry/mod.ts",
    "lib/server/csds.ts",
  ],
  env: { NO_COLOR: "1" },
}).output();
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const report = decode(stdout) + decode(stderr);
const problems = report.split(/^(?=error\[)/m).filter((part) =>
  part.startsWith("error[")
);

const foreign = new Set<string>();
for (const file of await files("lib")) {
  const imports = (await Deno.readTextFile(file)).matchAll(
    /import (?:type )?\{([^}]*)\} from "@/g,
  );
  for (const [, names] of imports) {
    for (const name of names.split(",")) {
      foreign.add(name.trim().replace(/^type /, "").replace(/ as .*/, ""));
    }
  }
}
const left = problems.filter((problem) => {
  const name = /^error\[private-type-ref\].* references private type '(\w+)'/
    .exec(problem)?.[1];
  return name === undefined || !foreign.has(name);
});
for (const problem of left) console.error(problem);
console.log(`documentation: ${left.length} problems`);
if (left.length > 0 || !/Checked|Found/.test(report)) Deno.exit(1);

async function files(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await files(path));
    else found.push(path);
  }
  return found;
}
