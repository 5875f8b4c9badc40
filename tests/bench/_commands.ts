import { cpuUsage, memoryUsage } from "node:process";

/** A command to a server that is measured; which fields count depends on `do`. */
export interface Command {
  do: string;
  revision: number;
  /** snapshot: how many resources of each type. */
  content: Record<string, number>;
  /** snapshot: how many keys have one; default: the key "node". */
  keys?: number;
  /** snapshot: whether answers wait until all names were asked for. */
  ads?: boolean;
  /** snapshot: whether versions are derived from the content, where the server can do that. */
  unversioned?: boolean;
  /** snapshot: whether our server, too, is to have messages that were built before, which is not measured. */
  prebuilt?: boolean;
  /** linear, change, update, churn: the type, by its short name. */
  type: string;
  /** linear, change, update: how many resources. */
  count: number;
  /** change, update: the first of them. */
  from: number;
  /** update: how often, with a revision each; default: once. */
  times?: number;
  /** update: whether our server has made its resources before, encoded and all, which is not measured. */
  made?: boolean;
  /** churn: how many changes. */
  updates: number;
  /** churn: time between two, in milliseconds. */
  interval: number;
}

/** What something took, and when it began. */
export interface Cost {
  /** Microseconds since 1970. */
  at: number;
  /** CPU time of the process in milliseconds. */
  cpu: number;
  /** Milliseconds. */
  wall: number;
}

/** What a process has used: CPU time in milliseconds, memory in bytes. */
export interface Usage {
  cpu: number;
  rss: number;
  peak: number;
  /** CPU time spent on building messages, which is not what is measured. */
  building: number;
}

let building = 0;

/** Builds what is measured later, on an account of its own. */
export function build<T>(make: () => T): T {
  const before = cpu();
  const made = make();
  building += cpu() - before;
  return made;
}

/** Measures what something takes. */
export function measure(run: () => void): Cost {
  const at = now();
  const before = cpu();
  run();
  return { at, cpu: cpu() - before, wall: (now() - at) / 1_000 };
}

/** Microseconds since 1970. */
export function now(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000);
}

/** In the measured process: answers commands until it is told to quit. */
export async function answerCommands(
  commands: Record<string, (command: Command) => unknown>,
): Promise<never> {
  const known: typeof commands = {
    ...commands,
    stat: usage,
    reset: resetPeak,
  };
  // By hand, since what reading a command costs is measured along with what it does.
  const chunk = new Uint8Array(65_536);
  const [decoder, encoder] = [new TextDecoder(), new TextEncoder()];
  let rest = "";
  for (let size; (size = await Deno.stdin.read(chunk)) !== null;) {
    const lines = (rest + decoder.decode(chunk.subarray(0, size))).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const command: Command = JSON.parse(line);
      if (command.do === "quit") Deno.exit();
      const answer = known[command.do];
      if (!answer) throw new Error(`unknown command: ${line}`);
      const text = JSON.stringify(await answer(command) ?? {}) + "\n";
      Deno.stdout.writeSync(encoder.encode(text));
    }
  }
  Deno.exit();
}

function cpu(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1_000;
}

function usage(): Usage {
  const { rss } = memoryUsage();
  const status = Deno.readTextFileSync("/proc/self/status");
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  return { cpu: cpu(), rss, peak, building };
}

function resetPeak() {
  Deno.writeTextFileSync("/proc/self/clear_refs", "5");
}
