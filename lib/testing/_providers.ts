import type { Resource } from "../resource/mod.ts";
import { keyOf, type ProviderKey, providersOf, type World } from "./_world.ts";
import { RejectedError } from "./model.ts";

interface Provider extends ProviderKey {
  /** Who uses it: clusters, listeners and extension configs, by their ids. */
  users: string[];
  isStarted: boolean;
  resource: Resource | undefined;
  /** When to stop waiting for a first resource; undefined: it does not wait. */
  deadline: number | undefined;
}

/** An Envoy's subscriptions to secrets, routes and extension configs, which their users share. */
export class Providers {
  state = new Map<string, Provider>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Notes that a user needs what its resource refers to. */
  acquire(user: string, resource: Resource) {
    for (const its of providersOf(resource)) {
      const key = keyOf(its);
      const provider = this.state.get(key);
      if (provider) provider.users.push(user);
      else {
        this.state.set(key, {
          ...its,
          users: [user],
          isStarted: false,
          resource: undefined,
          deadline: undefined,
        });
      }
    }
  }

  /** Starts the subscriptions of a user that are not started yet. */
  start(user: string) {
    for (const [key, provider] of this.state) {
      if (provider.isStarted || !provider.users.includes(user)) continue;
      provider.isStarted = true;
      provider.deadline = this.#world.now() + this.#world.fetchTimeout;
      const { typeUrl, name } = provider;
      this.#world.mux.watch(typeUrl, [name], key);
    }
  }

  /** Drops the subscriptions that only this user needs. */
  release(user: string) {
    for (const [key, provider] of [...this.state]) {
      if (!provider.users.includes(user)) continue;
      provider.users = provider.users.filter((its) => its !== user);
      if (provider.users.length > 0) continue;
      this.state.delete(key);
      if (provider.isStarted) this.#world.mux.unwatch(provider.typeUrl, key);
      this.release(key);
    }
  }

  /** Whether a user waits for nothing. */
  isReady(user: string): boolean {
    return [...this.state.values()].every((its) =>
      !its.users.includes(user) || isReady(its)
    );
  }

  /** What a user does not have. */
  *missing(user: string): Iterable<ProviderKey> {
    for (const its of this.state.values()) {
      if (its.users.includes(user) && !its.resource) yield its;
    }
  }

  /** The resources that a user has, with those that these refer to. */
  *resources(user: string): Iterable<Resource> {
    for (const [key, { users, resource }] of this.state) {
      if (!resource || !users.includes(user)) continue;
      yield resource;
      yield* this.resources(key);
    }
  }

  /** A response contains resources for a subscription. */
  deliver(key: string, resources: readonly Resource[]) {
    const provider = this.state.get(key);
    const [resource] = resources;
    if (!provider || !resource) return;
    const rejection = this.#world.rejects(resource);
    provider.deadline = undefined;
    if (rejection) throw new RejectedError(rejection.message);
    this.release(key);
    provider.resource = resource;
    this.acquire(key, resource);
    this.start(key);
  }

  /** A response was rejected: a subscription no longer waits for its first resource. */
  fail(key: string) {
    const provider = this.state.get(key);
    if (provider) provider.deadline = undefined;
  }

  /** The next time at which one stops to wait. */
  get deadline(): number | undefined {
    const all = [...this.state.values()].flatMap((its) => its.deadline ?? []);
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  /** Stops the waits that are over, and returns what they were for. */
  expire(): string[] {
    const now = this.#world.now();
    return [...this.state.values()].flatMap((provider) => {
      const { deadline = Infinity, name, typeUrl } = provider;
      if (deadline > now) return [];
      provider.deadline = undefined;
      return [`${typeUrl} ${name}`];
    });
  }
}

function isReady({ isStarted, resource, deadline }: Provider): boolean {
  return isStarted && (resource !== undefined || deadline === undefined);
}
