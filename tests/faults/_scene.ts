import {
  createResource,
  createSnapshot,
  type Observer,
  type Protocol,
  SnapshotCache,
  type SnapshotCacheOptions,
  TypeUrl,
} from "../../mod.ts";
import {
  type DiscoveryMethods,
  discoveryMethods,
} from "../../lib/server/_streams.ts";
import {
  cluster,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";
import { RudeClient, subscriptions } from "./_rude_client.ts";

export const node = { id: "node" };

/** Resources of four types that refer to each other, of which two differ from revision to revision. */
function resources(revision: number, ttl?: number) {
  return [
    cluster("a", "ads", { altStatName: `revision-${revision}` }),
    createResource(endpoints("a", 1 + revision % 65_535), { ttl }),
    listener("l", { routeSpecifier: rds("r", "ads") }),
    routes("r", "a"),
  ];
}

/** More versions than a server keeps the newest response of in mind. */
const RECALLED = 260;

/** Makes what does something wrong at each call, once or `times`. */
export type MakeFault = (
  scene: Scene,
  protocol: Protocol,
) => (() => void) & { times?: number };

/** What {@linkcode Scene} may be told. */
export interface SceneOptions {
  observer?: Observer | readonly Observer[];
  cache?: SnapshotCacheOptions;
  /** The TTL of the endpoints, in milliseconds. Default: none. */
  ttl?: number;
  /** Whether there are honest clients. Default: true. */
  honest?: boolean;
}

/** A server without sockets, and an honest client in either protocol. */
export class Scene {
  readonly cache: SnapshotCache;
  readonly methods: DiscoveryMethods;
  readonly #ttl: number | undefined;
  readonly #honest: HonestClient[];
  #revision = 0;

  constructor(options: SceneOptions = {}) {
    const { observer, cache, honest = true, ttl } = options;
    this.#ttl = ttl;
    this.cache = new SnapshotCache({ ads: true, ...cache });
    this.methods = discoveryMethods({ cache: this.cache, observer });
    this.set();
    this.#honest = (["sotw", "delta"] as const).map((protocol) =>
      new HonestClient(this.methods, protocol)
    );
    for (let i = 0; i < RECALLED; i++) this.change();
    if (honest) return;
    for (const client of this.#honest.splice(0)) client[Symbol.dispose]();
  }

  /** Opens a stream for a client that is not honest. */
  open(protocol: Protocol): RudeClient {
    return new RudeClient(this.methods, protocol);
  }

  /** Sets another revision. */
  set(): void {
    // Anew, so that nothing is noted of what has changed, which takes memory up to a point.
    const all = resources(++this.#revision, this.#ttl);
    this.cache.set(node.id, createSnapshot({ resources: all }));
  }

  /** Sets another revision, and sees to it that the honest clients have it. */
  change(): void {
    this.set();
    this.arrive();
  }

  /** Sees to it that the honest clients have the newest revision. */
  arrive(): void {
    const version = this.cache.get(node.id)!.version(TypeUrl.Cluster);
    for (const client of this.#honest) client.arrive(version);
  }
}

/** Asks for all types. */
export function subscribe(client: RudeClient, who = node) {
  for (const subscription of subscriptions) {
    client.say({ node: who, ...subscription });
  }
}

/** A client that answers whatever it is sent. */
class HonestClient implements Disposable {
  readonly #client: RudeClient;

  constructor(methods: DiscoveryMethods, protocol: Protocol) {
    this.#client = new RudeClient(methods, protocol);
    subscribe(this.#client);
  }

  /** Answers all that there is to answer. Throws unless the clusters' version is that. */
  arrive(version: string) {
    const arrived = this.#client.answer()
      .findLast(({ typeUrl }) => typeUrl === TypeUrl.Cluster)?.version;
    if (arrived === version) return;
    throw new Error(
      `an honest client has clusters ${arrived}, not ${version}`,
      { cause: this.#client.ended },
    );
  }
  [Symbol.dispose]() {
    this.#client[Symbol.dispose]();
  }
}
