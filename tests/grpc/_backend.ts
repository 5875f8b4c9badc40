import { goProgram } from "./setup.ts";

/** The method that the clients call: it takes nothing and returns a name, as plain bytes. */
export const METHOD = "/test.Backend/Name";

/**
 * A tiny gRPC server that returns its name, in a process of its own: a gRPC server on Deno's `node:http2` aborts Deno
 * when grpc-java closes its connection with GOAWAY.
 */
export class Backend implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  private constructor(
    name: string,
    port: number,
    process: Deno.ChildProcess,
  ) {
    this.name = name;
    this.port = port;
    this.#process = process;
  }

  static async start(name: string): Promise<Backend> {
    const { command } = await goProgram();
    const process = new Deno.Command(command, {
      args: ["backend", name],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    let output = "";
    for await (
      const chunk of process.stdout.pipeThrough(new TextDecoderStream())
    ) {
      output += chunk;
      if (output.endsWith("\n")) break;
    }
    const port = Number(output);
    if (!port) throw new Error(`the backend "${name}" printed no port`);
    return new Backend(name, port, process);
  }

  async [Symbol.asyncDispose]() {
    await this.#process.stdin.close();
    await this.#process.status;
  }
}
