import type { Message } from "@bufbuild/protobuf";
import {
  type Reference,
  requireValid,
  Resource,
  shortName,
  toResource,
  TypeUrl,
} from "../resource/mod.ts";
import { View } from "./view.ts";

/** What {@linkcode createSnapshot} makes a snapshot of. */
export interface SnapshotOptions {
  /** The resources, of any types: messages, or what `createResource` made. */
  resources: Iterable<Resource | Message>;
  /**
   * The version of all types, or of some by type URL. Default: derived from the content, so that an equal snapshot has
   * an equal version wherever it is made, and a client that holds it already is sent nothing.
   */
  version?: string | Readonly<Record<string, string>>;
  /**
   * Whether to throw if a resource breaks a rule of Envoy's protos, now or in a snapshot that is made of this one.
   * Default: `"off"`.
   */
  validate?: "error" | "off";
}

/** How {@linkcode Snapshot.with} makes one snapshot of another. */
export interface SnapshotChange {
  /** Resources to add, or to put in place of those that have their names. */
  set?: Iterable<Resource | Message>;
  /** Resources to leave out, by type URL and name. A name that is not there is passed over. */
  delete?: Iterable<{ readonly typeUrl: string; readonly name: string }>;
  /** The version of the types that change. Default: derived from their content. */
  version?: string;
}

/** Something in a snapshot that does not fit together. */
export interface Inconsistency {
  /** The resource it was found in. */
  readonly resource: Resource;
  /** The field that is at fault, from the resource's own fields down. */
  readonly path: string;
  /** The resource that is missing; undefined if the field could not be read. */
  readonly reference: Reference | undefined;
  /** All of it in a sentence. */
  readonly message: string;
}

/** What {@linkcode Snapshot.check} is told. */
export interface CheckOptions {
  /** Resources that clients have from elsewhere, such as clusters of their bootstrap: references to them are no fault. */
  external?: Iterable<{ readonly typeUrl: string; readonly name: string }>;
}

/**
 * The whole configuration of a group of clients: resources of any types that belong together. Immutable.
 * Made by {@linkcode createSnapshot}.
 */
export class Snapshot {
  readonly #views: ReadonlyMap<string, View>;
  readonly #version: SnapshotOptions["version"];
  readonly #validate: SnapshotOptions["validate"];
  /** Both are made when first asked for: there may be thousands of snapshots. */
  #absent: Map<string | undefined, View> | undefined;
  #required:
    | Map<string, ReadonlyMap<string, readonly Resource[]>>
    | undefined;

  /** Use {@linkcode createSnapshot}. */
  constructor(
    views: ReadonlyMap<string, View>,
    { version, validate }: Omit<SnapshotOptions, "resources"> = {},
  ) {
    this.#views = views;
    this.#version = version;
    this.#validate = validate;
    if (validate === "error") {
      requireValid([...views.values()].flatMap(({ invalid }) => invalid));
    }
  }

  /** Type URLs of which there are resources. */
  get typeUrls(): string[] {
    return [...this.#views].filter(([, view]) => view.resources.size > 0).map((
      [typeUrl],
    ) => typeUrl);
  }

  /** The resources of a type by name; empty if there are none. */
  resources(typeUrl: string): ReadonlyMap<string, Resource> {
    return this.view(typeUrl).resources;
  }

  /** The version of a type, be there resources of it or not. */
  version(typeUrl: string): string {
    return this.view(typeUrl).version;
  }

  /** The resources of a type with their version, as a {@linkcode Cache} serves them. */
  view(typeUrl: string): View {
    const known = this.#views.get(typeUrl);
    if (known) return known;
    // One for all types, since there is no end to those that clients may make up.
    const version = versionOf(this.#version, typeUrl);
    const absent = this.#absent ??= new Map();
    let view = absent.get(version);
    if (!view) absent.set(version, view = new View(new Map(), { version }));
    return view;
  }

  /**
   * A snapshot in which some resources differ. All else is shared with this one, and the cost is that of the types that
   * change.
   *
   * @throws {TypeError} as {@linkcode createSnapshot} does
   * @throws {ValidationError} if a resource breaks a rule of Envoy's protos, where `validate` was `"error"`
   */
  with(change: SnapshotChange): Snapshot {
    const set = groupByType(change.set ?? []);
    const remove = new Map<string, string[]>();
    for (const { typeUrl, name } of change.delete ?? []) {
      const names = remove.get(typeUrl);
      if (names) names.push(name);
      else remove.set(typeUrl, [name]);
    }
    const views = new Map(this.#views);
    for (const typeUrl of new Set([...set.keys(), ...remove.keys()])) {
      const resources = set.get(typeUrl)?.values() ?? [];
      views.set(
        typeUrl,
        this.view(typeUrl).with(
          resources,
          remove.get(typeUrl) ?? [],
          { version: change.version },
        ),
      );
    }
    return this.#with(views);
  }

  /** This snapshot with some resources in place of its own, by type URL and name, or without them. */
  replacing(
    changes: ReadonlyMap<string, ReadonlyMap<string, Resource | undefined>>,
  ): Snapshot {
    const views = new Map(this.#views);
    for (const [typeUrl, names] of changes) {
      views.set(typeUrl, this.view(typeUrl).replacing(names));
    }
    return this.#with(views);
  }

  #with(views: ReadonlyMap<string, View>): Snapshot {
    const [version, validate] = [this.#version, this.#validate];
    return new Snapshot(views, { version, validate });
  }

  /**
   * What does not fit together: references to resources that the snapshot does not have, and parts that cannot be read.
   * Empty if the snapshot is consistent.
   *
   * @example
   * ```ts
   * import { createSnapshot } from "@xds/control-plane";
   * import { Cluster_DiscoveryType, ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
   * import { create } from "@bufbuild/protobuf";
   * import { assertEquals } from "@std/assert";
   *
   * const users = create(ClusterSchema, {
   *   name: "users",
   *   clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
   * });
   * const [problem] = createSnapshot({ resources: [users] }).check();
   * assertEquals(problem.message, 'Cluster "users": name refers to ClusterLoadAssignment "users", which the snapshot does not have');
   * ```
   */
  check(options: CheckOptions = {}): Inconsistency[] {
    const found: Inconsistency[] = [];
    const external = new Set<string>();
    for (const { typeUrl, name } of options.external ?? []) {
      external.add(`${typeUrl} ${name}`);
    }
    for (const view of this.#views.values()) {
      for (const resource of view.resources.values()) {
        const owner = `${shortName(resource.typeUrl)} ${
          JSON.stringify(resource.name)
        }`;
        for (const reference of resource.references.references) {
          const { resources } = this.view(reference.typeUrl);
          if (
            reference.name === "*"
              ? resources.size > 0
              : resources.has(reference.name) ||
                external.has(`${reference.typeUrl} ${reference.name}`)
          ) continue;
          const wanted = reference.name === "*"
            ? "any"
            : JSON.stringify(reference.name);
          const message =
            `${owner}: ${reference.path} refers to ${
              shortName(reference.typeUrl)
            } ${wanted}, ` +
            "which the snapshot does not have";
          found.push({ resource, path: reference.path, reference, message });
        }
        for (const { path, reason } of resource.references.malformed) {
          const message = `${owner}: ${path || "it"} cannot be read: ${reason}`;
          found.push({ resource, path, reference: undefined, message });
        }
      }
    }
    return found;
  }

  /**
   * Resources that none of the others refers to, of types that clients only ask for because something does: endpoints
   * without a cluster, routes without a listener, clusters without a route. They do no harm, but are likely mistakes; a
   * cluster that requests name in a header is none.
   */
  orphans(): Resource[] {
    const referred = new Set<string>();
    let anyScope = false;
    for (const view of this.#views.values()) {
      for (const resource of view.resources.values()) {
        for (const { typeUrl, name } of resource.references.references) {
          referred.add(`${typeUrl} ${name}`);
          anyScope ||= name === "*";
        }
      }
    }
    const orphans: Resource[] = [];
    for (const typeUrl of byReference) {
      if (anyScope && typeUrl === TypeUrl.ScopedRouteConfiguration) continue;
      for (const resource of this.resources(typeUrl).values()) {
        if (!referred.has(`${typeUrl} ${resource.name}`)) {
          orphans.push(resource);
        }
      }
    }
    return orphans;
  }

  /**
   * The names of one type that others of the snapshot's resources refer to, each with those that do, where a client
   * asks for the name as soon as it has one of them. Names that the snapshot lacks are left out.
   */
  required(typeUrl: string): ReadonlyMap<string, readonly Resource[]> {
    // A client that asks for clusters by name asks for those that it has traffic for.
    if (typeUrl === TypeUrl.Cluster) return new Map();
    this.#required ??= new Map();
    let required = this.#required.get(typeUrl);
    if (!required) {
      this.#required.set(typeUrl, required = this.#findRequired(typeUrl));
    }
    return required;
  }

  #findRequired(typeUrl: string): Map<string, Resource[]> {
    const required = new Map<string, Resource[]>();
    const { resources } = this.view(typeUrl);
    for (const view of this.#views.values()) {
      for (const resource of view.resources.values()) {
        for (const reference of resource.references.references) {
          if (
            reference.typeUrl !== typeUrl || reference.onDemand ||
            !resources.has(reference.name)
          ) continue;
          const by = required.get(reference.name);
          if (by) by.push(resource);
          else required.set(reference.name, [resource]);
        }
      }
    }
    return required;
  }
}

/** Types that a client asks for because something refers to them. */
const byReference: readonly string[] = [
  TypeUrl.Cluster,
  TypeUrl.ClusterLoadAssignment,
  TypeUrl.RouteConfiguration,
  TypeUrl.ScopedRouteConfiguration,
  TypeUrl.ThriftRouteConfiguration,
  TypeUrl.Secret,
  TypeUrl.TypedExtensionConfig,
];

/**
 * Makes a snapshot of resources of any types. Where many groups have the same, make the resources once, with
 * `createResource`: snapshots of the same resources share what is found out about them, and what is sent.
 *
 * @example
 * ```ts
 * import { createSnapshot, TypeUrl } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 * import { assertEquals } from "@std/assert";
 *
 * const first = createSnapshot({ version: "1", resources: [create(ClusterSchema, { name: "users" })] });
 * const next = first.with({ set: [create(ClusterSchema, { name: "carts" })], version: "2" });
 * assertEquals([...next.resources(TypeUrl.Cluster).keys()], ["users", "carts"]);
 * assertEquals(next.version(TypeUrl.Cluster), "2");
 * ```
 *
 * @throws {TypeError} if two resources of a type have the same name, or as `createResource` does; it names the resource.
 * @throws {ValidationError} if a resource breaks a rule of Envoy's protos, where `validate` is `"error"`
 */
export function createSnapshot(options: SnapshotOptions): Snapshot {
  const resources = [...options.resources];
  const { version } = options;
  const known = newest?.deref();
  if (known && isMadeOf(known, resources, version)) {
    return new Snapshot(known, options);
  }
  const views = new Map<string, View>();
  for (const [typeUrl, ofType] of groupByType(resources)) {
    views.set(
      typeUrl,
      new View(ofType, { version: versionOf(version, typeUrl) }),
    );
  }
  if (typeof version !== "object" && resources.every(isResource)) {
    madeOf.set(views, { resources, version });
    newest = new WeakRef(views);
  }
  return new Snapshot(views, options);
}

type Views = ReadonlyMap<string, View>;

interface Making {
  readonly resources: readonly Resource[];
  readonly version: string | undefined;
}

/** The views of the newest snapshot that was made of resources; the next group may be given one of the same. */
let newest: WeakRef<Views> | undefined;
const madeOf = new WeakMap<Views, Making>();

function isMadeOf(
  views: Views,
  resources: readonly (Resource | Message)[],
  version: SnapshotOptions["version"],
): boolean {
  const making = madeOf.get(views)!;
  return making.version === version &&
    making.resources.length === resources.length &&
    making.resources.every((resource, at) => resource === resources[at]);
}

function isResource(item: Resource | Message): item is Resource {
  return item instanceof Resource;
}

function versionOf(
  version: SnapshotOptions["version"],
  typeUrl: string,
): string | undefined {
  return typeof version === "object" ? version[typeUrl] : version;
}

function groupByType(
  from: Iterable<Resource | Message>,
): Map<string, Map<string, Resource>> {
  const types = new Map<string, Map<string, Resource>>();
  for (const item of from) {
    const resource = toResource(item);
    let resources = types.get(resource.typeUrl);
    if (!resources) types.set(resource.typeUrl, resources = new Map());
    if (resources.has(resource.name)) {
      throw new TypeError(
        `two resources of type ${resource.typeUrl} are named ${
          JSON.stringify(resource.name)
        }`,
      );
    }
    resources.set(resource.name, resource);
  }
  return types;
}
