import { TextLineStream } from "../bench/_lines.ts";
import { until } from "../support/until.ts";
import { Witness } from "./_witness.ts";

/** A server that is attacked. */
export interface Side {
  readonly name: string;
  readonly command: readonly string[];
  /** Whether it serves REST, and says a second port. */
  readonly rest: boolean;
}

/** What an attack did. */
export interface Outcome {
  /** Milliseconds until the client that behaves had a change: in the median, and at worst. */
  readonly median: number;
  readonly worst: number;
  /** MB of memory of the process at most, and in use after, more than before. */
  readonly peak: number;
  readonly after: number;
  /** What the attacker was told. */
  readonly told: readonly string[];
  /** Whether the process was ended, as it took more memory than it was given. */
  readonly isDead: boolean;
}

/** Bytes that the process may have; more, and it is ended. */
const MOST_MEMORY = 512e6;
const MB = 1e6;

/** Lets the processes of a measurement have a core each, if there is a way and there are two. */
function pinned(core: number, command: readonly string[]): string[] {
  return navigator.hardwareConcurrency > 1 && Deno.build.os === "linux"
    ? ["taskset", "-c", String(core), ...command]
    : [...command];
}

/** A process that says lines. */
class Lines implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor([command, ...args]: string[]) {
    this.#process = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#writer = this.#process.stdin.getWriter();
  }

  get pid(): number {
    return this.#process.pid;
  }

  async line(): Promise<string | undefined> {
    return (await this.#lines.read()).value;
  }

  async ask(): Promise<string | undefined> {
    await this.#writer.write(new TextEncoder().encode("\n")).catch(() => {});
    return await this.line();
  }

  /** Ends its input, and returns what it says then. */
  async finish(): Promise<string | undefined> {
    await this.#writer.close().catch(() => {});
    return await this.line();
  }

  kill() {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  async [Symbol.asyncDispose]() {
    this.kill();
    await this.#process.status;
    await this.#writer.abort().catch(() => {});
    await this.#lines.cancel();
  }
}

/** Attacks a server for some milliseconds, and looks at how a client beside it fares. */
export async function measure(
  { command, rest }: Side,
  attack: string,
  duration: number,
): Promise<Outcome> {
  await using server = new Lines(pinned(0, command));
  const port = Number(await server.line());
  const restPort = rest ? [String(await server.line())] : [];
  using witness = await Witness.connect(port);
  await until("some changes", () => witness.delays.length > 20);
  const before = Number(await server.ask());
  const attacker = `${import.meta.dirname}/_attacker.ts`;
  await using evil = new Lines(pinned(1, [
    Deno.execPath(),
    "run",
    "--allow-all",
    "--no-check",
    attacker,
    attack,
    String(port),
    ...restPort,
  ]));
  // While it starts it attacks nobody.
  await new Promise((resolve) => setTimeout(resolve, 700));
  witness.delays = [];
  const begun = performance.now();
  let peak = 0;
  let isDead = false;
  while (performance.now() - begun < duration) {
    const used = await residentBytes(server.pid);
    peak = Math.max(peak, used ?? 0);
    if (used === undefined || used > MOST_MEMORY) {
      isDead = true;
      server.kill();
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { delays } = witness;
  const told: string[] = JSON.parse(await evil.finish() ?? "[]");
  let after = NaN;
  if (!isDead) {
    // What is on its way comes to its end.
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      after = Number(await server.ask()) - before;
      if (after < 2 * MB) break;
    }
  }
  const sorted = [...delays].sort((one, other) => one - other);
  // One that waits still has waited for so long.
  const silent = isDead ? Infinity : 0;
  return {
    median: sorted[sorted.length >> 1] ?? Infinity,
    worst: Math.max(silent, sorted.at(-1) ?? Infinity),
    peak: peak / MB,
    after: after / MB,
    told,
    isDead,
  };
}

/** Memory of a process; undefined if there is none. Deno reads /proc with all permissions alone. */
async function residentBytes(pid: number): Promise<number | undefined> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "rss=", "-p", String(pid)],
    stderr: "null",
  }).output();
  const kibibytes = Number(new TextDecoder().decode(stdout));
  return kibibytes > 0 ? kibibytes * 1_024 : undefined;
}
