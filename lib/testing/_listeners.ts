import { fromBinary } from "@bufbuild/protobuf";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { type Resource, TypeUrl } from "../resource/mod.ts";
import { RejectedError, type Rejection } from "./model.ts";
import type { Clusters } from "./_clusters.ts";
import type { Providers } from "./_providers.ts";
import type { World } from "./_world.ts";

interface ListenerEntry {
  readonly id: string;
  readonly resource: Resource;
  readonly isBootstrap: boolean;
}

/** A listener that still serves existing connections. */
interface DrainingListener extends ListenerEntry {
  readonly until: number;
}

interface ListenerSlot {
  active: ListenerEntry | undefined;
  warming: ListenerEntry | undefined;
}

/** An Envoy's listener manager. */
export class Listeners {
  state = {
    slots: new Map<string, ListenerSlot>(),
    draining: [] as DrainingListener[],
    isFetched: false,
  };
  readonly #world: World;
  readonly #providers: Providers;
  readonly #clusters: Clusters;

  constructor(world: World, providers: Providers, clusters: Clusters) {
    this.#world = world;
    this.#providers = providers;
    this.#clusters = clusters;
  }

  /** Adds a listener of the bootstrap. */
  addBootstrap(resource: Resource) {
    const id = `listener-${this.#world.serial()}`;
    const active = { id, resource, isBootstrap: true };
    this.state.slots.set(resource.name, { active, warming: undefined });
  }

  /** An active listener. */
  active(name: string): { id: string; resource: Resource } | undefined {
    return this.state.slots.get(name)?.active;
  }

  /** Names of the listeners that are warming. */
  get warming(): string[] {
    return [...this.state.slots].flatMap(([name, { warming }]) =>
      warming ? [name] : []
    );
  }

  /** The listeners that serve connections: active and draining ones. */
  *serving(): Iterable<{ id: string; resource: Resource; drains: boolean }> {
    for (const { active } of this.state.slots.values()) {
      if (active) yield { ...active, drains: false };
    }
    for (const its of this.state.draining) yield { ...its, drains: true };
  }

  /** An LDS response; `removed` is undefined in state of the world. */
  update(
    resources: readonly Resource[],
    removed: readonly string[] | undefined,
  ) {
    const { mux, rejects } = this.#world;
    const broken = resources.flatMap((its) => rejects(its) ?? [])
      .filter(({ violatesRule }) => violatesRule);
    if (broken.length > 0) throw new RejectedError(broken[0].message);
    this.state.isFetched = true;
    const paused = [TypeUrl.RouteConfiguration, TypeUrl.Secret];
    mux.pause(...paused);
    const present = new Set(resources.map(({ name }) => name));
    const gone = removed ??
      [...this.state.slots.keys()].filter((name) => !present.has(name));
    for (const name of gone) this.#remove(name);
    const errors: string[] = [];
    for (const resource of resources) {
      const rejection = this.#set(resource);
      if (rejection) errors.push(`${resource.name}: ${rejection.message}`);
    }
    mux.resume(...paused);
    if (errors.length > 0) {
      throw new RejectedError(
        `Error adding/updating listener(s) ${errors.join("\n")}`,
      );
    }
  }

  /** Activates the listeners that wait for nothing any longer. */
  proceed() {
    for (const slot of this.state.slots.values()) {
      const { active, warming } = slot;
      if (!warming || !this.#providers.isReady(warming.id)) continue;
      slot.active = warming;
      slot.warming = undefined;
      if (active) this.#drain(active);
    }
  }

  /** The next time at which a listener has drained. */
  get deadline(): number | undefined {
    const all = this.state.draining.map(({ until }) => until);
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  /** Drops listeners that have drained. */
  expire() {
    const now = this.#world.now();
    const over = this.state.draining.filter(({ until }) => until <= now);
    this.state.draining = this.state.draining
      .filter(({ until }) => until > now);
    for (const { id } of over) this.#providers.release(id);
  }

  #set(resource: Resource): Rejection | undefined {
    const { slots } = this.state;
    const { name, version } = resource;
    const slot = slots.get(name) ?? { active: undefined, warming: undefined };
    const { active, warming } = slot;
    if (active?.isBootstrap) return undefined;
    if ((warming ?? active)?.resource.version === version) return undefined;
    const rejection = this.#world.rejects(resource) ??
      this.#lacksClusters(resource);
    if (rejection) return rejection;
    const id = `listener-${this.#world.serial()}`;
    this.#providers.acquire(id, resource);
    const conflict = this.#conflict(resource);
    if (conflict) {
      // It has begun to subscribe before it finds that it cannot bind.
      this.#providers.start(id);
      this.#providers.release(id);
      return conflict;
    }
    slot.warming = { id, resource, isBootstrap: false };
    slots.set(name, slot);
    if (warming) this.#providers.release(warming.id);
    this.#providers.start(id);
    this.proceed();
    return undefined;
  }

  #remove(name: string) {
    const slot = this.state.slots.get(name);
    if (!slot || slot.active?.isBootstrap) return;
    this.state.slots.delete(name);
    if (slot.warming) this.#providers.release(slot.warming.id);
    if (slot.active) this.#drain(slot.active);
  }

  #drain(entry: ListenerEntry) {
    const until = this.#world.now() + this.#world.drainTime;
    this.state.draining.push({ ...entry, until });
  }

  /** Inline routes are validated against the clusters that exist. */
  #lacksClusters(resource: Resource): Rejection | undefined {
    const { names } = this.#clusters;
    const lacking = resource.references.references.find((its) =>
      its.typeUrl === TypeUrl.Cluster && its.path.includes("route_config.") &&
      !names.has(its.name)
    );
    return lacking && { message: `route: unknown cluster '${lacking.name}'` };
  }

  #conflict({ name, bytes }: Resource): Rejection | undefined {
    const address = addressOf(bytes);
    if (address === undefined) return undefined;
    for (const [other, { active, warming }] of this.state.slots) {
      if (other === name) continue;
      const has = [active, warming].some((its) =>
        its && addressOf(its.resource.bytes) === address
      );
      if (!has) continue;
      return {
        message: `error adding listener: '${name}' has duplicate address ` +
          `'${address}' as existing listener`,
      };
    }
    return undefined;
  }
}

const addresses = new WeakMap<Uint8Array, string | undefined>();

/** The address of a listener with a port of its own. */
function addressOf(bytes: Uint8Array): string | undefined {
  if (addresses.has(bytes)) return addresses.get(bytes);
  const { address } = fromBinary(ListenerSchema, bytes);
  const socket = address?.address.case === "socketAddress"
    ? address.address.value
    : undefined;
  const port = socket?.portSpecifier.value;
  const found = port ? `${socket!.address}:${port}` : undefined;
  addresses.set(bytes, found);
  return found;
}
