/**
 * Opens streams at once, over some connections, and waits until each has its first response. Prints when these came, in
 * milliseconds since 1970, as JSON, and goes away when its input ends.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { DiscoveryRequestSchema } from "@xds/envoy/envoy/service/discovery/v3";
import { type ClientHttp2Session, connect } from "node:http2";
import { TypeUrl } from "../../lib/resource/mod.ts";

const [port, streams, connections] = Deno.args.map(Number);
const path =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

function firstRequest(id: string): Uint8Array {
  const request = create(DiscoveryRequestSchema, {
    node: { id, cluster: "fleet" },
    typeUrl: TypeUrl.Cluster,
  });
  const message = toBinary(DiscoveryRequestSchema, request);
  const frame = new Uint8Array(5 + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, 5);
  return frame;
}

/** Resolves with the time of the first response. */
function open(connection: ClientHttp2Session, id: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = connection.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.once("data", () => resolve(Date.now()));
    stream.on("trailers", (trailers) =>
      reject(
        new Error(
          `stream ${id}: ${trailers["grpc-status"]} ${
            trailers["grpc-message"]
          }`,
        ),
      ));
    stream.on("error", reject);
    stream.on("close", () => reject(new Error(`stream ${id} was closed`)));
    stream.write(firstRequest(id));
  });
}

const sessions = Array.from(
  { length: connections },
  () => connect(`http://127.0.0.1:${port}`),
);
const arrivals = await Promise.all(
  Array.from(
    { length: streams },
    (_, i) => open(sessions[i % connections], `storm-${i}`),
  ),
);
console.log(JSON.stringify(arrivals));
for await (const _ of Deno.stdin.readable) {
  // Until it is to go away.
}
Deno.exit();
