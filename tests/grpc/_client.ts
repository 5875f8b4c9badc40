import type { XdsServer } from "../../mod.ts";
import { METHOD } from "./_backend.ts";
import {
  goProgram,
  javaProgram,
  jsProgram,
  type Program,
  pythonProgram,
} from "./setup.ts";

/** An implementation of gRPC. */
export interface Implementation {
  readonly name: string;
  /** How a call may fail while routes change, whatever a control plane does. */
  readonly ownFailure?: RegExp;
  /** Whether it still subscribes to the endpoints of a cluster some minutes after its routes have left the cluster. */
  readonly retainsEndpoints?: boolean;
  program(): Program | Promise<Program>;
}

/** The four implementations of xDS in gRPC: Python's is that of C++, too. */
export const implementations: readonly Implementation[] = [
  {
    name: "Go",
    // A call between its taking new routes and its balancer's taking the clusters that they lead to.
    ownFailure: /^UNAVAILABLE unknown cluster selected for RPC/,
    program: goProgram,
  },
  { name: "Python", program: pythonProgram },
  { name: "JavaScript", program: jsProgram },
  { name: "Java", retainsEndpoints: true, program: javaProgram },
];

const LINE_DEADLINE = 35_000;
const CALLS_DEADLINE = 15_000;

/** A process that resolves `xds:///` targets and makes a call when it is told to. */
export class GrpcClient implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #log: Promise<string>;
  #rest = "";

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#output = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#log = new Response(process.stderr).text();
  }

  /** Starts a client of a node, whose calls go to a target that the control plane knows. */
  static async start(
    implementation: Implementation,
    options: {
      node: string;
      target: string;
      server: XdsServer;
      /** More of the bootstrap's `server_features`. */
      serverFeatures?: string[];
      env?: Record<string, string>;
    },
  ): Promise<GrpcClient> {
    const { node, target, server, serverFeatures = [], env } = options;
    const program = await implementation.program();
    const bootstrap = {
      xds_servers: [{
        server_uri: `127.0.0.1:${server.addr.port}`,
        channel_creds: [{ type: "insecure" }],
        server_features: ["xds_v3", ...serverFeatures],
      }],
      // grpc-js insists on a locality.
      node: { id: node, cluster: "test", locality: { zone: "test" } },
    };
    const process = new Deno.Command(program.command, {
      args: [...program.args, `xds:///${target}`, METHOD],
      env: {
        ...program.env,
        ...env,
        GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap),
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new GrpcClient(process);
  }

  /** Makes a call: `OK` and the name of who answered, or a status code and its message. */
  async call(): Promise<string> {
    await this.#input.write(new TextEncoder().encode("call\n"));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#process.kill("SIGKILL");
    }, LINE_DEADLINE);
    try {
      while (!this.#rest.includes("\n")) {
        const { done, value } = await this.#output.read();
        if (done) {
          const how = late ? `no line within ${LINE_DEADLINE} ms` : "it ended";
          throw new Error(`the client: ${how}:\n${await this.#log}`);
        }
        this.#rest += value;
      }
    } finally {
      clearTimeout(timer);
    }
    const [line, ...rest] = this.#rest.split("\n");
    this.#rest = rest.join("\n");
    return line;
  }

  /** Makes calls, one right after the other, until one ends so; what came of all of them. */
  async calls(end: (line: string) => boolean, what: string): Promise<string[]> {
    const lines: string[] = [];
    const late = performance.now() + CALLS_DEADLINE;
    do {
      if (performance.now() > late) {
        throw new Error(
          `${what}: not within ${CALLS_DEADLINE} ms, but: ${lines.at(-1)}`,
        );
      }
      lines.push(await this.call());
    } while (!end(lines.at(-1)!));
    return lines;
  }

  /** Makes calls until a backend of that name answers, and returns what came of all of them. */
  answers(name: string): Promise<string[]> {
    return this.calls((line) => line === `OK ${name}`, `an answer of ${name}`);
  }

  /** Makes calls until one fails, and returns how. */
  async failure(): Promise<string> {
    const isFailure = (line: string) => !line.startsWith("OK ");
    return (await this.calls(isFailure, "a call that fails")).at(-1)!;
  }

  /** Lets the client end by itself, as a client does that is done; its exit code. */
  async end(): Promise<number> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#log;
    return (await this.#process.status).code;
  }

  async [Symbol.asyncDispose]() {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#output.cancel();
    await this.#log;
    await this.#process.status;
    // An unclosed writer would keep the pipe.
    await this.#input.close().catch(() => {});
  }
}
