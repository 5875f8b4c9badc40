import { shortName, TypeUrl } from "../../lib/resource/mod.ts";
import type { ModelRequest, ModelResponse } from "../../lib/testing/mod.ts";

/** Types of which a response in state of the world lists everything that is requested. */
const complete: readonly string[] = [
  TypeUrl.Cluster,
  TypeUrl.Listener,
  TypeUrl.Secret,
  TypeUrl.TypedExtensionConfig,
];

/**
 * Finds responses that contain nothing but what the client was sent before. These have a reason: the client requests a name anew,
 * a resource that refers to the name was sent, the client rejected a response, or it has just connected.
 */
export class Repeats {
  readonly #protocol: "sotw" | "delta";
  /** Versions by type and name; left out where the resource may be sent again. */
  readonly #sent = new Map<string, string>();
  readonly #names = new Map<string, ReadonlySet<string>>();
  readonly #sets = new Map<string, string>();

  constructor(protocol: "sotw" | "delta") {
    this.#protocol = protocol;
  }

  /** A stream begins. */
  connect() {
    this.#sent.clear();
    this.#names.clear();
    this.#sets.clear();
  }

  /** The server receives a request. */
  request({ typeUrl, names, subscribe, error }: ModelRequest) {
    const before = this.#names.get(typeUrl) ?? new Set();
    const now = new Set(names);
    this.#names.set(typeUrl, now);
    for (const name of [...now, ...before]) {
      if (now.has(name) !== before.has(name)) this.#allow(typeUrl, name);
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
    const { typeUrl, resources, removed } = response;
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
    for (const name of removed) this.#allow(typeUrl, name);
    for (const { name, version, references } of resources) {
      const isNew = this.#sent.get(`${typeUrl} ${name}`) !== version;
      this.#sent.set(`${typeUrl} ${name}`, version);
      if (!isNew) continue;
      for (const its of references.references) {
        this.#allow(its.typeUrl, its.name);
      }
    }
    if (!isRepeated) return undefined;
    const names = repeated.map(({ name }) => name).join(" ");
    return `sent again: ${shortName(typeUrl)} [${names}]`;
  }

  #allow(typeUrl: string, name: string) {
    this.#sent.delete(`${typeUrl} ${name}`);
  }
}
