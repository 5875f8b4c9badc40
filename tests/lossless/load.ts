/** What became of the requests of a load. */
export interface LoadResult {
  sent: number;
  answered: number;
  /** By reason. */
  failures: [reason: string, count: number][];
  /** Each of them: when, in milliseconds since 1970, and why. */
  failed: [at: number, reason: string][];
}

/** A constant load of HTTP requests, from a process of its own. */
export class Load implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  /** @param rate requests a second */
  constructor(port: number, rate: number) {
    const program = `${import.meta.dirname}/_load.ts`;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", program, String(port), String(rate)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  }

  /** Ends the load, and says what came of it once all requests were answered. */
  async end(): Promise<LoadResult> {
    await this.#process.stdin.close();
    return await new Response(this.#process.stdout).json();
  }

  async [Symbol.asyncDispose]() {
    try {
      this.#process.kill();
    } catch {
      // It has ended already.
    }
    await this.#process.status;
  }
}
