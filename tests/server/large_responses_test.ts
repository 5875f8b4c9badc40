import { create, toBinary } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { connect } from "node:http2";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { DiscoveryRequestSchema } from "@xds/envoy/envoy/service/discovery/v3";
import { createSnapshot, serve, SnapshotCache, TypeUrl } from "../../mod.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";

const node = { id: "node" };
const PATH =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

/** Several megabytes, more than the buffers of a connection hold. */
function large(version: string) {
  const altStatName = `${version}-`.repeat(10_000);
  return createSnapshot({
    version,
    resources: Array.from(
      { length: 180 },
      (_, i) => create(ClusterSchema, { name: `cluster-${i}`, altStatName }),
    ),
  });
}

Deno.test("large responses reach all streams of a connection whole", async () => {
  const cache = new SnapshotCache();
  cache.set("node", large("1"));
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  using client = new GrpcClient(server.addr.port);
  const streams = Array.from({ length: 5 }, () => client.sotw());
  for (const stream of streams) stream.send({ node, typeUrl: TypeUrl.Cluster });
  const responses = await Promise.all(streams.map((stream) => stream.next()));
  for (const { resources } of responses) assertEquals(resources.length, 180);
  for (const stream of streams) stream.cancel();
});

Deno.test("connections that are cut amid large responses disturb nobody", async () => {
  const cache = new SnapshotCache();
  cache.set("node", large("1"));
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  const request = toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, { node, typeUrl: TypeUrl.Cluster }),
  );
  const frame = new Uint8Array(5 + request.length);
  new DataView(frame.buffer).setUint32(1, request.length);
  frame.set(request, 5);
  for (let i = 0; i < 10; i++) {
    const connection = connect(`http://127.0.0.1:${server.addr.port}`);
    connection.on("error", () => {});
    const headers = {
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc",
      te: "trailers",
    };
    const started = Array.from({ length: 5 }, () => {
      const stream = connection.request(headers);
      stream.on("error", () => {});
      stream.write(frame);
      return new Promise((resolve) => stream.once("data", resolve));
    });
    await Promise.all(started);
    connection.destroy();
  }
  await until(
    "all clients are gone",
    () => cache.status("node").length === 0,
  );
  using client = new GrpcClient(server.addr.port);
  const stream = client.sotw();
  stream.send({ node, typeUrl: TypeUrl.Cluster });
  assertEquals((await stream.next()).resources.length, 180);
  stream.cancel();
});
