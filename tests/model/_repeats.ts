import { type Resource, shortName, TypeUrl } from "../../lib/resource/mod.ts";
import type { ModelRequest, ModelResponse } from "../../lib/testing/mod.ts";

/** Types of which a response in state of the world lists everything that is requested. */
const complete: readonly string[] = [
  TypeUrl.Cluster,
  TypeUrl.Listener,
  TypeUrl.Secret,
  TypeUrl.TypedExtensionConfig,
];

/** Types whose acknowledgement tells that a cluster has its endpoints. */
const secured: readonly string[] = [
  TypeUrl.Cluster,
  TypeUrl.ClusterLoadAssignment,
];

/**
 * Finds responses that contain nothing but what the client was sent before. These have a reason: the client requests a name anew,
 * a resource that refers to the name was sent, the client rejected a response, or it has just connected. The secrets of a cluster
 * that was sent may follow its endpoints once more: Envoy subscribes to them only then, and need not tell.
 */
export class Repeats {
  readonly #protocol: "sotw" | "delta";
  /** Versions by type and name; left out where the resource may be sent again. */
  readonly #sent = new Map<string, string>();
  readonly #names = new Map<string, ReadonlySet<string>>();
  readonly #sets = new Map<string, string>();
  /** Secrets of clusters that the client has yet to acknowledge. */
  readonly #secrets = new Set<string>();

  constructor(protocol: "sotw" | "delta") {
    this.#protocol = protocol;
  }

  /** A stream begins. */
  connect() {
    this.#sent.clear();
    this.#names.clear();
    this.#sets.clear();
    this.#secrets.clear();
  }

  /** There are other resources: one that is left out and comes back may be sent again. */
  set(newest: readonly Resource[]) {
    const there = new Set(
      newest.map(({ typeUrl, name }) => `${typeUrl} ${name}`),
    );
    for (const key of [...this.#sent.keys()]) {
      if (!there.has(key)) this.#sent.delete(key);
    }
  }

  /** The server receives a request. */
  request({ typeUrl, nonce, names, subscribe, error }: ModelRequest) {
    if (nonce && secured.includes(typeUrl)) {
      this.#allowSecrets();
      if (typeUrl === TypeUrl.Cluster) this.#secrets.clear();
    }
    const before = this.#names.get(typeUrl) ?? new Set();
    const now = new Set(names);
    this.#names.set(typeUrl, now);
    for (const name of [...now, ...before]) {
      if (now.has(name) === before.has(name)) continue;
      this.#allow(typeUrl, name);
      // A response without it may be how to say that it does not exist.
      this.#sets.delete(typeUrl);
    }
    for (const name of subscribe) this.#allow(typeUrl, name);
    if (error === undefined) return;
    this.#sets.delete(typeUrl);
    for (const key of [...this.#sent.keys()]) {
      if (key.startsWith(`${typeUrl} `)) this.#sent.delete(key);
    }
  }

  /** The server sends a response; returns what is wrong with that. */
  response(response: ModelResponse): string | undefined {
    const { typeUrl, resources, removed, missing = [] } = response;
    const isComplete = this.#protocol === "sotw" && complete.includes(typeUrl);
    const set = resources.map(({ name, version }) => `${name}@${version}`)
      .sort().join();
    const repeated = resources.filter(({ name, version }) =>
      this.#sent.get(`${typeUrl} ${name}`) === version
    );
    const isRepeated = isComplete
      ? this.#sets.get(typeUrl) === set && repeated.length === resources.length
      : repeated.length > 0;
    this.#sets.set(typeUrl, set);
    if (typeUrl === TypeUrl.ClusterLoadAssignment) this.#allowSecrets();
    for (const name of [...removed, ...missing]) this.#allow(typeUrl, name);
    if (isComplete) this.#forgetOthers(response);
    for (const { name, version, references } of resources) {
      const isNew = this.#sent.get(`${typeUrl} ${name}`) !== version;
      this.#sent.set(`${typeUrl} ${name}`, version);
      if (!isNew) continue;
      for (const its of references.references) {
        this.#allow(its.typeUrl, its.name);
        const isSecret = its.typeUrl === TypeUrl.Secret;
        if (isSecret && typeUrl === TypeUrl.Cluster) {
          this.#secrets.add(its.name);
        }
      }
    }
    if (!isRepeated) return undefined;
    const names = repeated.map(({ name }) => name).join(" ");
    return `sent again: ${shortName(typeUrl)} [${names}]`;
  }

  /** What a complete response leaves out is removed. */
  #forgetOthers({ typeUrl, resources }: ModelResponse) {
    const present = new Set(resources.map(({ name }) => `${typeUrl} ${name}`));
    for (const key of [...this.#sent.keys()]) {
      if (key.startsWith(`${typeUrl} `) && !present.has(key)) {
        this.#sent.delete(key);
      }
    }
  }

  #allowSecrets() {
    for (const name of this.#secrets) this.#allow(TypeUrl.Secret, name);
  }

  #allow(typeUrl: string, name: string) {
    this.#sent.delete(`${typeUrl} ${name}`);
  }
}
