import { assertMatch } from "@std/assert";
import { Conversation } from "./_conversation.ts";
import { difference, parse, render, run } from "./_script.ts";

const directory = new URL("testdata/", import.meta.url);
const update = Deno.env.get("UPDATE") === "1";
const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();

for (const name of files) {
  Deno.test(`protocol script ${name}`, async () => {
    const file = new URL(name, directory);
    const text = await Deno.readTextFile(file);
    // The first line says what the script guards.
    assertMatch(text, /^# ./);
    const blocks = parse(text);
    const conversation = new Conversation();
    const outputs = await run(
      blocks,
      (command) => conversation.execute(command),
    );
    if (update) {
      await Deno.writeTextFile(file, render(blocks, outputs));
      return;
    }
    const differing = difference(
      `tests/protocol/testdata/${name}`,
      blocks,
      outputs,
    );
    // Thrown bare, since a stack says nothing of a script.
    if (differing) throw new Error(`\n${differing}`);
  });
}
