import { type Resource, TypeUrl } from "../resource/mod.ts";
import { RejectedError } from "./model.ts";
import type { Providers } from "./_providers.ts";
import { namesIn, type World } from "./_world.ts";

interface ClusterEntry {
  readonly id: string;
  readonly resource: Resource;
  /** The name of its endpoints; undefined unless they come by EDS. */
  readonly endpointsName: string | undefined;
  readonly isBootstrap: boolean;
  /** - `"created"`: its initialization has yet to begin, which happens during startup. */
  phase: "created" | "endpoints" | "secrets" | "ready";
  endpoints: Resource | undefined;
  deadline: number | undefined;
}

/** A cluster may be replaced by one that warms. */
interface ClusterSlot {
  active: ClusterEntry | undefined;
  warming: ClusterEntry | undefined;
}

/** An Envoy's cluster manager. */
export class Clusters {
  state = {
    slots: new Map<string, ClusterSlot>(),
    /** Whether CDS was answered, so that startup goes on. */
    isFetched: false,
    /** Whether all clusters of the startup are initialized: from then on, warming clusters hold back the ACK. */
    isInitialized: false,
    startedSecondary: false,
    holdsAck: false,
  };
  readonly #world: World;
  readonly #providers: Providers;
  readonly #onInitialized: () => void;

  constructor(world: World, providers: Providers, onInitialized: () => void) {
    this.#world = world;
    this.#providers = providers;
    this.#onInitialized = onInitialized;
  }

  /** Adds a cluster of the bootstrap. */
  addBootstrap(resource: Resource) {
    const entry: ClusterEntry = {
      id: `cluster-${this.#world.serial()}`,
      resource,
      endpointsName: undefined,
      isBootstrap: true,
      phase: "ready",
      endpoints: undefined,
      deadline: undefined,
    };
    this.state.slots.set(resource.name, { active: entry, warming: undefined });
  }

  /** Names of active and warming clusters. */
  get names(): ReadonlySet<string> {
    return new Set(this.state.slots.keys());
  }

  /** An active cluster. */
  active(
    name: string,
  ): { resource: Resource; endpoints: Resource | undefined } | undefined {
    return this.state.slots.get(name)?.active;
  }

  /** Whether an active cluster lacks its endpoints. */
  lacksEndpoints(name: string): boolean {
    const active = this.state.slots.get(name)?.active;
    return active?.endpointsName !== undefined && !active.endpoints;
  }

  /** Names of the clusters that are warming. */
  get warming(): string[] {
    return [...this.state.slots].flatMap(([name, { warming }]) =>
      warming ? [name] : []
    );
  }

  /** A CDS response; `removed` is undefined in state of the world. */
  update(
    resources: readonly Resource[],
    removed: readonly string[] | undefined,
  ) {
    const { mux, rejects } = this.#world;
    const invalid = resources.flatMap((its) => rejects(its) ?? []);
    const broken = invalid.filter(({ violatesRule }) => violatesRule);
    if (broken.length > 0) throw new RejectedError(broken[0].message);
    mux.pause(TypeUrl.ClusterLoadAssignment, TypeUrl.Secret);
    const errors: string[] = [];
    for (const resource of resources) {
      const rejection = rejects(resource);
      if (rejection) errors.push(`${resource.name}: ${rejection.message}`);
      else this.#set(resource);
    }
    const present = new Set(resources.map(({ name }) => name));
    const gone = removed ??
      [...this.state.slots.keys()].filter((name) => !present.has(name));
    for (const name of gone) this.#remove(name);
    this.fetched();
    this.#proceed();
    mux.resume(TypeUrl.ClusterLoadAssignment, TypeUrl.Secret);
    if (errors.length > 0) {
      throw new RejectedError(
        `Error adding/updating cluster(s) ${errors.join(", ")}`,
      );
    }
  }

  /** CDS was answered, or is not waited for any longer: startup goes on. */
  fetched() {
    if (this.state.isFetched) return;
    this.state.isFetched = true;
    this.#proceed();
  }

  /** An EDS response for one cluster. */
  deliverEndpoints(
    id: string,
    resources: readonly Resource[],
  ) {
    const entry = this.#entry(id);
    if (!entry) return;
    const [endpoints] = resources;
    const rejection = endpoints && this.#world.rejects(endpoints);
    if (rejection) throw new RejectedError(rejection.message);
    entry.deadline = undefined;
    if (endpoints) entry.endpoints = endpoints;
    this.#hasEndpoints(entry);
  }

  /** EDS was rejected: a cluster no longer waits for its endpoints. */
  fail(id: string) {
    const entry = this.#entry(id);
    if (!entry || entry.deadline === undefined) return;
    entry.deadline = undefined;
    this.#hasEndpoints(entry);
  }

  /** Activates the clusters that wait for nothing any longer. */
  proceed() {
    for (const { warming } of [...this.state.slots.values()]) {
      if (warming?.phase !== "secrets") continue;
      if (this.#providers.isReady(warming.id)) this.#initialized(warming);
    }
  }

  /** The next time at which one stops to wait for endpoints. */
  get deadline(): number | undefined {
    const all = this.#entries().flatMap((its) => its.deadline ?? []);
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  /** Stops the waits for endpoints that are over, and returns what they were for. */
  expire(): string[] {
    const now = this.#world.now();
    return this.#entries().flatMap((entry) => {
      if ((entry.deadline ?? Infinity) > now) return [];
      entry.deadline = undefined;
      this.#hasEndpoints(entry);
      return [`${TypeUrl.ClusterLoadAssignment} ${entry.endpointsName}`];
    });
  }

  #entries(): ClusterEntry[] {
    return [...this.state.slots.values()].flatMap(({ active, warming }) =>
      [active, warming].filter((its) => its !== undefined)
    );
  }

  #entry(id: string): ClusterEntry | undefined {
    return this.#entries().find((its) => its.id === id);
  }

  #set(resource: Resource) {
    const { slots } = this.state;
    const { name, version } = resource;
    const slot = slots.get(name) ?? { active: undefined, warming: undefined };
    const { active, warming } = slot;
    if (active?.isBootstrap) return;
    if ((warming ?? active)?.resource.version === version) return;
    const entry: ClusterEntry = {
      id: `cluster-${this.#world.serial()}`,
      resource,
      endpointsName: namesIn(resource, TypeUrl.ClusterLoadAssignment)[0],
      isBootstrap: false,
      phase: "created",
      endpoints: undefined,
      deadline: undefined,
    };
    this.#providers.acquire(entry.id, resource);
    slot.warming = entry;
    slots.set(name, slot);
    if (warming) this.#drop(warming);
    this.#noteWarming();
    const isSecondary = entry.endpointsName !== undefined;
    const { isInitialized, startedSecondary } = this.state;
    if (isInitialized || !isSecondary || startedSecondary) {
      this.#initialize(entry);
    }
  }

  #remove(name: string) {
    const slot = this.state.slots.get(name);
    if (!slot || slot.active?.isBootstrap) return;
    this.state.slots.delete(name);
    if (slot.active) this.#drop(slot.active);
    if (slot.warming) this.#drop(slot.warming);
    this.#noteWarming();
    this.#proceed();
  }

  #drop(entry: ClusterEntry) {
    if (entry.endpointsName !== undefined && entry.phase !== "created") {
      this.#world.mux.unwatch(TypeUrl.ClusterLoadAssignment, entry.id);
    }
    this.#providers.release(entry.id);
  }

  #initialize(entry: ClusterEntry) {
    if (entry.endpointsName === undefined) return this.#hasEndpoints(entry);
    entry.phase = "endpoints";
    entry.deadline = this.#world.now() + this.#world.fetchTimeout;
    const names = [entry.endpointsName];
    this.#world.mux.watch(TypeUrl.ClusterLoadAssignment, names, entry.id);
  }

  /** Secrets are requested once the endpoints are there. */
  #hasEndpoints(entry: ClusterEntry) {
    if (entry.phase !== "created" && entry.phase !== "endpoints") return;
    entry.phase = "secrets";
    this.#providers.start(entry.id);
    if (this.#providers.isReady(entry.id)) this.#initialized(entry);
  }

  #initialized(entry: ClusterEntry) {
    entry.phase = "ready";
    const slot = this.state.slots.get(entry.resource.name);
    if (slot?.warming !== entry) return;
    const { active } = slot;
    slot.active = entry;
    slot.warming = undefined;
    if (active) this.#drop(active);
    this.#noteWarming();
    this.#proceed();
  }

  /** Holds back CDS requests, and so the ACK, while a cluster warms. */
  #noteWarming() {
    if (!this.state.isInitialized) return;
    const isWarming = this.warming.length > 0;
    if (isWarming === this.state.holdsAck) return;
    this.state.holdsAck = isWarming;
    if (isWarming) this.#world.mux.pause(TypeUrl.Cluster);
    else this.#world.mux.resume(TypeUrl.Cluster);
  }

  /** Startup: secondary clusters are initialized after primary ones, and then everything else begins. */
  #proceed() {
    const { state } = this;
    if (state.isInitialized || !state.isFetched) return;
    const waiting = [...state.slots.values()].flatMap((its) =>
      its.warming ?? []
    );
    const isPrimary = (its: ClusterEntry) => its.endpointsName === undefined;
    if (waiting.some(isPrimary)) return;
    if (waiting.length > 0) {
      if (state.startedSecondary) return;
      state.startedSecondary = true;
      const { mux } = this.#world;
      mux.pause(TypeUrl.ClusterLoadAssignment);
      for (const entry of waiting) this.#initialize(entry);
      mux.resume(TypeUrl.ClusterLoadAssignment);
      return;
    }
    state.isInitialized = true;
    this.#onInitialized();
  }
}
