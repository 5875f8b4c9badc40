/** A tiny HTTP server that says its name. */
export class Upstream implements AsyncDisposable {
  readonly name: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(name: string) {
    this.name = name;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
    }, () => new Response(name));
  }

  get port(): number {
    return this.#server.addr.port;
  }

  async [Symbol.asyncDispose]() {
    await this.#server.shutdown();
  }
}
