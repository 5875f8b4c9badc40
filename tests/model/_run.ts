import { type CacheName, cacheNames } from "./_caches.ts";
import { World } from "./_world.ts";

/** A property that does not hold, with the conversation that led there. */
export class Counterexample extends Error {
  /** Its name. */
  override readonly name = "Counterexample";
  /** What happened, line by line. */
  readonly conversation: readonly string[];

  constructor(cause: Error, conversation: readonly string[]) {
    super(cause.message, { cause });
    this.conversation = conversation;
  }
}

/** Runs a script, whose first line tells how its world is made. */
export function run(script: readonly string[]): World {
  const world = begin(script[0]);
  for (const command of script.slice(1)) {
    try {
      world.execute(command);
    } catch (error) {
      throw new Counterexample(error as Error, world.log);
    }
  }
  return world;
}

/** What the bootstrap has in scripts that say so. */
const BOOTSTRAP = "Cluster a:static Listener k:inline=a";

/** Makes the world of a script's first line: `options sotw ads [grpc] [strict] [bootstrap]`. */
export function begin(line: string): World {
  const [verb, protocol, cache, ...more] = line.split(" ");
  const isKnown = verb === "options" &&
    (protocol === "sotw" || protocol === "delta") &&
    cacheNames.includes(cache as CacheName);
  if (!isKnown) throw new SyntaxError(`a script begins with options: ${line}`);
  const strict = more.includes("strict");
  const client = more.includes("grpc") ? "grpc" : "envoy";
  return new World({
    protocol,
    cache: cache as CacheName,
    client,
    strict,
    bootstrap: more.includes("bootstrap") ? BOOTSTRAP : undefined,
  });
}
