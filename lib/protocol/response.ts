import type { View } from "../cache/mod.ts";
import { type Resource, traitsOf } from "../resource/mod.ts";
import {
  type Content,
  encodeDeltaResponse,
  encodeSotwResponse,
} from "./_encode.ts";

/** The two variants of xDS: state of the world, and delta (also called incremental). */
export type Protocol = "sotw" | "delta";

/** Bytes that a response leaves free before its message: a gRPC message's flag and length. */
export const PREFIX_BYTES = 5;

/** A response as it goes to any number of streams. Immutable, and encoded when the first of them sends it. */
export class Response {
  /** The type. */
  readonly typeUrl: string;
  /** `version_info`, or `system_version_info` in delta. */
  readonly version: string;
  /** Its own serial number; a stream is never sent one that is not above all that it was sent of the type before. */
  readonly serial: number;
  /** The resources in it. */
  readonly resources: readonly Resource[];
  /** Delta: names of resources that are gone or never were. */
  readonly removed: readonly string[];
  /** Names that were asked for and do not exist, where `removed` is not how to say so. */
  readonly missing: readonly string[];
  /** Whether it renews TTLs, and holds nothing that is new. */
  readonly isHeartbeat: boolean;
  readonly #protocol: Protocol;
  #names: readonly string[] | undefined;
  #spokenOf: ReadonlySet<string> | undefined;
  #frame: Uint8Array | undefined;

  /** Made by {@linkcode Responses}. */
  constructor(
    protocol: Protocol,
    content: Omit<Content, "nonce">,
    serial: number,
  ) {
    this.typeUrl = content.typeUrl;
    this.version = content.version;
    this.serial = serial;
    this.resources = content.resources;
    this.removed = content.removed;
    this.missing = content.missing;
    this.isHeartbeat = content.isHeartbeat;
    this.#protocol = protocol;
  }

  /** The nonce that the client answers with. */
  get nonce(): string {
    return String(this.serial);
  }

  /** Names of the resources in it. */
  get names(): readonly string[] {
    return this.#names ??= this.resources.map(({ name }) => name);
  }

  /** Whether it says just that. */
  says(content: Omit<Content, "nonce">): boolean {
    return this.typeUrl === content.typeUrl &&
      this.version === content.version &&
      this.isHeartbeat === content.isHeartbeat &&
      areSame(this.resources, content.resources) &&
      areSame(this.removed, content.removed) &&
      areSame(this.missing, content.missing);
  }

  /** Whether a name is in it, be it as a resource or as one that does not exist. */
  speaksOf(name: string): boolean {
    this.#spokenOf ??= new Set([
      ...this.names,
      ...this.removed,
      ...this.missing,
    ]);
    return this.#spokenOf.has(name);
  }

  /** The response as one gRPC message, uncompressed, prefix included. The same bytes each time; not to be written to. */
  get frame(): Uint8Array {
    if (!this.#frame) {
      const encode = this.#protocol === "sotw"
        ? encodeSotwResponse
        : encodeDeltaResponse;
      const frame = encode(this, PREFIX_BYTES);
      new DataView(frame.buffer).setUint32(1, frame.length - PREFIX_BYTES);
      this.#frame = frame;
    }
    return this.#frame;
  }
}

/** What a stream lacks of a view. */
export interface Lack {
  /** Resources to send. */
  readonly resources: readonly Resource[];
  /** Names to send as removed. */
  readonly removed: readonly string[];
}

/** A response with some of a view. */
export interface Part {
  readonly typeUrl: string;
  readonly view: View;
  readonly version: string;
  readonly lack: Lack;
  /** Names that were asked for and do not exist, where `removed` is not how to say so. */
  readonly missing?: readonly string[];
}

const nothing: readonly string[] = [];
/** How many types and versions to keep the newest response of in mind. */
const MOST_NEWEST = 256;

function areSame<T>(one: readonly T[], other: readonly T[]): boolean {
  return one === other ||
    (one.length === other.length &&
      one.every((item, at) => item === other[at]));
}

/**
 * Makes the responses of one server and keeps those that another stream may need, so that a response that goes to many
 * streams is encoded once. One for each server.
 */
export class Responses {
  readonly #protocol: Protocol;
  readonly #views = new WeakMap<View, Shared>();
  readonly #references = new WeakMap<readonly Resource[], References>();
  readonly #followed = new WeakMap<readonly Resource[], References>();
  readonly #followedByWildcard = new WeakMap<readonly Resource[], References>();
  readonly #names = new WeakMap<readonly Resource[], ReadonlySet<string>>();
  readonly #nextSerial: () => number;
  /** By type and version, in the order in which they were made. */
  readonly #newest = new Map<string, WeakRef<Response>>();

  /** @param nextSerial gives each response its number; each must be above the last */
  constructor(protocol: Protocol, nextSerial: () => number) {
    this.#protocol = protocol;
    this.#nextSerial = nextSerial;
  }

  /** A response with all resources of a view. Its serial number is above `above`. */
  whole(typeUrl: string, view: View, above: number): Response {
    const part = { typeUrl, view, version: view.version, lack: this.all(view) };
    return this.part(part, above);
  }

  /** What a stream that holds nothing lacks of a view; the same object each time. */
  all(view: View): Lack {
    const shared = this.#shared(view);
    return shared.all ??= {
      resources: [...view.resources.values()],
      removed: nothing,
    };
  }

  /** What a stream that holds all of an older view lacks of this one; the same object each time. */
  lack(view: View, base: View): Lack {
    const lacks = this.#shared(view).lacks ??= new WeakMap();
    let lack = lacks.get(base);
    if (!lack) {
      const resources: Resource[] = [];
      const removed: string[] = [];
      for (const name of view.since(base)) {
        const resource = view.resources.get(name);
        if (resource) resources.push(resource);
        else if (base.resources.has(name)) removed.push(name);
      }
      lacks.set(base, lack = { resources, removed });
    }
    return lack;
  }

  /**
   * A view with all of this one and what an older one has beside it, and what a stream that holds all of the older one
   * lacks of it; the same objects each time.
   */
  keeping(view: View, base: View): { view: View; lack: Lack } {
    const kept = this.#shared(view).kept ??= new WeakMap();
    let keeping = kept.get(base);
    if (!keeping) {
      const { resources, removed } = this.lack(view, base);
      kept.set(
        base,
        keeping = {
          view: view.keeping(base, removed),
          lack: { resources, removed: nothing },
        },
      );
    }
    return keeping;
  }

  /** A set with some resources replaced or left out; the same object for streams that need the same. */
  substituted(
    view: View,
    changes: ReadonlyMap<string, Resource | undefined>,
  ): View {
    const variants = this.#shared(view).variants ??= [];
    const known = variants.find((variant) =>
      variant.changes.size === changes.size &&
      [...changes].every(([name, resource]) =>
        variant.changes.has(name) && variant.changes.get(name) === resource
      )
    );
    if (known) return known.view;
    const made = { changes, view: view.replacing(changes) };
    variants.push(made);
    if (variants.length > MOST_VARIANTS) variants.shift();
    return made.view;
  }

  /** What resources refer to, by type; found once for a list of them. */
  references(resources: readonly Resource[]): References {
    let found = this.#references.get(resources);
    if (!found) {
      const byType = new Map<string, Set<string>>();
      for (const resource of resources) {
        for (const { typeUrl, name } of resource.references.references) {
          const names = byType.get(typeUrl);
          if (names) names.add(name);
          else byType.set(typeUrl, new Set([name]));
        }
      }
      this.#references.set(resources, found = byType);
    }
    return found;
  }

  /**
   * What a client requests at once when it receives resources, by type; found once for a list of them. An Envoy, which
   * requests listeners by wildcard, does nothing with `api_listener`.
   */
  followed(resources: readonly Resource[], isWildcard: boolean): References {
    const cache = isWildcard ? this.#followedByWildcard : this.#followed;
    let found = cache.get(resources);
    if (!found) {
      const byType = new Map<string, Set<string>>();
      for (const resource of resources) {
        for (const reference of resource.references.references) {
          const { typeUrl, name, onDemand, path } = reference;
          if (onDemand || !traitsOf(typeUrl).followsReferences) continue;
          if (isWildcard && path.startsWith("api_listener.")) continue;
          const names = byType.get(typeUrl);
          if (names) names.add(name);
          else byType.set(typeUrl, new Set([name]));
        }
      }
      cache.set(resources, found = byType);
    }
    return found;
  }

  /** The names of resources; found once for a list of them. */
  namesOf(resources: readonly Resource[]): ReadonlySet<string> {
    let names = this.#names.get(resources);
    if (!names) {
      names = new Set(resources.map(({ name }) => name));
      this.#names.set(resources, names);
    }
    return names;
  }

  /** A response with some of a view. Its serial number is above `above`. */
  part(part: Part, above: number): Response {
    const { typeUrl, view, version, lack, missing = nothing } = part;
    const shared = this.#shared(view);
    const isAll = lack === shared.all;
    const known = isAll ? shared.whole : shared.byLack?.get(lack);
    if (
      known && known.typeUrl === typeUrl && known.serial > above &&
      known.version === version &&
      known.missing.length + missing.length === 0
    ) return known;
    const content = { typeUrl, version, missing, ...lack, isHeartbeat: false };
    const response = this.#find(view, content, above);
    // Only a lack found by comparing views is met again as the same object.
    if (isAll) shared.whole = response;
    else (shared.byLack ??= new WeakMap()).set(lack, response);
    return response;
  }

  /** A response that renews the TTL of some resources of a view. Its serial number is above `above`. */
  heartbeat(
    part: Omit<Part, "lack" | "missing"> & {
      readonly resources: readonly Resource[];
    },
    above: number,
  ): Response {
    const { typeUrl, view, version, resources } = part;
    return this.#find(view, {
      typeUrl,
      version,
      resources,
      removed: nothing,
      missing: nothing,
      isHeartbeat: true,
    }, above);
  }

  /** A response that another stream made of the same content, or a new one. */
  #find(
    view: View,
    content: Omit<Content, "nonce">,
    above: number,
  ): Response {
    const kind = `${content.typeUrl} ${content.version}`;
    // Groups of equal content have a view each.
    const newest = this.#newest.get(kind)?.deref();
    if (newest && newest.serial > above && newest.says(content)) return newest;
    const shared = this.#shared(view);
    const parts = shared.parts ??= new Parts();
    const { version, resources, removed, missing, isHeartbeat } = content;
    // All resources need not be named, and are too many to. What a client has from an older view may differ by client.
    const names = resources === shared.all?.resources ||
      resources.map((resource) => {
        const { name } = resource;
        const isViews = view.resources.get(name) === resource;
        return isViews ? name : [name, resource.version];
      });
    const key = JSON.stringify([version, names, removed, missing, isHeartbeat]);
    let response = parts.get(key);
    // A view that has nothing may be that of several types.
    if (response?.typeUrl !== content.typeUrl || response.serial <= above) {
      response = new Response(this.#protocol, content, this.#nextSerial());
      parts.set(key, response);
      this.#note(kind, response);
    }
    return response;
  }

  #note(kind: string, response: Response) {
    this.#newest.delete(kind);
    this.#newest.set(kind, new WeakRef(response));
    if (this.#newest.size <= MOST_NEWEST) return;
    const [oldest] = this.#newest.keys();
    this.#newest.delete(oldest);
  }

  #shared(view: View): Shared {
    let shared = this.#views.get(view);
    if (!shared) this.#views.set(view, shared = {});
    return shared;
  }
}

/** Names that something refers to, by type. */
export type References = ReadonlyMap<string, ReadonlySet<string>>;

/** What streams share of a view, for as long as the view is in use; each made when there is something to share. */
interface Shared {
  all?: Lack;
  /** The response with all. */
  whole?: Response;
  lacks?: WeakMap<View, Lack>;
  kept?: WeakMap<View, { view: View; lack: Lack }>;
  variants?: {
    changes: ReadonlyMap<string, Resource | undefined>;
    view: View;
  }[];
  byLack?: WeakMap<Lack, Response>;
  parts?: Parts;
}

/** How many sets to keep in mind that differ from one in what some clients cannot have yet. */
const MOST_VARIANTS = 16;
/** How many selections of one view to keep in mind, and of how many characters, at most, to tell them apart. */
const MOST_PARTS = 1_024;
const MOST_KEYED = 1024 ** 2;

/**
 * Responses with some of a view, by what tells them from others; those that were made last. Weak, since a selection that
 * only one stream makes is not worth keeping once it was written.
 */
class Parts {
  readonly #responses = new Map<string, WeakRef<Response>>();
  #keyed = 0;

  get(key: string): Response | undefined {
    return this.#responses.get(key)?.deref();
  }

  set(key: string, response: Response) {
    this.#delete(key);
    this.#responses.set(key, new WeakRef(response));
    this.#keyed += key.length;
    for (const oldest of this.#responses.keys()) {
      const fits = this.#responses.size <= MOST_PARTS &&
        this.#keyed <= MOST_KEYED;
      if (fits || oldest === key) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string) {
    if (this.#responses.delete(key)) this.#keyed -= key.length;
  }
}
