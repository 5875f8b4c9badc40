/** What proxyless gRPC clients make of a resource that does not exist. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  createSnapshot,
  serve,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { Backend } from "./_backend.ts";
import { GrpcClient, type Implementation, implementations } from "./_client.ts";
import { apiListener, echo } from "./_resources.ts";

const NODE = "client-1";
/** How long clients wait for a resource before they take it to be missing, in milliseconds. */
const CLIENT_TIMER = 15_000;

const [go, python, javascript] = implementations;

async function startServer(cache: SnapshotCache) {
  return await serve({ cache, hostname: "127.0.0.1", port: 0 });
}

function startClient(
  implementation: Implementation,
  server: Awaited<ReturnType<typeof serve>>,
  env?: Record<string, string>,
) {
  const options = { node: NODE, target: "echo", server, env };
  return GrpcClient.start(implementation, options);
}
