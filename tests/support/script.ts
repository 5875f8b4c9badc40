/**
 * Conversations in text files, in the spirit of etcd raft's `testdata`: a command, a line `----`, and what came of it.
 * Lines that start with `#` are comments; blank lines separate. The first comment says what the file guards.
 */

/** A command and what is expected to come of it. */
export interface Block {
  /** Comments and blank lines above the command. */
  readonly above: readonly string[];
  readonly command: string;
  /** The command's line in the file, from 1. */
  readonly line: number;
  readonly expected: readonly string[];
}

const DIVIDER = "----";

/** Reads a script. */
export function parse(text: string): Block[] {
  const lines = text.trimEnd().split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const above: string[] = [];
    while (isAside(lines[at])) above.push(lines[at++]);
    const line = at + 1;
    const command = lines[at++];
    if (lines[at++] !== DIVIDER) {
      throw new SyntaxError(
        `line ${line + 1}: ${DIVIDER} should follow ${command}`,
      );
    }
    const expected: string[] = [];
    while (
      at < lines.length && !isAside(lines[at]) && lines[at + 1] !== DIVIDER
    ) expected.push(lines[at++]);
    blocks.push({ above, command, line, expected });
  }
  return blocks;
}

/** The script's text with other outputs. */
export function render(
  blocks: readonly Block[],
  outputs: readonly (readonly string[])[],
): string {
  const lines = blocks.flatMap(({ above, command }, index) => [
    ...above,
    command,
    DIVIDER,
    ...outputs[index],
  ]);
  return lines.join("\n") + "\n";
}

/** Runs a script's commands, in order. */
export async function run(
  blocks: readonly Block[],
  execute: (command: string) => Promise<string[]>,
): Promise<string[][]> {
  const outputs: string[][] = [];
  for (const { command, line } of blocks) {
    try {
      outputs.push(await execute(command));
    } catch (cause) {
      throw new Error(`line ${line}: ${command}: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
  return outputs;
}

/** What differs from what is expected, by file and line; empty if nothing does. */
export function difference(
  file: string,
  blocks: readonly Block[],
  outputs: readonly (readonly string[])[],
): string {
  return blocks.flatMap(({ command, line, expected }, index) => {
    const output = outputs[index];
    if (output.join("\n") === expected.join("\n")) return [];
    return [
      `${file}:${line}: ${command}`,
      ...expected.map((text) => mark("-", text, output)),
      ...output.map((text) => mark("+", text, expected)),
    ];
  }).join("\n");
}

function mark(sign: string, text: string, other: readonly string[]): string {
  return `  ${other.includes(text) ? " " : sign} ${text}`;
}

function isAside(line: string): boolean {
  return line.trim() === "" || line.startsWith("#");
}
