import {
  createConnection,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP proxy that passes on at once what the server says, and what the client says after a while. */
export class DelayProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Delay of what the client says, in milliseconds; a change applies to what it says from then on, in order. */
  delay: number;
  /** When the newest connection was accepted, by `performance.now()`. */
  connectedAt = 0;

  private constructor(server: Server, delay: number) {
    this.#server = server;
    this.delay = delay;
  }

  /** @param delay of what the client says, in milliseconds */
  static async start(target: number, delay: number): Promise<DelayProxy> {
    const server = createServer();
    const proxy = new DelayProxy(server, delay);
    server.on("connection", (client) => {
      proxy.connectedAt = performance.now();
      const upstream = createConnection(target, "127.0.0.1");
      for (const socket of [client, upstream]) socket.setNoDelay();
      proxy.#track(client, upstream);
      upstream.on("data", (chunk) => client.write(chunk));
      let due = 0;
      client.on("data", (chunk) => {
        const now = performance.now();
        due = Math.max(due, now + proxy.delay);
        const pass = () => upstream.writable && upstream.write(chunk);
        setTimeout(pass, due - now);
      });
    });
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve())
    );
    return proxy;
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections; new ones are accepted. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  #track(one: Socket, other: Socket) {
    for (const [socket, peer] of [[one, other], [other, one]]) {
      this.#sockets.add(socket);
      socket.on("error", () => peer.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        peer.destroy();
      });
    }
  }

  async [Symbol.asyncDispose]() {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
