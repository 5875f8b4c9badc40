import {
  createFileRegistry,
  type FileRegistry,
  fromBinary,
  fromJson,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  createResource,
  createSnapshot,
  type Resource,
  serve,
  type Snapshot,
  SnapshotCache,
  type XdsServer,
} from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { Envoy } from "../support/envoy.ts";
import { until } from "../support/until.ts";
import { type Base, bases } from "./_bases.ts";

const NODE = "agreement";
/** How long Envoy may take to answer, in milliseconds. */
const DEADLINE = 10_000;

/** All of Envoy's message types. */
export async function envoyTypes(): Promise<FileRegistry> {
  const image = new URL("../../proto/envoy.binpb", import.meta.url);
  const files = fromBinary(
    FileDescriptorSetSchema,
    await Deno.readFile(image),
  );
  return createFileRegistry(files);
}

/** A resource of JSON. */
export function resourceOf(
  { type, name, json }: Base,
  registry: FileRegistry,
): Resource {
  const schema = registry.getMessage(type)!;
  const bytes = toBinary(schema, fromJson(schema, json, { registry }));
  return createResource({
    typeUrl: `type.googleapis.com/${type}`,
    name,
    bytes,
  });
}

/** A real Envoy that has all bases, and can be asked what it thinks of another resource. */
export class Judge implements AsyncDisposable {
  readonly #cache = new SnapshotCache();
  readonly #snapshot: Snapshot;
  #server!: XdsServer;
  #envoy!: Envoy;

  private constructor(registry: FileRegistry) {
    this.#snapshot = createSnapshot({
      resources: bases.map((base) => resourceOf(base, registry)),
    });
  }

  /**
   * Starts it.
   *
   * @throws {Error} if Envoy refuses one of the bases, or does not ask for a type of them
   */
  static async start(registry: FileRegistry): Promise<Judge> {
    const judge = new Judge(registry);
    judge.#server = await serve({
      cache: judge.#cache,
      hostname: "127.0.0.1",
      port: 0,
    });
    const { port } = judge.#server.addr;
    judge.#cache.set(NODE, judge.#snapshot);
    judge.#envoy = await Envoy.start(bootstrap({
      node: NODE,
      port,
      source: "ads",
      delta: true,
      runtimeLayer: "rtds",
    }));
    await until("Envoy to ask for all types", () => {
      const [client] = judge.#cache.status(NODE);
      const types = new Set(client?.types.map(({ typeUrl }) => typeUrl));
      return judge.#snapshot.typeUrls.every((typeUrl) => types.has(typeUrl));
    });
    const refusal = await judge.#refusal();
    if (refusal) throw new Error(`Envoy refuses the bases: ${refusal}`);
    return judge;
  }

  /** Why Envoy refuses a resource, all else being sound; undefined if it accepts it. */
  async ask(resource: Resource): Promise<string | undefined> {
    this.#cache.set(NODE, this.#snapshot.with({ set: [resource] }));
    return await this.#refusal();
  }

  async #refusal(): Promise<string | undefined> {
    const signal = AbortSignal.timeout(DEADLINE);
    const { clients: [client] } = await this.#cache.settled(NODE, { signal });
    if (!client) throw new Error("Envoy has gone: it has crashed");
    return client.types.find(({ refusal }) => refusal)?.refusal?.message;
  }

  async [Symbol.asyncDispose]() {
    await this.#envoy[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
