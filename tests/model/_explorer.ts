import { createHash } from "node:crypto";
import { Counterexample } from "./_run.ts";
import { World, type WorldOptions, writtenRequest } from "./_world.ts";

/** A small world whose every interleaving of messages is tried. */
export interface SmallWorld extends WorldOptions {
  /** What there is, one after the other: `Cluster a Endpoints a`. */
  readonly sets: readonly string[];
  /** How often the connection may end. */
  readonly disconnects: number;
}

/** What an exploration has seen. */
export interface Explored {
  states: number;
  transitions: number;
  /** How many states are ends: all sets were made, and all messages have arrived. */
  ends: number;
}

/** A script and the moment that it has led to. */
interface Node {
  readonly script: readonly string[];
  readonly world: World;
  /** A digest of what the server has seen so far, which determines its state. */
  readonly history: string;
  readonly sets: number;
  readonly disconnects: number;
}

/**
 * Tries every order in which messages arrive, sets are made and connections end.
 *
 * A state consists of the client's, of what the server has seen, and of the messages under way; the server is a function of what
 * it has seen. A state that was visited is not visited again. No state may be a dead end in which the client lacks something.
 *
 * @throws {Counterexample} at the first state that is not as it should be
 */
export function explore(small: SmallWorld, explored: Explored): void {
  const visited = new Set<string>();
  const first = step(small, begin(small), "connect");
  const stack = [step(small, first, `set ${small.sets[0]}`.trim())];
  explored.states += 2;
  for (let node = stack.pop(); node; node = stack.pop()) {
    const commands = enabled(small, node);
    if (commands.length === 0) {
      explored.ends++;
      end(node);
      continue;
    }
    commands.forEach((command, index) => {
      // The last one goes on in this world, the others in worlds of their own.
      const isLast = index === commands.length - 1;
      const from = isLast ? node : replay(small, node);
      const next = step(small, from, command);
      explored.transitions++;
      const key = keyOf(next);
      if (visited.has(key)) return;
      visited.add(key);
      explored.states++;
      stack.push(next);
    });
  }
}

function begin(small: SmallWorld): Node {
  return {
    script: [],
    world: new World(small),
    history: "",
    sets: 0,
    disconnects: 0,
  };
}

function replay(small: SmallWorld, node: Node): Node {
  const world = new World(small);
  for (const command of node.script) world.execute(command);
  return { ...node, world };
}

/** What can happen next. */
function enabled({ sets, disconnects }: SmallWorld, node: Node): string[] {
  const { world } = node;
  if (!world.isConnected) return ["connect"];
  const commands: string[] = [];
  if (node.sets < sets.length) {
    commands.push(`set ${sets[node.sets]}`.trim());
  }
  const isQuiet = world.requests.length + world.responses.length === 0;
  // With nothing under way, a new connection finds what every one finds that ends right after the last message.
  if (node.disconnects < disconnects && !(isQuiet && commands.length === 0)) {
    commands.push("disconnect");
  }
  if (world.responses.length > 0) commands.push("response");
  if (world.requests.length > 0) commands.push("request");
  return commands;
}

function step(small: SmallWorld, node: Node, command: string): Node {
  const { world } = node;
  const script = [...node.script, command];
  const [verb] = command.split(" ", 1);
  const seen = verb === "request"
    ? [writtenRequest(world.requests[0])]
    : verb === "response"
    ? []
    : [command];
  try {
    world.execute(command);
  } catch (error) {
    throw failed(small, error as Error, script, world);
  }
  return {
    script,
    world,
    history: seen.length > 0 ? digest([node.history, ...seen]) : node.history,
    sets: node.sets + (verb === "set" ? 1 : 0),
    disconnects: node.disconnects + (verb === "disconnect" ? 1 : 0),
  };
}

/** Nothing is under way and nothing is to come: the client has to have everything, and nothing else once it has drained. */
function end({ world, script }: Node) {
  const last = [...script];
  try {
    for (const command of ["rest", "drain"]) {
      last.push(command);
      world.execute(command);
    }
  } catch (error) {
    throw failed(world.options, error as Error, last, world);
  }
}

function failed(
  { protocol, cache }: WorldOptions,
  error: Error,
  script: readonly string[],
  world: World,
): Counterexample {
  const header = `options ${protocol} ${cache}`;
  const lines = [`# ${error.message}`, header, ...script];
  return new Counterexample(error, [...lines, "", ...world.log]);
}

function keyOf({ world, history, sets, disconnects }: Node): string {
  return digest([
    String(sets),
    String(disconnects),
    world.client.fingerprint(),
    history,
    String(world.requests.length),
    ...world.responses.map(({ typeUrl, nonce }) => `${typeUrl} ${nonce}`),
  ]);
}

/** Stands for some texts; there are far too many to keep. */
function digest(texts: readonly string[]): string {
  return createHash("md5").update(texts.join("\n\n")).digest("base64");
}
