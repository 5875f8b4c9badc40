import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import type {
  Cache,
  Client,
  Sequencing,
  Subscription,
  View,
  Watch,
} from "../../lib/cache/mod.ts";

/** A client with a node of that id. */
export function client(id = "node"): Client {
  return { id: 1, node: create(NodeSchema, { id }) };
}

/** One watch, and all that it was told. `"*"` among the names is the wildcard. */
export class Probe implements Disposable {
  /** The names of each `changed` call, `undefined` where the cache did not say. */
  readonly changes: (readonly string[] | undefined)[] = [];
  heartbeats = 0;
  /** How often it was told that nothing serves it. */
  unserved = 0;
  view: View | undefined;
  readonly #subscription: { wildcard: boolean; names: ReadonlySet<string> };
  readonly #watch: Watch;
  #wake = () => {};

  constructor(
    cache: Cache,
    typeUrl: string,
    names: readonly string[],
    who = client(),
  ) {
    this.#subscription = subscription(names);
    const request = {
      client: who,
      typeUrl,
      subscription: this.#subscription,
    };
    this.#watch = cache.watch(request, {
      changed: (view, names) => {
        this.view = view;
        this.changes.push(names && [...names]);
        this.#wake();
      },
      heartbeat: () => this.heartbeats++,
      unserved: () => this.unserved++,
    });
  }

  /** Whether it was told whether there is a resource of each of these names. */
  knows(...names: string[]): boolean {
    const { view } = this;
    return view !== undefined && names.every((name) => !view.isPending(name));
  }

  /** Resolves once it knows of each of these names. */
  async told(...names: string[]): Promise<void> {
    while (!this.knows(...names)) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Names of the resources that it was told of and asks for. */
  get names(): string[] {
    const { wildcard, names } = this.#subscription;
    return [...this.view?.resources.keys() ?? []]
      .filter((name) => wildcard || names.has(name));
  }

  /** How its changes are ordered with those of other types. */
  get sequencing(): Sequencing | undefined {
    return this.#watch.sequencing;
  }

  /** Asks for other names. */
  ask(...names: string[]) {
    Object.assign(this.#subscription, subscription(names));
    this.#watch.subscribed?.();
  }

  [Symbol.dispose]() {
    this.#watch[Symbol.dispose]();
  }
}

function subscription(
  names: readonly string[],
): Subscription & { wildcard: boolean } {
  const set = new Set(names);
  return { wildcard: set.delete("*"), names: set };
}
