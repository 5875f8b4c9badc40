import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import {
  canonicalName,
  requireValid,
  type Resource,
  typeUrl,
} from "../resource/mod.ts";
import {
  type Cache,
  type Client,
  RequestError,
  type Sequencing,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from "./cache.ts";
import { systemClock } from "./clock.ts";
import type { CacheObserver } from "./events.ts";
import {
  explainAbsence,
  explainQuarantine,
  type Explanation,
} from "./explain.ts";
import { byName } from "./_by_name.ts";
import type { LinearCacheOptions, LinearChange } from "./linear_options.ts";
import { combined } from "./_observers.ts";
import { type CacheStats, type Countable, TypeCounts } from "./stats.ts";
import {
  news,
  printQuarantined,
  type Quarantined,
  type Validation,
} from "./validation.ts";
import { historyOf, sequencingOf } from "./_sequencing.ts";
import type { SpreadTold } from "./_spread.ts";
import { View } from "./view.ts";
import { Watches } from "./_watches.ts";

/** A change that may be made. */
interface Prepared {
  publish(): void;
  /** Tells what it put into quarantine. */
  report(): void;
}

let prepare: <D extends DescMessage>(
  cache: LinearCache<D>,
  change: LinearChange<MessageShape<D>>,
) => Prepared;

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
export class LinearCache<D extends DescMessage = DescMessage>
  implements Cache, Countable {
  static {
    prepare = (cache, change) => cache.#prepare(change);
  }
  /** Type URL of its resources. */
  readonly typeUrl: string;
  readonly #schema: D | undefined;
  readonly #prefix: string | undefined;
  readonly #nameOf: ((message: MessageShape<D>) => string) | undefined;
  readonly #sequencing: Sequencing;
  readonly #validate: Validation;
  readonly #onQuarantine: NonNullable<LinearCacheOptions["onQuarantine"]>;
  readonly #observer: CacheObserver<undefined> | undefined;
  readonly #watches: Watches;
  #quarantined: ReadonlyMap<string, Quarantined> = new Map();
  #changes = 0;

  /**
   * Makes a cache of one type.
   *
   * @param type the schema of its messages, or a type URL for resources that are encoded already
   * @throws {RangeError} if `holdTimeout` or `drain` is no time, or `history` no number of versions
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
    this.#validate = options.validate ?? "off";
    const observer = this.#observer = combined(options.observer);
    this.#onQuarantine = options.onQuarantine ??
      (observer ? () => {} : printQuarantined);
    const { resources = [], heartbeat, clock = systemClock } = options;
    const { makeBeforeBreak = false, holdTimeout, drain } = options;
    this.#sequencing = sequencingOf({
      makeBeforeBreak,
      holdTimeout,
      drain,
      clock,
    });
    const given = this.#named(resources);
    if (this.#validate === "error") requireValid(given.values());
    const { good, quarantined } = this.#judge(given, []);
    const view = new View(good, { version: this.#nextVersion() });
    const about = { cache: this, key: undefined };
    const told: SpreadTold | undefined = observer && {
      share: (told) => observer({ kind: "spread", ...about, ...told }),
      overtaken: (told) => observer({ kind: "overtake", ...about, ...told }),
    };
    this.#watches = new Watches(view, {
      heartbeat,
      clock,
      told,
      isReady: options.resources !== undefined,
      history: historyOf(options.history),
    });
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
    const prepared = this.#prepare(change);
    prepared.publish();
    prepared.report();
  }

  /**
   * Puts these resources in place of all there are, as one version. What does not differ is not sent again.
   *
   * @throws {TypeError} as {@linkcode LinearCache.update} does
   */
  replace(resources: Iterable<MessageShape<D> | Resource>): void {
    const names = [...this.names(), ...this.#quarantined.keys()];
    this.update({ set: resources, delete: names });
  }

  /** How much there is, and how many ask for it; at no cost. */
  stats(): CacheStats {
    const counts = new TypeCounts();
    counts.add(this.typeUrl, "resources", this.size);
    counts.add(this.typeUrl, "watches", this.#watches.size);
    counts.add(this.typeUrl, "quarantined", this.#quarantined.size);
    return { unsettled: this.#watches.unsettled, types: counts.types };
  }

  /**
   * Why each client has a resource, or has it not.
   *
   * @example
   * ```ts
   * import { LinearCache } from "@xds/control-plane";
   * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
   * import { assertEquals } from "@std/assert";
   *
   * const clusters = new LinearCache(ClusterSchema);
   * const [{ message }] = clusters.explain("users");
   * assertEquals(message, 'Cluster "users": no client is connected');
   * ```
   */
  explain(name: string): Explanation[];
  /** Why a client, as events tell of it (`event.client`), has a resource, or has it not. */
  explain(name: string, client: Client): Explanation;
  explain(name: string, client?: Client): Explanation | Explanation[] {
    const said = canonicalName(name);
    const found = [...this.#watches.explain(this.typeUrl, said, client)];
    if (found.length === 0) {
      const { version } = this.get(said) ?? {};
      const about = { version, client, ofKey: false };
      found.push(explainAbsence(this.typeUrl, said, "no client", about));
    }
    const quarantined = this.#quarantined.get(said);
    const all = quarantined
      ? found.map((known) => explainQuarantine(known, quarantined))
      : found;
    return client ? all[0] : all;
  }

  /** For the server. */
  watch(request: WatchRequest, sink: WatchSink): Watch {
    if (request.typeUrl !== this.typeUrl) {
      throw new RequestError(
        "invalid_argument",
        `what is served here is ${this.typeUrl}, not ${request.typeUrl}`,
      );
    }
    const history = this.#watches.history;
    const sequencing = this.#sequencing;
    return { ...this.#watches.add(request, sink), sequencing, history };
  }

  get #view(): View {
    return this.#watches.view;
  }

  /** Takes a change that may be made; what is wrong with it is thrown here. */
  #prepare(change: LinearChange<MessageShape<D>>): Prepared {
    const set = this.#named(change.set ?? []);
    if (this.#validate === "error") requireValid(set.values());
    const removed = [...change.delete ?? []].map(canonicalName)
      .filter((name) => !set.has(name));
    let report = () => {};
    return {
      publish: () => {
        const { good, quarantined } = this.#judge(set, removed);
        report = () => this.#report(quarantined);
        const before = this.#view;
        const version = this.#nextVersion();
        const view = before.with(good.values(), removed, { version });
        const names = view.since(before);
        // Otherwise nothing has changed but a version that the caller asked to be counted.
        if (names.size > 0 || version !== undefined) {
          this.#watches.publish(view, names);
        }
        this.#watches.ready();
      },
      report: () => report(),
    };
  }

  /** What may be served of resources, and what is in quarantine once they are set and others removed. */
  #judge(set: ReadonlyMap<string, Resource>, removed: readonly string[]) {
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
    if (quarantined === this.#quarantined) return;
    const before = this.quarantined();
    this.#quarantined = quarantined;
    const told = news(before, this.quarantined());
    if (told.length === 0) return;
    const event = { kind: "quarantine", quarantined: told } as const;
    this.#observer?.({ cache: this, key: undefined, ...event });
    this.#onQuarantine(told);
  }

  #named(resources: Iterable<MessageShape<D> | Resource>) {
    const schema = this.#schema;
    return byName(resources, this.typeUrl, schema, this.#nameOf);
  }

  #nextVersion(): string | undefined {
    return this.#prefix === undefined
      ? undefined
      : `${this.#prefix}${this.#changes++}`;
  }
}

/**
 * Changes several caches at once: all of it or, if something in it is wrong, none. On an aggregated stream that a
 * `MuxCache` serves from caches with `makeBeforeBreak`, each client goes through it as one change: what is new comes
 * first, then what refers to it, and last the removal of what nothing refers to any longer.
 *
 * @example
 * ```ts
 * import { LinearCache, updateAll } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
 * import { create } from "@bufbuild/protobuf";
 *
 * const clusters = new LinearCache(ClusterSchema, { makeBeforeBreak: true });
 * const endpoints = new LinearCache(ClusterLoadAssignmentSchema, { makeBeforeBreak: true });
 * updateAll(
 *   [clusters, { set: [create(ClusterSchema, { name: "carts" })], delete: ["users"] }],
 *   [endpoints, { set: [create(ClusterLoadAssignmentSchema, { clusterName: "carts" })], delete: ["users"] }],
 * );
 * ```
 *
 * @param changes each a cache and what is to change in it
 * @throws {TypeError} as {@linkcode LinearCache.update} does, or if a cache is given twice; nothing is changed then
 * @throws {ValidationError} as {@linkcode LinearCache.update} does; nothing is changed then
 */
export function updateAll<D extends readonly DescMessage[]>(
  ...changes: {
    readonly [I in keyof D]: readonly [
      LinearCache<D[I]>,
      LinearChange<MessageShape<D[I]>>,
    ];
  }
): void {
  const caches = new Set<LinearCache>();
  const prepared = changes.map(([cache, change]) => {
    if (caches.has(cache)) {
      throw new TypeError(
        `the cache of ${cache.typeUrl} is given twice: put its changes into one`,
      );
    }
    caches.add(cache);
    return prepare(cache, change);
  });
  for (const { publish } of prepared) publish();
  for (const { report } of prepared) report();
}
