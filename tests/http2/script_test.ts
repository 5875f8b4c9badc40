import { assertMatch } from "@std/assert";
import { difference, parse, render, run } from "../protocol/_script.ts";
import { Conversation } from "./_conversation.ts";

const directory = new URL("testdata/", import.meta.url);
const update = Deno.env.get("UPDATE") === "1";
const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();

for (const name of files) {
  Deno.test(`HTTP/2 script ${name}`, async () => {
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
      `tests/http2/testdata/${name}`,
      blocks,
      outputs,
    );
    // Thrown bare, since a stack says nothing of a script.
    if (differing) throw new Error(`\n${differing}`);
  });
}
