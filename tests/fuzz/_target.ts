/** Our whole server but for sockets, which inputs are put into. */
import { create, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { DiscoveryRequestSchema } from "@xds/envoy/envoy/service/discovery/v3";
import { EventEmitter } from "node:events";
import { createServer, type Socket } from "node:net";
import { Ending } from "../../lib/server/_ending.ts";
import { GrpcServer } from "../../lib/server/_grpc_server.ts";
import { httpHandler } from "../../lib/server/_http_handler.ts";
import type { Listening } from "../../lib/server/_listener.ts";
import { Rotation } from "../../lib/server/_rotation.ts";
import { discoveryMethods } from "../../lib/server/_streams.ts";
import { clientStatusRoutes } from "../../lib/server/csds.ts";
import { limitsOf } from "../../lib/server/limits.ts";
import { routesOf } from "../../lib/server/routes.ts";
import { systemClock } from "../../lib/cache/mod.ts";
import {
  createSnapshot,
  restHandler,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { Reader } from "../http2/_wire.ts";
import { chunksOf, hex, type Input } from "./_input.ts";

/** Milliseconds that one input may take of the event loop at a stretch. */
const LONGEST = 400;
/** What each byte of it adds, in milliseconds: inputs grow to megabytes. */
const PER_BYTE = 0.00025;

function sizeOf(input: Input): number {
  if (input.target === "rest") return input.body.length;
  return chunksOf(input.parts).reduce((sum, chunk) => sum + chunk.length, 0);
}

/** As much of a socket as the server makes use of. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress = "10.0.0.1";
  readonly remotePort = 1;
  destroyed = false;
  readonly sent: Uint8Array[] = [];

  setNoDelay() {}
  pause() {}
  resume() {}

  write(bytes: Uint8Array, done: () => void) {
    this.sent.push(bytes.slice());
    queueMicrotask(done);
  }

  end(done?: () => void) {
    done?.();
  }

  destroySoon() {
    this.destroy();
  }

  destroy() {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }
}

/** A server that inputs are put into. */
export class Target {
  readonly #cache = new SnapshotCache();
  readonly #listening: Listening;
  readonly #methods: ReturnType<typeof discoveryMethods>;
  readonly #rest: ReturnType<typeof restHandler>;
  readonly #errors: string[] = [];

  constructor() {
    const cache = this.#cache;
    const resources = ["a", "b"].map((name) => create(ClusterSchema, { name }));
    cache.set("node", createSnapshot({ resources }));
    const ending = new Ending(undefined);
    const limits = limitsOf();
    const methods = discoveryMethods({ cache, inspected: true });
    this.#methods = methods;
    let listening: Listening | undefined;
    new GrpcServer({
      methods,
      handle: httpHandler(
        (router) => {
          routesOf(methods, ending)(router);
          clientStatusRoutes(true)(router, methods.sessions);
        },
        undefined,
        limits.openTimeout,
      ),
      limits,
      rotation: new Rotation(),
      clock: systemClock,
      ending,
      secure(given) {
        listening = given;
        return createServer();
      },
      admit: () => true,
      tell() {},
    });
    this.#listening = listening!;
    this.#rest = restHandler({ cache, deadline: 0 });
    console.error = (...args: unknown[]) => this.#errors.push(args.join(" "));
  }

  /**
   * Puts an input in. Returns what came of it, in a few words.
   *
   * @throws {Error} if something went wrong that no input may bring about
   */
  async put(input: Input): Promise<string> {
    const { outcome, took } = await this.#measured(input);
    const [error] = this.#errors.splice(0);
    if (error) throw new Error(error);
    // What is loaded when it is needed is loaded once.
    const longest = LONGEST + sizeOf(input) * PER_BYTE;
    if (took > longest && (await this.#measured(input)).took > longest) {
      throw new Error(`it took ${took.toFixed(0)} ms`);
    }
    const { memory, sessions } = this.#methods;
    if (memory.used !== 0) throw new Error(`${memory.used} bytes are held`);
    if (sessions.size > 0) throw new Error("a stream is left");
    return outcome;
  }

  async #measured(input: Input): Promise<{ outcome: string; took: number }> {
    const start = performance.now();
    const outcome = input.target === "rest"
      ? await this.#post(input.body)
      : await this.#connect(chunksOf(input.parts));
    return { outcome, took: performance.now() - start };
  }

  async #post(body: string): Promise<string> {
    const response = await this.#rest(
      new Request("http://localhost/v3/discovery:clusters", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      }),
    );
    const text = await response.text();
    if (response.status === 500) throw new Error(`500: ${text}`);
    return `${response.status} ${
      text.replace(/\d+|"(?:[^"\\]|\\.)*"/g, "…").slice(0, 60)
    }`;
  }

  async #connect(chunks: readonly Uint8Array[]): Promise<string> {
    const socket = new FakeSocket();
    this.#listening.http2(socket as unknown as Socket, performance.now());
    for (const chunk of chunks) {
      if (!socket.destroyed) socket.emit("data", chunk);
      await new Promise((go) => setImmediate(go));
    }
    // Handlers that are asynchronous come to their answers.
    for (let i = 0; i < 10; i++) await new Promise((go) => setImmediate(go));
    socket.destroy();
    for (let i = 0; i < 5; i++) await new Promise((go) => setImmediate(go));
    return summary(socket.sent);
  }
}

/** Which frames were sent, by their kinds and what matters in them. */
function summary(sent: readonly Uint8Array[]): string {
  const reader = new Reader();
  const lines = new Set<string>();
  for (const bytes of sent) {
    for (const line of reader.read(bytes)) {
      lines.add(line.replace(/\d{2,}|"[^"]*"/g, "…").replace(/^< /, ""));
    }
  }
  return [...lines].sort().join("; ").slice(0, 400);
}

const node = { id: "node" };
const typeUrl = TypeUrl.Cluster;

/** A request in hexadecimal. */
export function requestHex(fields: object = {}): string {
  const request = create(DiscoveryRequestSchema, { node, typeUrl, ...fields });
  return hex(toBinary(DiscoveryRequestSchema, request));
}
