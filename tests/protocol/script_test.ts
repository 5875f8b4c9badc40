import { assertEquals } from "@std/assert";
import { Conversation, formatScript, parseScript } from "./_script.ts";

const directory = new URL("testdata/", import.meta.url);
const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();

for (const name of files) {
  Deno.test(`protocol: ${name}`, async () => {
    const file = new URL(name, directory);
    const script = parseScript(await Deno.readTextFile(file));
    const conversation = new Conversation();
    const outcomes = script.blocks.map(({ command, line, expected }) => ({
      command,
      where: `${name}:${line}`,
      expected,
      actual: conversation.run(command),
    }));
    if (Deno.env.get("UPDATE") === "1") {
      await Deno.writeTextFile(file, formatScript(script, outcomes));
      return;
    }
    for (const { command, where, expected, actual } of outcomes) {
      assertEquals({ where, command, out: actual }, {
        where,
        command,
        out: expected,
      });
    }
  });
}
