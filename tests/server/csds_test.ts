import { createClient } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createGrpcTransport,
} from "@connectrpc/connect-node";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { assertEquals, assertRejects } from "@std/assert";
import { ClientResourceStatus } from "@xds/envoy/envoy/admin/v3";
import {
  ClientStatusDiscoveryService,
  ConfigStatus,
} from "@xds/envoy/envoy/service/status/v3";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { clientStatusRoutes } from "../../lib/server/csds.ts";
import { SentTimes } from "../../lib/server/_sent_times.ts";
import {
  createSnapshot,
  serve,
  SnapshotCache,
  TypeUrl,
  xdsRoutes,
  type XdsRoutesOptions,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { cluster } from "../support/resources.ts";

/** Somebody else's server, with routes of ours. */
async function listen(options: XdsRoutesOptions) {
  const ending = new AbortController();
  const { signal } = ending;
  const server = createServer(
    connectNodeAdapter({ routes: xdsRoutes({ ...options, signal }) }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    addr: { port: (server.address() as AddressInfo).port },
    [Symbol.asyncDispose]() {
      ending.abort();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function statusOf(port: number) {
  const baseUrl = `http://127.0.0.1:${port}`;
  return createClient(
    ClientStatusDiscoveryService,
    createGrpcTransport({ baseUrl, idleConnectionTimeoutMs: 50 }),
  );
}

const ways = {
  serve: (options: XdsRoutesOptions) =>
    serve({ ...options, hostname: "127.0.0.1", port: 0, csds: true }),
  xdsRoutes: (options: XdsRoutesOptions) =>
    listen({ ...options, csds: clientStatusRoutes(true) }),
};

for (const [way, start] of Object.entries(ways)) {
  Deno.test(`CSDS tells when each resource was sent, and when one was that was refused, ${way}`, async () => {
    const clock = new FakeClock();
    const cache = new SnapshotCache({ clock });
    const snapshot = createSnapshot({
      resources: [cluster("a", "ads"), cluster("b", "ads")],
    });
    cache.set("one", snapshot);
    await using server = await start({ cache, clock });
    const { port } = server.addr;
    using grpc = new GrpcClient(port);
    const stream = grpc.delta();
    const typeUrl = TypeUrl.Cluster;
    const status = statusOf(port);
    const told = async () => {
      const { config: [{ genericXdsConfigs }] } = await status
        .fetchClientStatus({ excludeResourceContents: true });
      return genericXdsConfigs.map((config) => {
        const { name, versionInfo, lastUpdated, errorState } = config;
        return {
          name,
          state: ClientResourceStatus[config.clientStatus],
          config: ConfigStatus[config.configStatus],
          version: versionInfo,
          at: lastUpdated && timestampMs(lastUpdated),
          error: errorState && {
            at: errorState.lastUpdateAttempt &&
              timestampMs(errorState.lastUpdateAttempt),
            details: errorState.details,
            version: errorState.versionInfo,
          },
        };
      });
    };
    clock.advance(1_000);
    stream.send({ node: { id: "one" }, typeUrl });
    const { nonce } = await stream.next();
    clock.advance(1_000);
    stream.send({ typeUrl, responseNonce: nonce });
    await cache.settled("one");
    const of = (name: string) =>
      cache.get("one")!.resources(typeUrl).get(name)!.version;
    const [a, b] = [of("a"), of("b")];
    const acked = { state: "ACKED", config: "SYNCED", error: undefined };
    assertEquals(await told(), [
      { name: "a", ...acked, version: a, at: 1_000 },
      { name: "b", ...acked, version: b, at: 1_000 },
    ]);
    // Only what is sent again has another time.
    cache.set(
      "one",
      snapshot.with({ set: [cluster("b", "ads", { altStatName: "2" })] }),
    );
    const second = await stream.next();
    clock.advance(1_000);
    stream.send({
      typeUrl,
      responseNonce: second.nonce,
      errorDetail: { code: 3, message: "b is bad" },
    });
    await cache.settled("one");
    assertEquals(await told(), [
      { name: "a", ...acked, version: a, at: 1_000 },
      {
        name: "b",
        state: "NACKED",
        config: "ERROR",
        // That which it keeps.
        version: b,
        at: undefined,
        error: {
          at: 2_000,
          details: "b is bad",
          version: second.systemVersionInfo,
        },
      },
    ]);
    stream.end();
    await stream.status;
  });
}

Deno.test("xdsRoutes serves CSDS to whom the function says, and only if it is asked to", async () => {
  const cache = new SnapshotCache();
  {
    await using server = await listen({
      cache,
      csds: clientStatusRoutes(() => false),
    });
    await assertRejects(
      () => statusOf(server.addr.port).fetchClientStatus({}),
      Error,
      "this client may not ask for the status of others",
    );
  }
  await using server = await listen({ cache });
  await assertRejects(
    () => statusOf(server.addr.port).fetchClientStatus({}),
    Error,
    "unimplemented",
  );
});

Deno.test("times are those of the last response that had a name, however many came before", () => {
  let now = 0;
  const times = new SentTimes(() => now);
  const all = Array.from({ length: 100 }, (_, i) => `r${i}`);
  times.add("type", all);
  for (now = 1; now <= 10_000; now++) times.add("type", [`r${now % 90}`]);
  const found = times.of("type");
  assertEquals(found.size, 100);
  assertEquals(found.get("r99"), 0);
  assertEquals(found.get("r10"), 10_000);
  assertEquals(found.get("r11"), 9_911);
  assertEquals(times.of("other").size, 0);
});
