import { assert, assertEquals } from "@std/assert";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
} from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { pem } from "../support/certs.ts";
import { Envoy } from "../support/envoy.ts";
import {
  certificate,
  cluster,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";

const NODE = "envoy-1";
const MANY = 40;

for (const delta of [false, true]) {
  const protocol = delta ? "delta" : "state of the world";
  Deno.test(`a real Envoy has room under tight limits, with ADS, ${protocol}`, async () => {
    const source = "ads";
    const resources = Array.from({ length: MANY }, (_, i) => [
      listener(`listener-${i}`, {
        routeSpecifier: rds(`routes-${i}`, source),
        tls: { secret: `secret-${i}`, source },
      }),
      routes(`routes-${i}`, `cluster-${i}`),
      cluster(`cluster-${i}`, source),
      endpoints(`cluster-${i}`, 1),
      certificate(`secret-${i}`, pem("server.pem"), pem("server.key")),
    ]);
    const cache = new SnapshotCache({ ads: true });
    cache.set(NODE, createSnapshot({ resources: resources.flat() }));
    const events: ServerEvent[] = [];
    await using server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      limits: {
        streamsPerPeer: 1,
        requestsPerSecond: 1,
        requestBurst: 20,
        openTimeout: 5_000,
        admissionsPerSecond: 1,
      },
      observer: (event) => events.push(event),
    });
    await using envoy = await Envoy.start(
      bootstrap({ node: NODE, port: server.addr.port, source, delta }),
    );
    await envoy.live();
    const signal = AbortSignal.timeout(15_000);
    const settled = await cache.settled(NODE, { signal });
    assertEquals(settled.accepted, true);
    assert(settled.clients.length === 1);
    assertEquals(events.filter(({ kind }) => kind === "limit"), []);
    assertEquals(events.filter(({ kind }) => kind === "close"), []);
  });
}
