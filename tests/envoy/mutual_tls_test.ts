import { assertEquals } from "@std/assert";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
} from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { pem } from "../support/certs.ts";
import { Envoy } from "../support/envoy.ts";
import { cluster, endpoints } from "../support/resources.ts";
import { until } from "../support/until.ts";

Deno.test("a real Envoy is configured over mutual TLS, and told by its certificate; a stranger is not", async () => {
  const cache = new SnapshotCache({ ads: true });
  const resources = [cluster("users", "ads"), endpoints("users", 1)];
  for (const node of ["friend", "stranger"]) {
    cache.set(node, createSnapshot({ resources }));
  }
  const events: ServerEvent[] = [];
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    tls: {
      cert: pem("server.pem"),
      key: pem("server.key"),
      clientCa: pem("ca.pem"),
    },
    observer: (event) => events.push(event),
  });
  const start = (node: string, certificate: string) =>
    Envoy.start(bootstrap({
      node,
      port: server.addr.port,
      source: "ads",
      tls: {
        ca: pem("ca.pem"),
        cert: pem(`${certificate}.pem`),
        key: pem(`${certificate}.key`),
      },
    }));
  await using stranger = await start("stranger", "foreign-client");
  await using friend = await start("friend", "client");
  await friend.live();
  const settled = await cache.settled("friend", {
    signal: AbortSignal.timeout(15_000),
  });
  assertEquals(settled.accepted, true);

  await until(
    "the stranger's connection to fail",
    async () =>
      (await stranger.stat("cluster.control_plane.upstream_cx_total"))! > 0 &&
      await stranger.stat("control_plane.connected_state") === 0,
  );
  assertEquals(cache.status("stranger"), []);
  const opened = events.filter((event) => event.kind === "node");
  assertEquals(opened.map(({ client }) => client.node.id), ["friend"]);
  const { certificate } = opened[0].stream.peer;
  assertEquals(certificate?.commonName, "edge-1");
  assertEquals(certificate?.subjectAltNames, [
    "URI:spiffe://test/edge-1",
    "DNS:edge-1",
  ]);
});
