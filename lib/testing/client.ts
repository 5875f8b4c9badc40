import {
  create,
  type DescMessage,
  type MessageShape,
} from "@bufbuild/protobuf";
import { type Node, NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import type { Cache } from "../cache/mod.ts";
import { PREFIX_BYTES, type Protocol } from "../protocol/mod.ts";
import { shortName, traitsOf, TypeUrl } from "../resource/mod.ts";
import type { Session } from "../server/_session.ts";
import { unknownPeer } from "../server/peer.ts";
import { type HeldResource, type ResourceType, typeUrlOf } from "./held.ts";
import { references, wantedNames } from "./_follow.ts";
import { Holdings } from "./_holdings.ts";
import { openSession } from "./_open.ts";
import type { Answer, TestClientOptions, WaitOptions } from "./options.ts";
import { encodeDelta, encodeSotw } from "./_request.ts";
import { decodeResponse, firstField, TestResponse } from "./response.ts";
import { Waiting } from "./_waiting.ts";

/**
 * A client of a cache, in memory: what a server would do with its bytes is done, and no socket is needed. It keeps what
 * it is sent as Envoy does, and answers when the test says so, or by itself.
 *
 * Requests take effect at once; a response comes in a microtask of its own, or when it is {@linkcode TestClient.read}.
 *
 * @example A client that does as Envoy does
 * ```ts
 * import { createSnapshot, SnapshotCache } from "@xds/control-plane";
 * import { TestClient } from "@xds/control-plane/testing";
 * import { Cluster_DiscoveryType, ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
 * import { create } from "@bufbuild/protobuf";
 * import { assertEquals } from "@std/assert";
 *
 * const cache = new SnapshotCache({ ads: true });
 * using client = new TestClient(cache, { node: "edge-1", answer: "ack", follow: true });
 * client.subscribe(ClusterSchema);
 *
 * const users = create(ClusterSchema, {
 *   name: "users",
 *   clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
 * });
 * const endpoints = create(ClusterLoadAssignmentSchema, { clusterName: "users" });
 * cache.set("edge-1", createSnapshot({ resources: [users, endpoints] }));
 * await cache.settled("edge-1");
 * assertEquals([...client.held(ClusterLoadAssignmentSchema).keys()], ["users"]);
 * ```
 *
 * @example A refusal, and a connection that is lost
 * ```ts
 * import { LinearCache } from "@xds/control-plane";
 * import { TestClient } from "@xds/control-plane/testing";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 * import { assertEquals } from "@std/assert";
 *
 * const cache = new LinearCache(ClusterSchema, { resources: [create(ClusterSchema, { name: "users" })] });
 * using client = new TestClient(cache, { protocol: "delta" });
 * client.subscribe(ClusterSchema, ["users"]);
 * const response = await client.next(ClusterSchema);
 * assertEquals(response.names, ["users"]);
 * response.nack("users: no endpoints");
 * assertEquals(client.held(ClusterSchema).size, 0);
 * assertEquals(client.read(), []); // It is not sent again.
 *
 * client.reconnect();
 * assertEquals((await client.next()).names, ["users"]);
 * ```
 */
export class TestClient implements Disposable {
  /** State of the world, or delta. */
  readonly protocol: Protocol;
  readonly #options: TestClientOptions;
  readonly #node: Node;
  readonly #answer: Answer | undefined;
  readonly #types = new Map<string, Holdings>();
  /** Responses that no test was given yet. */
  readonly #arrived: TestResponse[] = [];
  /** Responses that may be answered. */
  readonly #unanswered = new Set<TestResponse>();
  readonly #waiting = new Waiting();
  #cache: Cache;
  #session!: Session;
  #nodeSent = false;
  #opening = 0;
  #paused = false;
  /** Whether there may be something that was not there when it was looked for. */
  #woken = false;

  /**
   * Opens a stream.
   *
   * @throws {TypeError} if `service` is a type that has none
   */
  constructor(cache: Cache, options: TestClientOptions = {}) {
    const { node = "test", protocol = "sotw", answer } = options;
    this.#cache = cache;
    this.#options = options;
    this.protocol = protocol;
    this.#node = create(
      NodeSchema,
      typeof node === "string" ? { id: node } : node,
    );
    this.#answer = answer === "ack" ? () => undefined : answer;
    this.#open();
  }

  /** How the stream ended: with an error, null if as it should; undefined if it is open. */
  get ended(): Error | null | undefined {
    return this.#session.ended;
  }

  /**
   * Asks for resources of a type by name, beside what it asked for before; for all of them without names, or with `"*"`.
   * In delta, what is asked for once more is sent once more.
   */
  subscribe(type: ResourceType, names: Iterable<string> = []): void {
    const holdings = this.#holdings(typeUrlOf(type));
    const said = [...names];
    // An empty list asks for all only where nothing was said before.
    const { opened, hasNamed, typeUrl } = holdings;
    const { legacyWildcard = traitsOf(typeUrl).legacyWildcard } = this.#options;
    const isExplicit = opened || hasNamed ||
      (!legacyWildcard && this.#options.legacyWildcard === undefined);
    const explicit = said.length === 0 && isExplicit ? ["*"] : said;
    if (explicit.length > 0 || legacyWildcard) holdings.subscribe(explicit);
    this.#request(holdings, { subscribe: explicit });
  }

  /** Asks for resources of a type no longer, of these names or for none at all, and drops what it held of them. */
  unsubscribe(type: ResourceType, names?: Iterable<string>): void {
    const holdings = this.#holdings(typeUrlOf(type));
    if (!holdings.opened) return;
    const said = names && [...names];
    // An empty list asks for nothing only after something was named.
    const { hasNamed, wildcard } = holdings;
    if (wildcard && !hasNamed && this.protocol === "sotw") {
      holdings.subscribe(["*"]);
      this.#request(holdings, {});
    }
    const unsubscribe = said ?? holdings.all;
    holdings.unsubscribe(unsubscribe);
    this.#request(holdings, { unsubscribe });
    if (this.#options.follow) this.#follow();
  }

  /**
   * The next response, of a type or of any. What came meanwhile of other types is kept for later calls.
   *
   * @throws {DOMException} `TimeoutError` if none comes within the deadline; it says what the client asks for and holds
   * @throws {Error} if the stream ends before; an error that ended it is the `cause`
   */
  next(type?: ResourceType, options: WaitOptions = {}): Promise<TestResponse> {
    const typeUrl = type && typeUrlOf(type);
    const what = typeUrl ? `a response of ${shortName(typeUrl)}` : "a response";
    return this.#wait(what, options, () => {
      const at = this.#arrived.findIndex((response) =>
        typeUrl === undefined || response.typeUrl === typeUrl
      );
      return at < 0 ? undefined : this.#arrived.splice(at, 1)[0];
    });
  }

  /**
   * Waits until something is true of the client; it is asked again after each response. For clients that answer by
   * themselves.
   *
   * @throws as {@linkcode TestClient.next} does
   */
  until<T>(
    condition: (client: this) => T | undefined | false,
    options: WaitOptions = {},
  ): Promise<T> {
    const what = `that ${condition}`;
    return this.#wait(what, options, () => condition(this) || undefined);
  }

  /** The responses that have come and that neither this nor {@linkcode TestClient.next} returned yet, without waiting. */
  read(): TestResponse[] {
    this.#receive();
    return this.#arrived.splice(0);
  }

  /** Stops reading: what is sent from now on stays with the server. */
  pause(): void {
    this.#paused = true;
  }

  /** Reads again. */
  resume(): void {
    this.#paused = false;
    this.#receive();
  }

  /** What the client holds of a type, by name: what it has accepted, and was not removed. */
  held(type: ResourceType): ReadonlyMap<string, HeldResource> {
    return this.#holdings(typeUrlOf(type)).resources;
  }

  /** The message of a resource that the client holds; undefined if it holds none of that name. */
  get<D extends DescMessage>(
    schema: D,
    name: string,
  ): MessageShape<D> | undefined {
    return this.held(schema).get(name)?.message(schema);
  }

  /** Names of a type that the client asks for, and of which it was told that there are none. */
  missing(type: ResourceType): ReadonlySet<string> {
    return this.#holdings(typeUrlOf(type)).missing;
  }

  /** The version of the response of a type that the client accepted last; empty if there is none. */
  version(type: ResourceType): string {
    return this.#holdings(typeUrlOf(type)).version;
  }

  /** Sends bytes of the test's own as a request, such as a client should not send. */
  send(request: Uint8Array): void {
    this.#session.receive(request);
  }

  /**
   * Ends the stream and opens another, on which it asks for what it asked for before and says what it holds. Responses
   * that were not answered can no longer be.
   *
   * @param cache the cache of another server. Default: the same
   */
  reconnect(cache: Cache = this.#cache): void {
    this.close();
    this.#cache = cache;
    this.#open();
    // Types are requested again in the order in which they were first.
    const types = [...this.#types.values()]
      .sort((one, other) => one.openedAs - other.openedAs);
    for (const holdings of types) {
      holdings.nonce = "";
      holdings.opened = false;
      this.#reopen(holdings);
    }
  }

  /** Ends the stream. The client keeps what it holds. */
  close(): void {
    this.#unanswered.clear();
    this.#arrived.length = 0;
    this.#session.end(null);
  }

  /** Ends the stream. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open() {
    const { legacyWildcard, peer = unknownPeer } = this.#options;
    const { service } = this.#options;
    const typeUrl = service && typeUrlOf(service);
    const { protocol } = this;
    const options = { protocol, typeUrl, legacyWildcard, peer };
    const session = this.#session = openSession(this.#cache, options);
    this.#nodeSent = false;
    let scheduled = false;
    session.wake = () => {
      this.#woken = true;
      // A session is not to be asked for anything within the call.
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(() => {
        scheduled = false;
        if (session === this.#session) this.#receive();
      });
    };
  }

  #holdings(typeUrl: string): Holdings {
    let holdings = this.#types.get(typeUrl);
    if (!holdings) {
      holdings = new Holdings(typeUrl, this.protocol);
      this.#types.set(typeUrl, holdings);
    }
    return holdings;
  }

  #opened(holdings: Holdings) {
    if (!holdings.opened) holdings.openedAs = ++this.#opening;
    holdings.opened = true;
  }

  /** Takes all responses that there are. */
  #receive() {
    const session = this.#session;
    while (!this.#paused && session === this.#session) {
      this.#woken = false;
      const frame = session.take();
      if (!frame) {
        // There was nothing to take, and may be now.
        if (this.#woken && session.ended === undefined) continue;
        break;
      }
      try {
        this.#arrive(frame.subarray(PREFIX_BYTES));
      } catch (error) {
        // There may be nobody on the stack who could be told now.
        session.end(error as Error);
      }
    }
    this.#waiting.wake();
  }

  #arrive(bytes: Uint8Array) {
    const { name = firstField } = this.#options;
    const answer = (response: TestResponse, error: string | undefined) =>
      this.#take(response, error);
    const content = decodeResponse(this.protocol, bytes, name);
    const response = new TestResponse(content, { answer });
    this.#unanswered.add(response);
    this.#arrived.push(response);
    if (this.#answer) this.#take(response, this.#answer(response));
  }

  #take(response: TestResponse, error: string | undefined) {
    if (!this.#unanswered.delete(response)) {
      throw new Error(
        `the response ${response.nonce} of ${
          shortName(response.typeUrl)
        } was answered already, or its stream has ended`,
      );
    }
    const holdings = this.#holdings(response.typeUrl);
    const changed = holdings.take(response, error);
    holdings.nonce = response.nonce;
    if (error === undefined) holdings.version = response.version;
    this.#request(holdings, { nonce: response.nonce, error });
    if (!this.#options.follow) return;
    this.#follow(response.typeUrl === TypeUrl.Cluster ? changed : []);
  }

  #request(
    holdings: Holdings,
    { nonce, error, subscribe, unsubscribe }: {
      nonce?: string;
      error?: string;
      subscribe?: string[];
      unsubscribe?: string[];
    },
  ) {
    const { typeUrl, version, asked } = holdings;
    this.#opened(holdings);
    const common = { typeUrl, node: this.#nodeOnce(), error };
    this.#session.receive(
      this.protocol === "sotw"
        ? encodeSotw({ ...common, nonce: holdings.nonce }, asked, version)
        : encodeDelta({ ...common, nonce }, { subscribe, unsubscribe }),
    );
  }

  /** The first request of a type on a stream that is not the client's first. */
  #reopen(holdings: Holdings) {
    const { typeUrl, asked, resources } = holdings;
    // An empty list would be a wildcard, which a client that has named something does not mean.
    if (asked.length === 0 && !holdings.wildcard) return;
    if (this.protocol === "sotw") return this.#request(holdings, {});
    const versions = Object.fromEntries(
      [...resources.values()].map(({ name, version }) => [name, version]),
    );
    this.#opened(holdings);
    const common = { typeUrl, node: this.#nodeOnce() };
    const request = encodeDelta(common, { subscribe: asked, versions });
    this.#session.receive(request);
  }

  #nodeOnce(): Node | undefined {
    if (this.#nodeSent) return undefined;
    this.#nodeSent = true;
    return this.#node;
  }

  /** Asks for what is referred to, and no longer for what is not. */
  #follow(changed: readonly HeldResource[] = []) {
    const wanted = wantedNames(this.#types.values());
    const warmed = new Set(references(changed).map(({ typeUrl }) => typeUrl));
    for (const [typeUrl, names] of wanted) {
      const holdings = this.#holdings(typeUrl);
      const { added, dropped } = holdings.follow(names);
      // A cluster that is warmed asks for its endpoints, though they are asked for already; delta cannot say that.
      const again = this.protocol === "sotw" && warmed.has(typeUrl);
      if (added.length + dropped.length === 0 && !again) continue;
      this.#request(holdings, { subscribe: added, unsubscribe: dropped });
    }
  }

  #wait<T>(
    what: string,
    options: WaitOptions,
    probe: () => T | undefined,
  ): Promise<T> {
    const found = this.#waiting.for(
      () => {
        const found = probe();
        if (found === undefined && this.ended !== undefined) {
          throw this.#gone(what);
        }
        return found;
      },
      () => `${what}, of a client that ${this.#state()}`,
      { deadline: this.#options.deadline, ...options },
    );
    this.#receive();
    return found;
  }

  #gone(what: string): Error {
    const cause = this.ended ?? undefined;
    const reason = cause ? `: ${cause.message}` : "";
    return new Error(`${what}: the stream has ended${reason}`, { cause });
  }

  /** What the client asks for and holds, for whoever reads why something did not come. */
  #state(): string {
    const asked = [...this.#types.values()].filter(({ opened }) => opened);
    if (asked.length === 0) return "asks for nothing";
    const types = asked.map(({ typeUrl, all, resources }) =>
      `asks for ${shortName(typeUrl)} [${all.join(" ")}] and holds [${
        [...resources.keys()].join(" ")
      }]`
    );
    const unanswered = [...this.#unanswered].map(({ nonce, typeUrl }) =>
      `has not answered response ${nonce} of ${shortName(typeUrl)}`
    );
    const paused = this.#paused ? ["is paused"] : [];
    return [...types, ...unanswered, ...paused].join(", ");
  }
}
