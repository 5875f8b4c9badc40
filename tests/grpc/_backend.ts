import { Server, ServerCredentials } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";

/** The method that all backends serve: it takes nothing and returns a name, as plain bytes. */
export const METHOD = "/test.Backend/Name";

/** A tiny gRPC server that says its name. */
export class Backend implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly #server: Server;

  private constructor(name: string, port: number, server: Server) {
    this.name = name;
    this.port = port;
    this.#server = server;
  }

  static async start(name: string): Promise<Backend> {
    const server = new Server();
    server.register<Buffer, Buffer>(
      METHOD,
      (_call: unknown, reply: (error: null, response: Buffer) => void) =>
        reply(null, Buffer.from(name)),
      (response) => response,
      (request) => request,
      "unary",
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(
        "127.0.0.1:0",
        ServerCredentials.createInsecure(),
        (error, port) => error ? reject(error) : resolve(port),
      )
    );
    return new Backend(name, port, server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
    return Promise.resolve();
  }
}
