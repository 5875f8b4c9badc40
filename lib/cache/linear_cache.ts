import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import {
  canonicalName,
  createResource,
  requireValid,
  Resource,
  typeUrl,
} from "../resource/mod.ts";
import {
  type Cache,
  RequestError,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from "./cache.ts";
import { type Clock, systemClock } from "./clock.ts";
import {
  describeQuarantine,
  news,
  type Quarantined,
  type Validation,
} from "./validation.ts";
import { View } from "./view.ts";
import { Watches } from "./_watches.ts";

/** Options of a {@linkcode LinearCache}. */
export interface LinearCacheOptions<M extends Message = Message> {
  /** What it has to begin with. Default: nothing. */
  resources?: Iterable<M | Resource>;
  /**
   * Makes versions that are this prefix and a number that each change increases. The prefix must differ from one process
   * to the next, since a client that reconnects with the newest version is sent nothing. Default: versions are derived
   * from the content, so that they mean the same everywhere.
   */
  versionPrefix?: string;
  /** The name of a message. Default: its own, where its type is one of those in `TypeUrl`. */
  name?: (message: M) => string;
  /**
   * Whether, on an aggregated stream, changes of this type wait for those of the types that they refer to, and the other
   * way round for removals, as far as these take part, too. Default: false.
   */
  makeBeforeBreak?: boolean;
  /** What to do with resources that break a rule of Envoy's protos. Default: `"off"`. */
  validate?: Validation;
  /**
   * Told what a change put into quarantine, where `validate` is `"quarantine"`, and was not in it already. Default: it is
   * printed.
   */
  onQuarantine?: (quarantined: readonly Quarantined[]) => void;
  /**
   * How often resources that have a TTL are refreshed, in milliseconds, give or take a tenth. Default: a third of the
   * shortest TTL.
   */
  heartbeat?: number;
  /** What tells the time. Default: the system. */
  clock?: Clock;
}

/** A change that counts as one version. */
export interface LinearChange<M extends Message = Message> {
  /** Resources to add, or to put in place of those that have their names. */
  set?: Iterable<M | Resource>;
  /** Names of resources to remove. A name that is not there, or is set as well, is passed over. */
  delete?: Iterable<string>;
}

/**
 * Serves the same resources of one type to every client, each of which asks for all, for some by name, or for an
 * `xdstp://` collection. A change costs what it changes, and concerns the clients that asked for it, and nobody else.
 *
 * @example
 * ```ts
 * import { LinearCache } from "@xds/control-plane";
 * import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
 * import { create } from "@bufbuild/protobuf";
 * import { assertEquals } from "@std/assert";
 *
 * const endpoints = new LinearCache(ClusterLoadAssignmentSchema);
 * endpoints.set(create(ClusterLoadAssignmentSchema, { clusterName: "users" }));
 * endpoints.update({
 *   set: [create(ClusterLoadAssignmentSchema, { clusterName: "carts" })],
 *   delete: ["users"],
 * });
 * assertEquals([...endpoints.names()], ["carts"]);
 * ```
 */
export class LinearCache<D extends DescMessage = DescMessage> implements Cache {
  /** Type URL of its resources. */
  readonly typeUrl: string;
  readonly #schema: D | undefined;
  readonly #prefix: string | undefined;
  readonly #nameOf: ((message: MessageShape<D>) => string) | undefined;
  readonly #makeBeforeBreak: boolean;
  readonly #validate: Validation;
  readonly #onQuarantine: NonNullable<LinearCacheOptions["onQuarantine"]>;
  readonly #watches: Watches;
  #quarantined: ReadonlyMap<string, Quarantined> = new Map();
  #changes = 0;

  /**
   * Makes a cache of one type.
   *
   * @param type the schema of its messages, or a type URL for resources that are encoded already
   * @throws {TypeError} as {@linkcode LinearCache.update} does, for the resources that it begins with
   * @throws {ValidationError} in the same way
   */
  constructor(
    type: D | string,
    options: LinearCacheOptions<MessageShape<D>> = {},
  ) {
    this.typeUrl = typeof type === "string" ? type : typeUrl(type);
    this.#schema = typeof type === "string" ? undefined : type;
    this.#prefix = options.versionPrefix;
    this.#nameOf = options.name;
    this.#makeBeforeBreak = options.makeBeforeBreak ?? false;
    this.#validate = options.validate ?? "off";
    this.#onQuarantine = options.onQuarantine ?? printQuarantined;
    const { resources = [], heartbeat, clock = systemClock } = options;
    const { good, quarantined } = this.#judge(this.#byName(resources), []);
    const view = new View(good, { version: this.#nextVersion() });
    this.#watches = new Watches(view, { heartbeat, clock });
    this.#report(quarantined);
  }

  /** How many resources there are. */
  get size(): number {
    return this.#view.resources.size;
  }

  /** The version of all resources together. */
  get version(): string {
    return this.#view.version;
  }

  /** The resource of a name. */
  get(name: string): Resource | undefined {
    return this.#view.resources.get(canonicalName(name));
  }

  /** The names of all resources. */
  names(): IterableIterator<string> {
    return this.#view.resources.keys();
  }

  /**
   * Adds a resource, or puts it in place of the one that has its name.
   *
   * @throws {TypeError} as {@linkcode LinearCache.update} does
   */
  set(resource: MessageShape<D> | Resource): void {
    this.update({ set: [resource] });
  }

  /** What is left out, since it breaks a rule of Envoy's protos; where `validate` is `"quarantine"`. */
  quarantined(): readonly Quarantined[] {
    return [...this.#quarantined.values()];
  }

  /** Removes a resource. True if there was one of that name. */
  delete(name: string): boolean {
    if (!this.get(name) && !this.#quarantined.has(canonicalName(name))) {
      return false;
    }
    this.update({ delete: [name] });
    return true;
  }

  /**
   * Changes several resources at once, as one version.
   *
   * @throws {TypeError} if two resources have the same name, one is of another type than the cache, or as
   * `createResource` does; nothing is changed then
   * @throws {ValidationError} if a resource breaks a rule of Envoy's protos, where `validate` is `"error"`; nothing is
   * changed then
   */
  update(change: LinearChange<MessageShape<D>>): void {
    const set = this.#byName(change.set ?? []);
    const removed = [...change.delete ?? []].map(canonicalName)
      .filter((name) => !set.has(name));
    this.#become(set, removed);
  }

  /**
   * Puts these resources in place of all there are, as one version. What does not differ is not sent again.
   *
   * @throws {TypeError} as {@linkcode LinearCache.update} does
   */
  replace(resources: Iterable<MessageShape<D> | Resource>): void {
    const set = this.#byName(resources);
    const names = [...this.names(), ...this.#quarantined.keys()];
    this.#become(set, names.filter((name) => !set.has(name)));
  }

  /** For the server. */
  watch(request: WatchRequest, sink: WatchSink): Watch {
    if (request.typeUrl !== this.typeUrl) {
      throw new RequestError(
        "invalid_argument",
        `what is served here is ${this.typeUrl}, not ${request.typeUrl}`,
      );
    }
    const makeBeforeBreak = this.#makeBeforeBreak;
    return { ...this.#watches.add(request, sink), makeBeforeBreak };
  }

  get #view(): View {
    return this.#watches.view;
  }

  #become(set: ReadonlyMap<string, Resource>, removed: readonly string[]) {
    const { good, quarantined } = this.#judge(set, removed);
    const before = this.#view;
    const version = this.#nextVersion();
    const view = before.with(good.values(), removed, { version });
    const names = view.since(before);
    // Otherwise nothing has changed but a version that the caller asked to be counted.
    if (names.size > 0 || version !== undefined) {
      this.#watches.publish(view, names);
    }
    this.#report(quarantined);
  }

  /** What may be served of resources, and what is in quarantine once they are set and others removed. */
  #judge(set: ReadonlyMap<string, Resource>, removed: readonly string[]) {
    if (this.#validate === "error") requireValid(set.values());
    if (this.#validate !== "quarantine") {
      return { good: set, quarantined: this.#quarantined };
    }
    const good = new Map<string, Resource>();
    const quarantined = new Map(this.#quarantined);
    for (const name of removed) quarantined.delete(name);
    for (const [name, resource] of set) {
      quarantined.delete(name);
      const { violations } = resource;
      if (violations.length === 0) good.set(name, resource);
      else {
        // There is no view yet when the cache is made.
        const kept = this.#watches?.view.resources.get(name);
        quarantined.set(name, { resource, violations, kept });
      }
    }
    return { good, quarantined };
  }

  #report(quarantined: ReadonlyMap<string, Quarantined>) {
    const before = this.quarantined();
    this.#quarantined = quarantined;
    const told = news(before, this.quarantined());
    if (told.length > 0) this.#onQuarantine(told);
  }

  #nextVersion(): string | undefined {
    return this.#prefix === undefined
      ? undefined
      : `${this.#prefix}${this.#changes++}`;
  }

  #byName(
    resources: Iterable<MessageShape<D> | Resource>,
  ): Map<string, Resource> {
    const byName = new Map<string, Resource>();
    for (const item of resources) {
      const resource = this.#resource(item);
      const { name } = resource;
      if (resource.typeUrl !== this.typeUrl) {
        throw new TypeError(
          `${resource.typeUrl} ${
            JSON.stringify(name)
          } is no ${this.typeUrl}, which is what this cache is for`,
        );
      }
      if (byName.has(name)) {
        throw new TypeError(
          `two resources of type ${this.typeUrl} are named ${
            JSON.stringify(name)
          }`,
        );
      }
      byName.set(name, resource);
    }
    return byName;
  }

  #resource(item: MessageShape<D> | Resource): Resource {
    if (item instanceof Resource) return item;
    // A message of another type is named by its own, to be turned away by it.
    const isOwn = item.$typeName === this.#schema?.typeName;
    return createResource(item, {
      schema: isOwn ? this.#schema : undefined,
      name: isOwn ? this.#nameOf?.(item) : undefined,
    });
  }
}

function printQuarantined(quarantined: readonly Quarantined[]) {
  for (const one of quarantined) {
    console.error(`xds: quarantined: ${describeQuarantine(one)}`);
  }
}
