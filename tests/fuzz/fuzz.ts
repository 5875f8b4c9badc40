/**
 * Puts changed connections and requests into our server without end: `--seconds=N`, `--seed=N`, and `--write` to keep inputs
 * that bring something new about in the corpus.
 */
import type { Input } from "./_input.ts";
import { mutate } from "./_mutate.ts";
import { Random } from "./_random.ts";
import { Target } from "./_target.ts";

const corpusUrl = new URL("corpus/", import.meta.url);

/** The inputs that are kept, by their names. */
export async function corpus(): Promise<Map<string, Input>> {
  const inputs = new Map<string, Input>();
  for await (const { name } of Deno.readDir(corpusUrl)) {
    const text = await Deno.readTextFile(new URL(name, corpusUrl));
    inputs.set(name, JSON.parse(text));
  }
  return new Map([...inputs].sort());
}

/** What an input brought about that none may. */
export class Finding extends Error {
  constructor(readonly input: Input, cause: unknown) {
    super(
      `${cause instanceof Error ? cause.message : cause}: ${
        JSON.stringify(input)
      }`,
      { cause },
    );
  }
}

/**
 * Changes inputs for some time. Returns how many it put in, and those that brought something new about.
 *
 * @throws {Finding} for an input that brought about what none may
 */
export async function fuzz(
  seconds: number,
  seed: number,
): Promise<{ count: number; fresh: Input[] }> {
  const target = new Target();
  const random = new Random(seed);
  const outcomes = new Set<string>();
  const inputs: Input[] = [];
  const fresh: Input[] = [];
  const put = async (input: Input) => {
    try {
      return await target.put(input);
    } catch (cause) {
      throw new Finding(input, cause);
    }
  };
  for (const input of (await corpus()).values()) {
    outcomes.add(await put(input));
    inputs.push(input);
  }
  const end = performance.now() + seconds * 1_000;
  let count = 0;
  for (; performance.now() < end; count++) {
    const input = mutate(random.of(inputs), random.of(inputs), random);
    const outcome = await put(input);
    if (outcomes.has(outcome)) continue;
    outcomes.add(outcome);
    inputs.push(input);
    fresh.push(input);
  }
  return { count, fresh };
}

async function main() {
  const options = new Map(
    Deno.args.map((arg) => {
      const [, name, value = ""] = /^--([^=]+)=?(.*)$/.exec(arg) ?? [];
      return [name, value] as const;
    }),
  );
  const seconds = Number(options.get("seconds") ?? 60);
  const seed = Number(options.get("seed") ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}, for ${seconds} s`);
  const { count, fresh } = await fuzz(seconds, seed);
  console.log(
    `${count} inputs, ${fresh.length} of them brought something new about`,
  );
  if (!options.has("write")) return;
  for (const [index, input] of fresh.entries()) {
    const name = `found-${seed}-${index}.json`;
    await Deno.writeTextFile(
      new URL(name, corpusUrl),
      JSON.stringify(input) + "\n",
    );
  }
}

if (import.meta.main) await main();
