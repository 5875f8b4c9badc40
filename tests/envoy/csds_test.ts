import { timestampMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientResourceStatus } from "@xds/envoy/envoy/admin/v3";
import {
  ClientStatusDiscoveryService,
  ConfigStatus,
} from "@xds/envoy/envoy/service/status/v3";
import {
  createSnapshot,
  serve,
  shortName,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { pem } from "../support/certs.ts";
import { Envoy } from "../support/envoy.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import {
  certificate,
  cluster,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";

const NODE = "inspected";

function statusOf(port: number) {
  const baseUrl = `http://127.0.0.1:${port}`;
  return createClient(
    ClientStatusDiscoveryService,
    createGrpcTransport({ baseUrl }),
  );
}

/** What an Envoy says it has of a control plane, by type and name, with the version of the resource. */
async function dumped(envoy: Envoy): Promise<Map<string, string>> {
  const { configs } = JSON.parse(
    await envoy.admin("/config_dump?include_eds"),
  );
  const found = new Map<string, string>();
  const add = (type: string, name: string, version: string) =>
    found.set(`${type} ${name}`, version);
  for (const config of configs) {
    for (
      const { cluster, version_info } of config.dynamic_active_clusters ?? []
    ) {
      add("Cluster", cluster.name, version_info);
    }
    for (const { name, active_state } of config.dynamic_listeners ?? []) {
      add("Listener", name, active_state.version_info);
    }
    for (const entry of config.dynamic_route_configs ?? []) {
      add("RouteConfiguration", entry.route_config.name, entry.version_info);
    }
    for (const { name, version_info } of config.dynamic_active_secrets ?? []) {
      add("Secret", name, version_info);
    }
    for (const { endpoint_config } of config.dynamic_endpoint_configs ?? []) {
      const { cluster_name } = endpoint_config;
      if (cluster_name) add("ClusterLoadAssignment", cluster_name, "");
    }
  }
  return found;
}

Deno.test("CSDS says of a real Envoy what its config_dump says, resource by resource", async () => {
  const cache = new SnapshotCache({ ads: true });
  const snapshot = createSnapshot({
    resources: [
      listener("web", {
        routeSpecifier: rds("routes", "ads"),
        tls: { secret: "web-cert", source: "ads" },
      }),
      routes("routes", "users"),
      cluster("users", "ads"),
      endpoints("users", 1),
      cluster("carts", "ads"),
      endpoints("carts", 2),
      certificate("web-cert", pem("server.pem"), pem("server.key")),
    ],
  });
  cache.set(NODE, snapshot);
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    csds: true,
  });
  const { port } = server.addr;
  const started = Date.now();
  await using envoy = await Envoy.start(
    bootstrap({ node: NODE, port, source: "ads", delta: true }),
  );
  await envoy.live();
  const signal = AbortSignal.timeout(15_000);
  assertEquals((await cache.settled(NODE, { signal })).accepted, true);

  const status = statusOf(port);
  const exact = { matchPattern: { case: "exact", value: NODE } } as const;
  const nodeMatchers = [{ nodeId: exact }];
  const { config: [client] } = await status.fetchClientStatus({ nodeMatchers });
  assertEquals(client.node?.id, NODE);
  const told = new Map<string, string>();
  for (const one of client.genericXdsConfigs) {
    assertEquals(one.clientStatus, ClientResourceStatus.ACKED);
    assertEquals(one.configStatus, ConfigStatus.SYNCED);
    const sent = timestampMs(one.lastUpdated!);
    assert(sent >= started && sent <= Date.now());
    const resource = snapshot.resources(one.typeUrl).get(one.name)!;
    // What is in secrets is nobody's business.
    const bytes = one.typeUrl === TypeUrl.Secret ? undefined : resource.bytes;
    assertEquals(
      one.xdsConfig && [...one.xdsConfig.value],
      bytes && [...bytes],
    );
    const type = shortName(one.typeUrl);
    // Envoy's dump of endpoints has no versions.
    const version = type === "ClusterLoadAssignment" ? "" : one.versionInfo;
    told.set(`${type} ${one.name}`, version);
  }
  const order = (map: Map<string, string>) => [...map].sort();
  assertEquals(order(told), order(await dumped(envoy)));

  // A refusal is told with what was refused, and why; over a stream, too.
  const bad = cluster("bad", "ads");
  bad.edsClusterConfig = undefined;
  cache.set(NODE, snapshot.with({ set: [bad] }));
  assertEquals((await cache.settled(NODE, { signal })).accepted, false);
  const answers = status.streamClientStatus(async function* () {
    yield { nodeMatchers, excludeResourceContents: true };
  }());
  for await (const { config: [client] } of answers) {
    const refused = client.genericXdsConfigs.filter(({ clientStatus }) =>
      clientStatus === ClientResourceStatus.NACKED
    );
    assertEquals(refused.map(({ name }) => name), ["bad"]);
    assertEquals(refused[0].configStatus, ConfigStatus.ERROR);
    assert(refused[0].errorState!.details.includes("bad"));
    assertEquals(refused[0].errorState!.failedConfiguration, undefined);
  }
});

Deno.test("CSDS tells what was asked for, sent and is missing, and picks nodes by matchers", async () => {
  const cache = new SnapshotCache();
  cache.set("one", createSnapshot({ resources: [cluster("a", "ads")] }));
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    csds: true,
  });
  const { port } = server.addr;
  using grpc = new GrpcClient(port);
  const stream = grpc.sotw();
  const typeUrl = TypeUrl.Cluster;
  const node = { id: "one", metadata: { team: "payments", zones: ["a", "b"] } };
  stream.send({ node, typeUrl, resourceNames: ["a", "x"] });
  const { nonce } = await stream.next();
  const status = statusOf(port);
  const states = async () => {
    const { config } = await status.fetchClientStatus({});
    return config.flatMap(({ genericXdsConfigs }) =>
      genericXdsConfigs.map(({ name, clientStatus, configStatus }) => [
        name,
        ClientResourceStatus[clientStatus],
        ConfigStatus[configStatus],
      ])
    );
  };
  assertEquals(await states(), [
    ["a", "REQUESTED", "STALE"],
    ["x", "REQUESTED", "STALE"],
  ]);
  stream.send({ typeUrl, responseNonce: nonce, resourceNames: ["a", "x"] });
  await cache.settled("one");
  assertEquals(await states(), [
    ["a", "ACKED", "SYNCED"],
    ["x", "DOES_NOT_EXIST", "SYNCED"],
  ]);

  const found = async (
    matcher: Parameters<typeof status.fetchClientStatus>[0]["nodeMatchers"],
  ) =>
    (await status.fetchClientStatus({ nodeMatchers: matcher })).config.length;
  const text = (
    kind: "exact" | "prefix" | "suffix" | "contains",
    value: string,
    ignoreCase = false,
  ) => ({ matchPattern: { case: kind, value }, ignoreCase });
  assertEquals(await found([{ nodeId: text("prefix", "o") }]), 1);
  assertEquals(await found([{ nodeId: text("suffix", "NE") }]), 0);
  assertEquals(await found([{ nodeId: text("suffix", "NE", true) }]), 1);
  const key = (name: string) => ({
    segment: { case: "key", value: name } as const,
  });
  const team = (name: string) => [{
    nodeMetadatas: [{
      path: [key("team")],
      value: {
        matchPattern: {
          case: "stringMatch",
          value: text("exact", name),
        } as const,
      },
    }],
  }];
  assertEquals(await found(team("payments")), 1);
  assertEquals(await found(team("others")), 0);
  const regex = { case: "safeRegex", value: { regex: "(" } } as const;
  await assertRejects(
    () => found([{ nodeId: { matchPattern: regex } }]),
    Error,
    "safe_regex",
  );
});

Deno.test("CSDS is for whom the function says, and is not served unless asked for", async () => {
  const cache = new SnapshotCache();
  const options = { cache, hostname: "127.0.0.1", port: 0 };
  await using closed = await serve({ ...options, csds: () => false });
  await assertRejects(
    () => statusOf(closed.addr.port).fetchClientStatus({}),
    Error,
    "this client may not ask for the status of others",
  );
  await using absent = await serve(options);
  await assertRejects(
    () => statusOf(absent.addr.port).fetchClientStatus({}),
    Error,
    "unimplemented",
  );
});
