/** Scripts that random tests or the exploration found, each of which a server has to pass. */
import { assertMatch } from "@std/assert";
import { Counterexample, run } from "./_run.ts";

const directory = new URL("testdata/", import.meta.url);
const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();

for (const name of files) {
  Deno.test(`model script ${name}`, async () => {
    const text = await Deno.readTextFile(new URL(name, directory));
    // The first line says what the script guards.
    assertMatch(text, /^# ./);
    const script = text.trimEnd().split("\n")
      .filter((line) => !line.startsWith("#"));
    try {
      run(script);
    } catch (error) {
      if (!(error instanceof Counterexample)) throw error;
      throw new Error(`${error.message}\n\n${error.conversation.join("\n")}`);
    }
  });
}
