import { assertEquals } from "@std/assert";
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
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";

const NODE = "envoy-rest";

function snapshotFor(upstream: Upstream, version: string | undefined) {
  return createSnapshot({
    version,
    resources: [
      listener("web", {
        routeSpecifier: rds("routes", "rest"),
        tls: { secret: "web-cert", source: "rest" },
      }),
      routes("routes", upstream.name),
      cluster(upstream.name, "rest"),
      endpoints(upstream.name, upstream.port),
      certificate("web-cert", pem("server.pem"), pem("server.key")),
    ],
  });
}

const tls = {
  cert: pem("server.pem"),
  key: pem("server.key"),
  clientCa: pem("ca.pem"),
};
const clientTls = {
  ca: pem("ca.pem"),
  cert: pem("client.pem"),
  key: pem("client.key"),
};

for (
  const { isSecure, given } of [
    { isSecure: false, given: false },
    { isSecure: false, given: true },
    { isSecure: true, given: true },
    { isSecure: true, given: false },
  ]
) {
  const way = [
    "HTTP/1",
    isSecure && "mutual TLS",
    given && "given versions",
  ].filter(Boolean).join(", ");
  Deno.test(`a real Envoy is configured by REST over ${way}`, async () => {
    await using one = new Upstream("upstream-one");
    await using two = new Upstream("upstream-two");
    const cache = new SnapshotCache();
    cache.set(NODE, snapshotFor(one, given ? "1" : undefined));
    const events: ServerEvent[] = [];
    await using server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      tls: isSecure ? tls : undefined,
      rest: { port: 0 },
      observer: (event) => events.push(event),
    });
    await using envoy = await Envoy.start(
      bootstrap({
        node: NODE,
        port: server.restAddr!.port,
        source: "rest",
        http1: true,
        tls: isSecure ? clientTls : undefined,
      }),
    );
    await envoy.live();
    const port = await envoy.port("web");
    const ask = async () => (await get(port, { ca: clientTls.ca })).body;
    const answers = (name: string) =>
      until(`an answer of ${name}`, async () => await ask() === name);
    await answers("upstream-one");

    // A poll that waits is answered when something changes, and not when Envoy polls next.
    const sent = () => events.filter((event) => event.kind === "send");
    const waiting = await until(
      "Envoy to wait for clusters",
      () =>
        cache.status(NODE).find(({ types }) =>
          types[0].typeUrl === TypeUrl.Cluster
        ),
    );
    cache.set(NODE, snapshotFor(two, given ? "2" : undefined));
    const next = await until(
      "the clusters to be sent",
      () => sent().filter(({ typeUrl }) => typeUrl === TypeUrl.Cluster)[1],
    );
    assertEquals(next.stream.id, waiting.client.id);
    await answers("upstream-two");

    // Endpoints alone.
    const before = sent().length;
    cache.set(
      NODE,
      cache.get(NODE)!.with({
        set: [endpoints("upstream-two", one.port)],
        version: given ? "3" : undefined,
      }),
    );
    await answers("upstream-one");
    if (!given) {
      assertEquals(sent().slice(before).map(({ typeUrl }) => typeUrl), [
        TypeUrl.ClusterLoadAssignment,
      ]);
    }

    // What has not changed is not sent again, and Envoy does not lose its patience.
    const attempts = async () =>
      await envoy.stat("cluster_manager.cds.update_attempt") ?? 0;
    const successes = () => envoy.stat("cluster_manager.cds.update_success");
    const [attempted, succeeded] = [await attempts(), await successes()];
    await until(
      "two polls without news",
      async () => await attempts() > attempted + 2,
    );
    assertEquals(await successes(), succeeded);
    for (const counter of ["update_failure", "update_rejected"]) {
      for (const stats of ["cluster_manager.cds", "listener_manager.lds"]) {
        assertEquals(await envoy.stat(`${stats}.${counter}`), 0);
      }
    }
    // An Envoy drops the polls of what it no longer needs, as the endpoints of a cluster that is gone.
    const lasting: string[] = [TypeUrl.Cluster, TypeUrl.Listener];
    for (const event of events) {
      if (event.kind !== "close" || !lasting.includes(event.stream.typeUrl!)) {
        continue;
      }
      assertEquals(event.error, undefined);
    }
  });
}
