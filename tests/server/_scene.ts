import { create } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createSnapshot,
  type Observer,
  serve,
  type ServeOptions,
  type ServerEvent,
  type Snapshot,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { GrpcClient } from "../support/grpc_client.ts";

export const node = { id: "node" };

export function clusters(...names: string[]): Snapshot {
  return createSnapshot({
    resources: names.map((name) => create(ClusterSchema, { name })),
  });
}

/** A server that an honest client is connected to, and what it told. */
export interface Scene extends AsyncDisposable {
  readonly client: GrpcClient;
  readonly events: ServerEvent[];
  readonly port: number;
  /** What is served; the honest client is `node`. */
  readonly cache: SnapshotCache;
}

/**
 * A server, an honest client whose stream is open and configured, and a check, for the end, that it still is served.
 */
export async function scene(
  options: Partial<ServeOptions> = {},
): Promise<Scene> {
  const cache = new SnapshotCache();
  cache.set("node", clusters("a"));
  const events: ServerEvent[] = [];
  const { observer = [], ...others } = options;
  const observers: Observer[] = [observer].flat();
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    observer: [(event) => events.push(event), ...observers],
    ...others,
  });
  const client = new GrpcClient(server.addr.port);
  const honest = client.sotw();
  honest.send({ node, typeUrl: TypeUrl.Cluster });
  const first = await honest.next();
  honest.send({
    typeUrl: TypeUrl.Cluster,
    versionInfo: first.versionInfo,
    responseNonce: first.nonce,
  });
  return {
    client,
    events,
    port: server.addr.port,
    cache,
    async [Symbol.asyncDispose]() {
      cache.set("node", clusters("a", "b"));
      const next = await honest.next();
      assertEquals(next.resources.length, 2);
      honest.cancel();
      client[Symbol.dispose]();
      await server.shutdown();
    },
  };
}
