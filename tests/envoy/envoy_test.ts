import { assertEquals, assertRejects } from "@std/assert";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { pem } from "../support/certs.ts";
import { Envoy } from "../support/envoy.ts";
import { get } from "../support/http.ts";
import {
  certificate,
  cluster,
  endpoints,
  listener,
  rds,
  routes,
  type Source,
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";

const NODE = "envoy-1";

function snapshotFor(upstream: Upstream, source: Source) {
  return createSnapshot({
    resources: [
      listener("web", {
        routeSpecifier: rds("routes", source),
        tls: { secret: "web-cert", source },
      }),
      routes("routes", upstream.name),
      cluster(upstream.name, source),
      endpoints(upstream.name, upstream.port),
      certificate("web-cert", pem("server.pem"), pem("server.key")),
    ],
  });
}

interface Way {
  name: string;
  source: Source;
  delta?: boolean;
}

const ways: Way[] = [
  { name: "ADS, state of the world", source: "ads" },
  { name: "ADS, delta", source: "ads", delta: true },
  { name: "a service for each type, state of the world", source: "sotw" },
  { name: "a service for each type, delta", source: "delta" },
];

function settled(cache: SnapshotCache) {
  return cache.settled(NODE, { signal: AbortSignal.timeout(15_000) });
}

for (const { name, source, delta } of ways) {
  Deno.test(`a real Envoy is configured by ${name}`, async () => {
    await using one = new Upstream("upstream-one");
    await using two = new Upstream("upstream-two");
    const cache = new SnapshotCache({ ads: source === "ads" });
    const first = snapshotFor(one, source);
    assertEquals(first.check(), []);
    cache.set(NODE, first);
    const events: ServerEvent[] = [];
    await using server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      observer: (event) => events.push(event),
    });
    await using envoy = await Envoy.start(
      bootstrap({ node: NODE, port: server.addr.port, source, delta }),
    );
    await envoy.live();

    const port = await envoy.port("web");
    const ask = async () => (await get(port, { ca: pem("ca.pem") })).body;
    // Without ADS there is no order between types, and so a moment without an answer.
    const answers = (name: string) =>
      source === "ads" ||
      until(`an answer of ${name}`, async () => await ask() === name);
    assertEquals((await settled(cache)).accepted, true);
    await answers("upstream-one");
    assertEquals(await ask(), "upstream-one");

    cache.set(NODE, snapshotFor(two, source));
    assertEquals((await settled(cache)).accepted, true);
    await answers("upstream-two");
    assertEquals(await ask(), "upstream-two");

    // Endpoints alone: nothing else is sent.
    const sent = () =>
      events.filter((event) => event.kind === "send").map((event) =>
        event.typeUrl
      );
    const before = sent().length;
    cache.set(
      NODE,
      cache.get(NODE)!.with({ set: [endpoints("upstream-two", one.port)] }),
    );
    assertEquals((await settled(cache)).accepted, true);
    await answers("upstream-one");
    assertEquals(await ask(), "upstream-one");
    assertEquals(sent().slice(before), [TypeUrl.ClusterLoadAssignment]);

    // A cluster that changes is warmed with endpoints that did not.
    const slower = cluster("upstream-two", source, { altStatName: "another" });
    cache.set(NODE, cache.get(NODE)!.with({ set: [slower] }));
    assertEquals((await settled(cache)).accepted, true);
    const isWarm = async () =>
      await envoy.stat("cluster_manager.warming_clusters") === 0;
    await until("the changed cluster to be warm", isWarm, 5_000);
    await answers("upstream-one");
    assertEquals(await ask(), "upstream-one");

    // A secret alone: the next handshake presents the next certificate, which is of another name.
    const secretSent = sent().length;
    const rotated = certificate(
      "web-cert",
      pem("client.pem"),
      pem("client.key"),
    );
    const presents = (servername: string) =>
      get(port, { ca: pem("ca.pem"), servername });
    await assertRejects(() => presents("edge-1"));
    cache.set(NODE, cache.get(NODE)!.with({ set: [rotated] }));
    assertEquals((await settled(cache)).accepted, true);
    const next = await until("the next certificate", () => presents("edge-1"));
    assertEquals(next.body, "upstream-one");
    await assertRejects(() => presents("localhost"));
    assertEquals(sent().slice(secretSent), [TypeUrl.Secret]);
    cache.set(
      NODE,
      cache.get(NODE)!.with({
        set: [first.resources(TypeUrl.Secret).get("web-cert")!],
      }),
    );
    assertEquals((await settled(cache)).accepted, true);
    await until("the first certificate", ask);

    // What Envoy refuses is reported in its own words, and not sent again.
    const good = cache.get(NODE)!;
    const bad = cluster("bad", source);
    bad.edsClusterConfig = undefined;
    cache.set(NODE, good.with({ set: [bad] }));
    const { accepted, clients } = await settled(cache);
    assertEquals(accepted, false);
    const [refused] = clients.flatMap(({ types }) => types).filter((
      { state },
    ) => state === "refused");
    assertEquals(refused.typeUrl, TypeUrl.Cluster);
    assertEquals(refused.refusal, {
      version: cache.get(NODE)!.version(TypeUrl.Cluster),
      names: ["bad"],
      message:
        "Error adding/updating cluster(s) bad: cannot create an EDS cluster without an EDS config",
    });
    const nacks = () => events.filter((event) => event.kind === "nack");
    assertEquals(nacks().length, 1);
    const rejected = () => envoy.stat("cluster_manager.cds.update_rejected");
    assertEquals(await rejected(), 1);
    const refusedAt = sent().length;
    cache.set(
      NODE,
      cache.get(NODE)!.with({ set: [endpoints("upstream-two", two.port)] }),
    );
    await settled(cache);
    await answers("upstream-two");
    assertEquals(await ask(), "upstream-two");
    assertEquals(sent().slice(refusedAt), [TypeUrl.ClusterLoadAssignment]);
    assertEquals(nacks().length, 1);
    assertEquals(await rejected(), 1);

    cache.set(NODE, good);
    assertEquals((await settled(cache)).accepted, true);
    assertEquals(await rejected(), 1);
  });
}
