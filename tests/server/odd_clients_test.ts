import { create } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { DelayProxy } from "../support/delay_proxy.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { endpoints } from "../support/resources.ts";
import { until } from "../support/until.ts";

const node = { id: "node" };
const typeUrl = TypeUrl.ClusterLoadAssignment;

function snapshot(port: number) {
  return createSnapshot({
    resources: [
      create(ClusterSchema, { name: "a" }),
      endpoints("a", port),
      endpoints("b", port),
    ],
  });
}

async function scene(legacyWildcard?: boolean) {
  const cache = new SnapshotCache();
  cache.set("node", snapshot(1));
  const events: ServerEvent[] = [];
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    legacyWildcard,
    observer: (event) => events.push(event),
  });
  return {
    cache,
    events,
    port: server.addr.port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("an empty subscription means all at first by option, none after names, and is no error", async () => {
  await using at = await scene(true);
  using client = new GrpcClient(at.port);
  const stream = client.sotw();
  stream.send({ node, typeUrl });
  const all = await stream.next();
  assertEquals(all.resources.length, 2);
  const answer = (nonce: string, resourceNames: string[]) =>
    stream.send({
      typeUrl,
      responseNonce: nonce,
      versionInfo: all.versionInfo,
      resourceNames,
    });
  answer(all.nonce, ["a"]);
  const some = await stream.next();
  assertEquals(some.resources.length, 1);
  answer(some.nonce, []);

  // Of another type on the same stream, and then a change of the first, of which it wants nothing.
  stream.send({ typeUrl: TypeUrl.Cluster });
  assertEquals((await stream.next()).typeUrl, TypeUrl.Cluster);
  at.cache.set(
    "node",
    at.cache.get("node")!.with({ set: [endpoints("a", 2)] }),
  );
  const other = client.sotw();
  other.send({ node, typeUrl, resourceNames: ["a"] });
  await other.next();
  assertEquals(stream.waiting, 0);
  other.cancel();
  stream.cancel();
});

Deno.test("an empty subscription of endpoints means none, and is no error", async () => {
  await using at = await scene();
  using client = new GrpcClient(at.port);
  for (const stream of [client.sotw(), client.delta()]) {
    stream.send({ node, typeUrl });
    // Of another type on the same stream.
    stream.send({ typeUrl: TypeUrl.Cluster });
    assertEquals((await stream.next()).typeUrl, TypeUrl.Cluster);
    assertEquals(stream.waiting, 0);
    stream.cancel();
  }
});

Deno.test("a connection that is cut ends its streams, each of which is told of, and no others", async () => {
  await using at = await scene();
  using honest = new GrpcClient(at.port);
  const steady = honest.sotw();
  steady.send({ node, typeUrl, resourceNames: ["a"] });
  const first = await steady.next();
  steady.send({
    typeUrl,
    resourceNames: ["a"],
    responseNonce: first.nonce,
    versionInfo: first.versionInfo,
  });

  const proxy = await DelayProxy.start(at.port, 0);
  using cut = new GrpcClient(proxy.port);
  const [sotw, delta] = [cut.sotw(), cut.delta()];
  sotw.send({ node, typeUrl: TypeUrl.Cluster });
  delta.send({ node, typeUrl: TypeUrl.Cluster });
  await sotw.next();
  await delta.next();
  assertEquals(at.cache.status("node").length, 3);

  await proxy[Symbol.asyncDispose]();
  const closed = () => at.events.filter((event) => event.kind === "close");
  await until("the ends of both streams", () => closed().length === 2);
  assertEquals(at.cache.status("node").length, 1);
  assert((await sotw.status).code !== 0);
  assert((await delta.status).code !== 0);

  at.cache.set("node", snapshot(2));
  assertEquals((await steady.next()).resources.length, 1);
  assertEquals(closed().length, 2);
  steady.cancel();
});
