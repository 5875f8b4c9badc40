import { assertMatch } from "@std/assert";
import { difference, parse, render, run } from "./script.ts";

/** What a script is said to. */
export interface Conversation {
  /** Carries out a command, and returns what came of it, line by line. */
  execute(command: string): Promise<string[]>;
}

/** A test for each script in a folder, each with a conversation of its own; `UPDATE=1` rewrites them. */
export function testScripts(
  title: string,
  directory: URL,
  begin: () => Conversation,
) {
  const update = Deno.env.get("UPDATE") === "1";
  const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  for (const name of files) {
    Deno.test(`${title} ${name}`, async () => {
      const file = new URL(name, directory);
      const text = await Deno.readTextFile(file);
      // The first line says what the script guards.
      assertMatch(text, /^# ./);
      const blocks = parse(text);
      const conversation = begin();
      const outputs = await run(
        blocks,
        (command) => conversation.execute(command),
      );
      if (update) {
        await Deno.writeTextFile(file, render(blocks, outputs));
        return;
      }
      const differing = difference(file.pathname, blocks, outputs);
      // Thrown bare, since a stack says nothing of a script.
      if (differing) throw new Error(`\n${differing}`);
    });
  }
}
