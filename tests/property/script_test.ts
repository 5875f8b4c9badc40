import { World } from "./_world.ts";

/** Scripts that failed once: what `property_test.ts` printed, with a comment that says what it was. */
const directory = new URL("testdata/", import.meta.url);

for (const { name } of Deno.readDirSync(directory)) {
  Deno.test(`property script ${name}`, async () => {
    const text = await Deno.readTextFile(new URL(name, directory));
    const lines = text.split("\n").map((line) => line.trim());
    await new World().run(
      lines.filter((line) => line !== "" && !line.startsWith("#")),
    );
  });
}
