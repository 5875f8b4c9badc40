/** Proxyless gRPC clients outlive their control plane, and find the next one. */
import { assertEquals } from "@std/assert";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
} from "../../../mod.ts";
import { until } from "../../support/until.ts";
import { Backend } from "../_backend.ts";
import { GrpcClient, implementations } from "../_client.ts";
import { sent } from "../_events.ts";
import { echo, localEndpoints } from "../_resources.ts";

const NODE = "client-1";

for (const implementation of implementations) {
  Deno.test(`gRPC in ${implementation.name} outlives its control plane`, async () => {
    await using one = await Backend.start("backend-one");
    await using two = await Backend.start("backend-two");
    const start = async (port: number) => {
      // Made anew, as another process would: versions are of the content, and so the same.
      const cache = new SnapshotCache({ ads: true });
      cache.set(NODE, createSnapshot({ resources: echo(one) }));
      const events: ServerEvent[] = [];
      const server = await serve({
        cache,
        hostname: "127.0.0.1",
        port,
        observer: (event) => events.push(event),
      });
      return { cache, events, server };
    };
    const first = await start(0);
    await using client = await GrpcClient.start(implementation, {
      node: NODE,
      target: "echo",
      server: first.server,
    });
    assertEquals(await client.call(), "OK backend-one");
    const signal = AbortSignal.timeout(15_000);
    await first.cache.settled(NODE, { signal });

    await first.server.shutdown();
    const goodbye = first.events.at(-1)!;
    assertEquals(goodbye.kind === "close" && goodbye.error, undefined);
    for (let i = 0; i < 50; i++) {
      assertEquals(await client.call(), "OK backend-one");
    }

    const { cache, events, server } = await start(first.server.addr.port);
    await using _server = server;
    await until("the client to ask the next control plane", async () => {
      assertEquals(await client.call(), "OK backend-one");
      return cache.status(NODE)[0]?.types.length === 4;
    });
    const { accepted } = await cache.settled(NODE, { signal });
    assertEquals(accepted, true);
    // Without any response it would wait longer each time that it reconnects.
    const isAck = ({ kind }: ServerEvent) => kind === "ack";
    await until("the client to ack a response", () => events.some(isAck));
    assertEquals(events.filter(isAck).length, 1);
    // It reported that it has all of it. Clients request the types in any order, and of endpoints that are requested
    // before their clusters a new control plane cannot tell whether they are in use.
    const endpoints = ["ClusterLoadAssignment backend-one"];
    assertEquals(sent(events), sent(events).length > 0 ? endpoints : []);

    events.length = 0;
    const moved = localEndpoints("backend-one", two);
    cache.set(NODE, cache.get(NODE)!.with({ set: [moved] }));
    await client.answers(two.name);
    assertEquals(sent(events), endpoints);
  });
}
