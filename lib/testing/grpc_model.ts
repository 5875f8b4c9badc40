import { type Resource, shortName, TypeUrl } from "../resource/mod.ts";
import {
  answer,
  changingRequest,
  emptyType,
  type GrpcType,
  openingRequest,
  take,
} from "./_grpc_type.ts";
import { copyOf, print } from "./_plain.ts";
import { namesIn } from "./_world.ts";
import type {
  ModelProtocol,
  ModelRequest,
  ModelResponse,
  Rejects,
} from "./model.ts";

/** Options of a {@linkcode GrpcModel}. */
export interface GrpcModelOptions {
  /** The protocol variant. */
  protocol: ModelProtocol;
  /** Names of the listeners that its channels target. */
  targets: readonly string[];
  /** Decides which resources are rejected. Default: all are valid. */
  rejects?: Rejects;
  /** How long it goes on to subscribe to a name that nothing uses, in milliseconds. Default: 40, as grpc-java does. */
  unsubscribeDelay?: number;
  /** How long it waits for a resource before it takes it for missing, in milliseconds. Default: 15 000. */
  resourceTimeout?: number;
}

/** In the order in which a stream is opened. */
const types: readonly string[] = [
  TypeUrl.Listener,
  TypeUrl.RouteConfiguration,
  TypeUrl.Cluster,
  TypeUrl.ClusterLoadAssignment,
];
const full: readonly string[] = [TypeUrl.Listener, TypeUrl.Cluster];

/**
 * A proxyless gRPC client as an xDS client, without I/O or a clock: it subscribes by name only, to its listeners, their routes, the
 * clusters of those and their endpoints; it applies the valid resources of a response that it rejects, and unsubscribes soon after
 * nothing uses a name any longer.
 *
 * @example
 * ```ts
 * import { GrpcModel } from "@xds/control-plane/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const client = new GrpcModel({ protocol: "sotw", targets: ["greeter"] });
 * const requests = client.connect();
 * assertEquals(requests.map(({ names }) => names), [["greeter"]]);
 * ```
 */
export class GrpcModel {
  /** What it waited for in vain. */
  readonly timeouts: string[] = [];
  /** Clusters that it was told do not exist while it subscribed to them: grpc-java never uses such a cluster again. */
  readonly violations: string[] = [];
  readonly #options: GrpcModelOptions;
  #state = {
    now: 0,
    isConnected: false,
    types: new Map(types.map((typeUrl) => [typeUrl, emptyType()])),
  };

  /** Makes a client with no stream yet. */
  constructor(options: GrpcModelOptions) {
    this.#options = options;
    this.#follow();
  }

  /** A stream is open: returns its first requests. */
  connect(): ModelRequest[] {
    this.#state.isConnected = true;
    const requests: ModelRequest[] = [];
    for (const [typeUrl, type] of this.#state.types) {
      type.isOpen = false;
      if (type.subscriptions.size === 0) continue;
      requests.push(openingRequest(typeUrl, type));
    }
    return requests;
  }

  /** The stream ended. */
  disconnect(): void {
    this.#state.isConnected = false;
  }

  /** Receives a response and returns the requests that follow. */
  receive(response: ModelResponse): ModelRequest[] {
    const { typeUrl, resources, version, nonce } = response;
    const type = this.#state.types.get(typeUrl);
    if (!type) return [];
    const { protocol, rejects } = this.#options;
    const errors: string[] = [];
    const valid: Resource[] = [];
    resources.forEach((resource, index) => {
      const rejection = rejects?.(resource);
      if (!rejection) return void valid.push(resource);
      errors.push(`resource index ${index}: ${rejection.message}`);
      const subscription = type.subscriptions.get(resource.name);
      if (subscription) subscription.deadline = undefined;
    });
    type.nonce = nonce;
    const error = errors.length > 0 ? errors.join("; ") : undefined;
    if (error === undefined) type.version = version;
    const isFull = protocol === "sotw" && full.includes(typeUrl);
    const gone = take(type, response, valid, isFull);
    for (const name of typeUrl === TypeUrl.Cluster ? gone : []) {
      this.violations.push(`Cluster ${name} is gone while it is subscribed`);
    }
    return [answer(protocol, typeUrl, type, error), ...this.#follow()];
  }

  /** Lets time pass, in milliseconds, and returns the requests that follow. */
  advance(ms: number): ModelRequest[] {
    const end = this.#state.now + ms;
    const requests: ModelRequest[] = [];
    for (;;) {
      const { deadline } = this;
      if (deadline === undefined || deadline > end) break;
      this.#state.now = deadline;
      requests.push(...this.#expire());
    }
    this.#state.now = end;
    return requests;
  }

  /** The next time at which something happens by itself, on the clock that {@linkcode advance} moves; it starts at 0. */
  get deadline(): number | undefined {
    const all = [...this.#state.types.values()].flatMap(({ subscriptions }) =>
      [...subscriptions.values()].flatMap(({ deadline, unsubscribeAt }) =>
        [deadline, unsubscribeAt].filter((time) => time !== undefined)
      )
    );
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  /** The resources of a type that it has and uses, by name. */
  resources(typeUrl: string): ReadonlyMap<string, Resource> {
    const found = new Map<string, Resource>();
    for (const [name, its] of this.#type(typeUrl).subscriptions) {
      if (!its.resource || its.unsubscribeAt !== undefined) continue;
      found.set(name, its.resource);
    }
    return found;
  }

  /** What it uses and does not have: calls wait, or fail. */
  get broken(): string[] {
    const broken: string[] = [];
    for (const typeUrl of types.slice(1)) {
      for (const [name, its] of this.#type(typeUrl).subscriptions) {
        if (its.resource !== null || its.unsubscribeAt !== undefined) continue;
        broken.push(`${shortName(typeUrl)} ${name} does not exist`);
      }
    }
    return broken;
  }

  /** Tells its state from others: two models with equal fingerprints behave alike. */
  fingerprint(): string {
    return print([this.#state, this.timeouts, this.violations]);
  }

  /** Makes another in the same state. */
  clone(): GrpcModel {
    const other = new GrpcModel(this.#options);
    other.#state = copyOf(this.#state);
    other.timeouts.push(...this.timeouts);
    other.violations.push(...this.violations);
    return other;
  }

  #type(typeUrl: string): GrpcType {
    return this.#state.types.get(typeUrl) ?? emptyType();
  }

  /** Subscribes to what its resources refer to, type by type. */
  #follow(): ModelRequest[] {
    const { unsubscribeDelay = 40, resourceTimeout = 15_000 } = this.#options;
    const { now } = this.#state;
    const requests: ModelRequest[] = [];
    for (const typeUrl of types) {
      const type = this.#type(typeUrl);
      const wanted = this.#wanted(typeUrl);
      const subscribe: string[] = [];
      for (const [name, its] of type.subscriptions) {
        if (wanted.has(name)) its.unsubscribeAt = undefined;
        else its.unsubscribeAt ??= now + unsubscribeDelay;
      }
      for (const name of wanted) {
        if (type.subscriptions.has(name)) continue;
        subscribe.push(name);
        type.subscriptions.set(name, {
          resource: undefined,
          deadline: now + resourceTimeout,
          unsubscribeAt: undefined,
        });
      }
      if (subscribe.length === 0) continue;
      requests.push(...this.#change(typeUrl, { subscribe, unsubscribe: [] }));
    }
    return requests;
  }

  /** The names of a type that are in use. */
  #wanted(typeUrl: string): ReadonlySet<string> {
    if (typeUrl === TypeUrl.Listener) return new Set(this.#options.targets);
    const wanted = new Set<string>();
    const visit = (resource: Resource) => {
      for (const name of namesIn(resource, typeUrl)) {
        if (wanted.has(name)) continue;
        wanted.add(name);
        // A cluster may be made of others.
        const its = this.#type(typeUrl).subscriptions.get(name)?.resource;
        if (its && typeUrl === TypeUrl.Cluster) visit(its);
      }
    };
    const at = types.indexOf(typeUrl);
    for (const referrer of types.slice(0, at)) {
      for (const its of this.resources(referrer).values()) visit(its);
    }
    return wanted;
  }

  #change(
    typeUrl: string,
    changes: { subscribe: readonly string[]; unsubscribe: readonly string[] },
  ): ModelRequest[] {
    if (!this.#state.isConnected) return [];
    const { protocol } = this.#options;
    return [changingRequest(protocol, typeUrl, this.#type(typeUrl), changes)];
  }

  #expire(): ModelRequest[] {
    const { now } = this.#state;
    const requests: ModelRequest[] = [];
    for (const [typeUrl, { subscriptions }] of this.#state.types) {
      const unsubscribe: string[] = [];
      for (const [name, its] of [...subscriptions]) {
        if ((its.deadline ?? Infinity) <= now) {
          its.deadline = undefined;
          its.resource = null;
          this.timeouts.push(`${shortName(typeUrl)} ${name}`);
        }
        if ((its.unsubscribeAt ?? Infinity) > now) continue;
        subscriptions.delete(name);
        unsubscribe.push(name);
      }
      if (unsubscribe.length === 0) continue;
      requests.push(...this.#change(typeUrl, { subscribe: [], unsubscribe }));
    }
    return [...requests, ...this.#follow()];
  }
}
