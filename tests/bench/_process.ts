import { TextLineStream } from "./_lines.ts";

/** A process that is measured, or measures: it answers each line of JSON with one. */
export class Process implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #name: string;

  /** Starts it. */
  constructor(command: string, args: string[] = []) {
    this.#name = [command, ...args].join(" ");
    this.#process = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#writer = this.#process.stdin.getWriter();
  }

  /** Sends a command and waits for the answer. */
  async ask<T>(command: object): Promise<T> {
    await this.#writer.write(
      new TextEncoder().encode(JSON.stringify(command) + "\n"),
    );
    return await this.answer<T>();
  }

  /** The next answer. */
  async answer<T>(): Promise<T> {
    const { done, value } = await this.#lines.read();
    if (done) throw new Error(`${this.#name} ended before it answered`);
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose]() {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#process.status;
    await this.#writer.abort().catch(() => {});
    await this.#lines.cancel();
  }
}

/** A program of `tests/bench/`. */
export function program(file: string, ...args: string[]): Process {
  const path = `${import.meta.dirname}/${file}`;
  return new Process(Deno.execPath(), [
    "run",
    "--allow-all",
    "--no-check",
    path,
    ...args,
  ]);
}
