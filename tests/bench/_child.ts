/** A process that is measured: it takes commands as lines and answers each with a line of JSON. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #rest = "";

  /** Starts `file`, which lies beside this one. */
  constructor(file: string) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-all",
        "--no-check",
        new URL(file, import.meta.url).pathname,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#writer = this.#process.stdin.getWriter();
  }

  /** Sends a command and waits for the answer. */
  async ask<T>(command: string): Promise<T> {
    await this.#writer.write(new TextEncoder().encode(command + "\n"));
    return await this.answer<T>();
  }

  /** The next answer. */
  async answer<T>(): Promise<T> {
    while (!this.#rest.includes("\n")) {
      const { done, value } = await this.#lines.read();
      if (done) throw new Error("the process ended");
      this.#rest += value;
    }
    const line = this.#rest.slice(0, this.#rest.indexOf("\n"));
    this.#rest = this.#rest.slice(line.length + 1);
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose]() {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#lines.cancel();
  }
}

/** In the measured process: answers commands until its standard input ends. */
export async function answerCommands(
  commands: Record<string, () => unknown>,
): Promise<void> {
  for await (
    const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    for (const command of chunk.trim().split("\n")) {
      console.log(JSON.stringify(await commands[command]()));
    }
  }
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
