import { type Resource, shortName, TypeUrl } from "../resource/mod.ts";
import { Clusters } from "./_clusters.ts";
import { DeltaMux } from "./_delta_mux.ts";
import { Listeners } from "./_listeners.ts";
import type { Mux } from "./_mux.ts";
import { copyOf, print } from "./_plain.ts";
import { Providers } from "./_providers.ts";
import { SotwMux } from "./_sotw_mux.ts";
import { namesIn, type World } from "./_world.ts";
import type {
  ModelProtocol,
  ModelRequest,
  ModelResponse,
  Rejects,
} from "./model.ts";

/** Options of an {@linkcode EnvoyModel}. */
export interface EnvoyModelOptions {
  /** The protocol variant. */
  protocol: ModelProtocol;
  /** Clusters and listeners of the bootstrap, which win over those of the same name. Default: none. */
  bootstrap?: readonly Resource[];
  /** Decides which resources are rejected. Default: all are valid. */
  rejects?: Rejects;
  /** `initial_fetch_timeout`, in milliseconds. Default: 15 000. */
  initialFetchTimeout?: number;
  /** `--drain-time-s`, in milliseconds. Default: 600 000. */
  drainTime?: number;
}

/**
 * Envoy as an xDS client on one aggregated stream, without I/O or a clock: responses go in, requests come out, and time passes when
 * told. It subscribes to clusters and listeners, and to whatever these need; it warms and drains as Envoy 1.36 and 1.40 do.
 *
 * @example
 * ```ts
 * import { createResource } from "@xds/control-plane";
 * import { EnvoyModel } from "@xds/control-plane/testing";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { assertEquals } from "@std/assert";
 *
 * const envoy = new EnvoyModel({ protocol: "sotw" });
 * const [first] = envoy.connect();
 * const { typeUrl } = first;
 * const users = createResource(ClusterSchema, { name: "users" });
 * const answers = envoy.receive({ typeUrl, version: "1", nonce: "1", resources: [users], removed: [] });
 * assertEquals(answers.map(({ typeUrl }) => typeUrl.split(".").at(-1)), ["Listener", "Cluster"]);
 * ```
 */
export class EnvoyModel {
  /** What was waited for in vain until the initial fetch timeout. */
  readonly timeouts: string[] = [];
  readonly #options: EnvoyModelOptions;
  readonly #mux: Mux;
  readonly #providers: Providers;
  readonly #clusters: Clusters;
  readonly #listeners: Listeners;
  #time = {
    now: 0,
    serial: 0,
    /** When CDS and LDS stop to wait for their first response. */
    deadlines: new Map<string, number>(),
  };

  /** Makes an Envoy that has just started. */
  constructor(options: EnvoyModelOptions) {
    this.#options = options;
    const deliver = this.#deliver.bind(this);
    const fail = this.#fail.bind(this);
    this.#mux = options.protocol === "delta"
      ? new DeltaMux(deliver, fail)
      : new SotwMux(deliver, fail);
    const world: World = {
      mux: this.#mux,
      rejects: options.rejects ?? (() => undefined),
      fetchTimeout: options.initialFetchTimeout ?? 15_000,
      drainTime: options.drainTime ?? 600_000,
      now: () => this.#time.now,
      serial: () => ++this.#time.serial,
    };
    this.#providers = new Providers(world);
    this.#clusters = new Clusters(
      world,
      this.#providers,
      () => this.#subscribe(TypeUrl.Listener, world.fetchTimeout),
    );
    this.#listeners = new Listeners(world, this.#providers, this.#clusters);
    for (const resource of options.bootstrap ?? []) {
      if (resource.typeUrl === TypeUrl.Cluster) {
        this.#clusters.addBootstrap(resource);
      } else this.#listeners.addBootstrap(resource);
    }
    this.#subscribe(TypeUrl.Cluster, world.fetchTimeout);
  }

  /** A stream is open: returns its first requests. */
  connect(): ModelRequest[] {
    this.#mux.connect();
    return this.#mux.take();
  }

  /** The stream ended. */
  disconnect(): void {
    this.#mux.disconnect();
  }

  /** Receives a response and returns the requests that follow. */
  receive(response: ModelResponse): ModelRequest[] {
    this.#mux.receive(response);
    this.#proceed();
    return this.#mux.take();
  }

  /** Lets time pass, in milliseconds, and returns the requests that follow: listeners drain, waits time out. */
  advance(ms: number): ModelRequest[] {
    const end = this.#time.now + ms;
    for (;;) {
      const { deadline } = this;
      if (deadline === undefined || deadline > end) break;
      this.#time.now = deadline;
      this.#expire();
    }
    this.#time.now = end;
    return this.#mux.take();
  }

  /** The next time at which something happens by itself, on the clock that {@linkcode advance} moves; it starts at 0. */
  get deadline(): number | undefined {
    const all = [
      ...this.#time.deadlines.values(),
      ...[this.#clusters, this.#providers, this.#listeners]
        .flatMap(({ deadline }) => deadline ?? []),
    ];
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  /** The resources of a type that are in use, by name. */
  resources(typeUrl: string): ReadonlyMap<string, Resource> {
    const found = new Map<string, Resource>();
    const note = (its: Resource | undefined) => {
      if (its?.typeUrl === typeUrl) found.set(its.name, its);
    };
    for (const { id, resource, drains } of this.#listeners.serving()) {
      if (drains) continue;
      note(resource);
      for (const its of this.#providers.resources(id)) note(its);
    }
    for (const { active } of this.#clusters.state.slots.values()) {
      if (!active) continue;
      note(active.resource);
      note(active.endpoints);
      for (const its of this.#providers.resources(active.id)) note(its);
    }
    return found;
  }

  /** The clusters and listeners that wait for something before they are used. */
  get warming(): string[] {
    return [
      ...this.#clusters.warming.map((name) => `Cluster ${name}`),
      ...this.#listeners.warming.map((name) => `Listener ${name}`),
    ];
  }

  /** Whether it has started: it has its first clusters and listeners, and none of them warms. */
  get isLive(): boolean {
    return this.#clusters.state.isInitialized &&
      this.#listeners.state.isFetched && this.#listeners.warming.length === 0;
  }

  /**
   * What serves traffic, or existing connections, and refers to something that the Envoy lacks: requests fail.
   */
  get broken(): string[] {
    const broken: string[] = [];
    for (const { id, resource, drains } of this.#listeners.serving()) {
      const used = [resource, ...this.#providers.resources(id)];
      const about = `${drains ? "draining " : ""}Listener ${resource.name}`;
      for (const { typeUrl, name } of this.#providers.missing(id)) {
        broken.push(`${about} lacks ${shortName(typeUrl)} ${name}`);
      }
      for (const name of used.flatMap((its) => namesIn(its, TypeUrl.Cluster))) {
        const lacking = this.#lacking(name);
        if (lacking) broken.push(`${about} lacks ${lacking}`);
      }
    }
    return broken;
  }

  /** Tells its state from others: two models with equal fingerprints behave alike. */
  fingerprint(): string {
    return print(this.#state());
  }

  /** Makes another in the same state. */
  clone(): EnvoyModel {
    const other = new EnvoyModel(this.#options);
    const state = copyOf(this.#state());
    other.#mux.state = state.mux;
    other.#providers.state = state.providers;
    other.#clusters.state = state.clusters;
    other.#listeners.state = state.listeners;
    other.#time = state.time;
    other.timeouts.push(...state.timeouts);
    return other;
  }

  #state() {
    return {
      mux: this.#mux.state,
      providers: this.#providers.state,
      clusters: this.#clusters.state,
      listeners: this.#listeners.state,
      time: this.#time,
      timeouts: this.timeouts,
    };
  }

  /** What a cluster lacks, or the clusters that it is made of. */
  #lacking(name: string, seen: readonly string[] = []): string | undefined {
    const active = this.#clusters.active(name);
    if (!active) return `Cluster ${name}`;
    if (this.#clusters.lacksEndpoints(name)) return `endpoints of ${name}`;
    for (const part of namesIn(active.resource, TypeUrl.Cluster)) {
      if (seen.includes(part)) continue;
      const lacking = this.#lacking(part, [...seen, name]);
      if (lacking) return lacking;
    }
    return undefined;
  }

  #subscribe(typeUrl: string, timeout: number) {
    this.#time.deadlines.set(typeUrl, this.#time.now + timeout);
    this.#mux.watch(typeUrl, [], typeUrl);
  }

  #deliver(
    owner: string,
    resources: readonly Resource[],
    removed: readonly string[] | undefined,
  ) {
    this.#time.deadlines.delete(owner);
    try {
      if (owner === TypeUrl.Cluster) {
        this.#clusters.update(resources, removed);
      } else if (owner === TypeUrl.Listener) {
        this.#listeners.update(resources, removed);
      } else if (owner.startsWith("cluster-")) {
        this.#clusters.deliverEndpoints(owner, resources);
      } else this.#providers.deliver(owner, resources);
    } finally {
      this.#proceed();
    }
  }

  #fail(owner: string) {
    if (owner === TypeUrl.Cluster) this.#clusters.fetched();
    else if (owner === TypeUrl.Listener) {
      this.#listeners.state.isFetched = true;
    } else if (owner.startsWith("cluster-")) this.#clusters.fail(owner);
    else this.#providers.fail(owner);
    this.#proceed();
  }

  #proceed() {
    this.#clusters.proceed();
    this.#listeners.proceed();
  }

  #expire() {
    const { now, deadlines } = this.#time;
    for (const [typeUrl, deadline] of [...deadlines]) {
      if (deadline > now) continue;
      deadlines.delete(typeUrl);
      this.timeouts.push(shortName(typeUrl));
      if (typeUrl === TypeUrl.Cluster) this.#clusters.fetched();
      else this.#listeners.state.isFetched = true;
    }
    this.timeouts.push(...this.#clusters.expire(), ...this.#providers.expire());
    this.#listeners.expire();
    this.#proceed();
  }
}
