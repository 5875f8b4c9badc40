import { create, type Message } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { RuntimeSchema } from "@xds/envoy/envoy/service/runtime/v3";
import {
  createResource,
  createSnapshot,
  serve,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { Envoy } from "../support/envoy.ts";
import {
  cluster,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";
import { until } from "../support/until.ts";

const NODE = "envoy-ttl";
/** Milliseconds. */
const TTL = 1_000;
/** What Envoy is sent within two TTLs. */
const HEARTBEATS = 10;

interface Expiring {
  what: string;
  typeUrl: string;
  expiring: Message;
  /** What is there beside it. */
  lasting: Message[];
  /** Whether Envoy has dropped it. */
  dropped(envoy: Envoy): Promise<boolean>;
  /** Whether Envoy has dropped anything that lasts. */
  damaged?(envoy: Envoy): Promise<boolean>;
}

async function lists(envoy: Envoy, page: string, name: string) {
  return (await envoy.admin(`/${page}?format=json`)).includes(`"${name}"`);
}

const kinds: Expiring[] = [
  {
    what: "a cluster",
    typeUrl: TypeUrl.Cluster,
    expiring: cluster("expiring", "ads"),
    lasting: [
      cluster("lasting", "ads"),
      endpoints("lasting", 1),
      endpoints("expiring", 1),
    ],
    dropped: async (envoy) => !await lists(envoy, "clusters", "expiring"),
    damaged: async (envoy) => !await lists(envoy, "clusters", "lasting"),
  },
  {
    what: "a listener",
    typeUrl: TypeUrl.Listener,
    expiring: listener("expiring", { routeSpecifier: rds("r", "ads") }),
    lasting: [
      listener("lasting", { routeSpecifier: rds("r", "ads") }),
      routes("r", "c"),
    ],
    dropped: async (envoy) => !await lists(envoy, "listeners", "expiring"),
    damaged: async (envoy) => !await lists(envoy, "listeners", "lasting"),
  },
  {
    what: "a layer of the runtime",
    typeUrl: TypeUrl.Runtime,
    expiring: create(RuntimeSchema, {
      name: "layer",
      layer: { "tests.value": 1 },
    }),
    lasting: [],
    dropped: async (envoy) =>
      !(await envoy.admin("/runtime")).includes("tests.value"),
  },
  {
    what: "endpoints",
    typeUrl: TypeUrl.ClusterLoadAssignment,
    expiring: endpoints("expiring", 1),
    lasting: [
      cluster("expiring", "ads"),
      cluster("lasting", "ads"),
      endpoints("lasting", 1),
    ],
    // Envoy keeps the endpoints that it has, and counts.
    dropped: async (envoy) =>
      (await envoy.stat("cluster.expiring.update_empty") ?? 0) > 0,
  },
];

for (const delta of [false, true]) {
  const protocol = delta ? "delta" : "state of the world";
  for (const kind of kinds) {
    const { what, typeUrl, lasting, expiring, dropped, damaged } = kind;
    Deno.test(`a real Envoy keeps ${what} with a TTL as long as it is refreshed, ${protocol}`, async () => {
      const cache = new SnapshotCache({ ads: true, heartbeat: TTL / 5 });
      const resource = createResource(expiring, { ttl: TTL });
      cache.set(NODE, createSnapshot({ resources: [...lasting, resource] }));
      let sent = 0;
      const refusals: string[] = [];
      await using server = await serve({
        cache,
        hostname: "127.0.0.1",
        port: 0,
        observer: (event) => {
          if (event.kind === "nack") refusals.push(event.refusal.message);
          if (event.kind === "send" && event.typeUrl === typeUrl) sent++;
        },
      });
      await using envoy = await Envoy.start(
        bootstrap({
          node: NODE,
          port: server.addr.port,
          source: "ads",
          delta,
          runtimeLayer: typeUrl === TypeUrl.Runtime ? "layer" : undefined,
        }),
      );
      await envoy.live();
      await until(what, async () => !await dropped(envoy));

      const before = sent;
      let wasDropped = false;
      await until("heartbeats", async () => {
        wasDropped ||= await dropped(envoy) || await damaged?.(envoy) === true;
        return sent >= before + HEARTBEATS;
      });
      assertEquals(wasDropped, false);
      assertEquals(refusals, []);

      // Envoy 1.40 ends with a segmentation fault when endpoints expire in state of the world.
      if (typeUrl === TypeUrl.ClusterLoadAssignment && !delta) return;
      // Either ends what is to be ended: the one who refreshes it, or that it is.
      if (typeUrl === TypeUrl.Listener) await server.shutdown();
      else cache.delete(NODE);
      await until(`the end of ${what}`, () => dropped(envoy), 5 * TTL);
      assertEquals(await damaged?.(envoy) ?? false, false);
    });
  }
}
