/**
 * Endpoints for every client, one type by name: `deno run --allow-net examples/linear.ts [port]`
 *
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { LinearCache, serve } from "@xds/control-plane";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";

function endpoints(clusterName: string, port: number) {
  const socketAddress = {
    address: "127.0.0.1",
    portSpecifier: { case: "portValue", value: port },
  } as const;
  const address = { case: "socketAddress", value: socketAddress } as const;
  const endpoint = {
    case: "endpoint",
    value: { address: { address } },
  } as const;
  const lbEndpoints = [{ hostIdentifier: endpoint }];
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [{ lbEndpoints }],
  });
}

const cache = new LinearCache(ClusterLoadAssignmentSchema);
cache.update({ set: [endpoints("users", 8001), endpoints("carts", 8002)] });
const port = Number(Deno.args[0] ?? 18_000);
const { addr } = await serve({ cache, hostname: "127.0.0.1", port });
console.log(`serving endpoints on ${addr.port}`);

// An instance moves every second. Whoever asked for "users" is told, and nobody else.
let turns = 0;
setInterval(() => cache.set(endpoints("users", 8001 + ++turns % 2)), 1_000);
