import type { Message } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import {
  createResource,
  LinearCache,
  MuxCache,
  serve,
  type ServerEvent,
  shortName,
  TypeUrl,
  type XdsServer,
} from "../../mod.ts";
import { emptyEndpoints } from "../../lib/resource/mod.ts";
import {
  EnvoyModel,
  type ModelProtocol,
  type ModelRequest,
  type Rejects,
} from "../../lib/testing/mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { ConversationLog } from "../support/conversation_log.ts";
import { DelayProxy } from "../support/delay_proxy.ts";
import { Envoy } from "../support/envoy.ts";
import { until } from "../support/until.ts";

/** How long a real Envoy may take to send what the model sends at once, in milliseconds. */
const PROMPT = 5_000;

const types: readonly string[] = [
  TypeUrl.Cluster,
  TypeUrl.ClusterLoadAssignment,
  TypeUrl.Listener,
  TypeUrl.RouteConfiguration,
  TypeUrl.Secret,
];

/**
 * A real Envoy and a modelled one, which is sent the same responses: both must send the same requests, in the same order. Each type
 * has a cache of its own, which sends what it has at once, so that a test decides what comes when.
 */
export class Trait implements AsyncDisposable {
  readonly protocol: ModelProtocol;
  readonly model: EnvoyModel;
  readonly log = new ConversationLog();
  readonly #caches = new Map(
    types.map((typeUrl) => [typeUrl, new LinearCache(typeUrl)]),
  );
  /** How many responses were sent, by type. */
  readonly #sent = new Map<string, number>();
  readonly #real: string[] = [];
  readonly #modelled: string[] = [];
  #streams = 0;
  #server!: XdsServer;
  #proxy!: DelayProxy;
  #envoy!: Envoy;

  private constructor(protocol: ModelProtocol, rejects?: Rejects) {
    this.protocol = protocol;
    this.model = new EnvoyModel({ protocol, rejects });
  }

  /** Starts a real Envoy; the model rejects the same resources. */
  static async start(
    protocol: ModelProtocol,
    rejects?: Rejects,
  ): Promise<Trait> {
    const trait = new Trait(protocol, rejects);
    await using stack = new AsyncDisposableStack();
    trait.#server = await trait.#serve();
    stack.defer(() => trait.#server.shutdown());
    const { port } = trait.#server.addr;
    trait.#proxy = stack.use(await DelayProxy.start(port, 0));
    const config = bootstrap({
      node: "envoy",
      port: trait.#proxy.port,
      source: "ads",
      delta: protocol === "delta",
    });
    trait.#envoy = await Envoy.start(config);
    stack.move();
    return trait;
  }

  /** Says what there is of a type. */
  set(typeUrl: string, ...messages: Message[]): void {
    this.log.note(`set ${shortName(typeUrl)}`);
    this.#caches.get(typeUrl)!.replace(
      messages.map((message) => createResource(message)),
    );
  }

  /**
   * Says what there is of a type that is subscribed to, and waits until it is sent, and the real Envoy has sent as much as the model
   * since. What the real one sends beyond that shows the next time.
   */
  async send(typeUrl: string, ...messages: Message[]): Promise<void> {
    const before = this.#sent.get(typeUrl) ?? 0;
    this.set(typeUrl, ...messages);
    const isSent = () => (this.#sent.get(typeUrl) ?? 0) > before;
    await until(`${shortName(typeUrl)} to be sent`, isSent, PROMPT);
    await this.agrees();
  }

  /** Cuts the connection, and waits until both have connected again. */
  async cut(): Promise<void> {
    const before = this.#streams;
    this.model.disconnect();
    this.#proxy.cut();
    this.log.note("cut");
    const isBack = () => this.#streams > before;
    await until("Envoy to connect again", isBack, PROMPT);
    await this.agrees();
  }

  /** Waits until the real Envoy has sent as much as the model, and compares the two. */
  async agrees(): Promise<void> {
    const isThere = () => this.#real.length >= this.#modelled.length;
    await until("Envoy to send what the model sends", isThere, PROMPT)
      .catch(() => {});
    assertEquals([...this.#real], [...this.#modelled]);
  }

  /** How many requests of a type the model has sent. */
  count(typeUrl: string): number {
    const type = shortName(typeUrl);
    return this.#modelled.filter((line) => line.startsWith(`${type} `)).length;
  }

  async [Symbol.asyncDispose]() {
    await this.#envoy[Symbol.asyncDispose]();
    await this.#proxy[Symbol.asyncDispose]();
    await this.#server.shutdown();
  }

  #serve(): Promise<XdsServer> {
    const cache = new MuxCache(({ typeUrl }) => this.#caches.get(typeUrl));
    const observer = (event: ServerEvent) => {
      this.log.observe(event);
      this.#observe(event);
    };
    return serve({ cache, hostname: "127.0.0.1", port: 0, observer });
  }

  #observe(event: ServerEvent) {
    if (event.kind === "open") {
      this.#streams++;
      this.#sends(this.model.connect());
    }
    if (event.kind === "request") {
      const { typeUrl, nonce, names, error } = event;
      this.#real.push(line(typeUrl, nonce, names, error !== undefined));
    }
    if (event.kind !== "send") return;
    const { typeUrl, version, nonce, names, removed } = event;
    this.#sent.set(typeUrl, (this.#sent.get(typeUrl) ?? 0) + 1);
    const cache = this.#caches.get(typeUrl)!;
    // The server sends endpoints that it has not where Envoy waits for them.
    const resources = names.map((name) =>
      cache.get(name) ?? emptyEndpoints(name)
    );
    const response = { typeUrl, version, nonce, resources, removed };
    this.#sends(this.model.receive(response));
  }

  #sends(requests: readonly ModelRequest[]) {
    for (const request of requests) {
      const { typeUrl, nonce, names, subscribe, unsubscribe, error } = request;
      const count = names.length + subscribe.length + unsubscribe.length;
      this.#modelled.push(line(typeUrl, nonce, count, error !== undefined));
    }
  }
}

function line(
  typeUrl: string,
  nonce: string,
  names: number,
  isNack: boolean,
): string {
  return `${shortName(typeUrl)} nonce=${nonce} ${names} names${
    isNack ? " NACK" : ""
  }`;
}
