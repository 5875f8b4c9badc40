import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import type { Listener } from "@xds/envoy/envoy/config/listener/v3";
import type { DeltaDiscoveryRequestSchema } from "@xds/envoy/envoy/service/discovery/v3";
import {
  createResource,
  createSnapshot,
  LinearCache,
  type Quarantined,
  Resource,
  serve,
  SnapshotCache,
  type SnapshotCacheOptions,
  TypeUrl,
  ValidationError,
  type View,
} from "../../mod.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { listener, rds, routes } from "../support/resources.ts";
import { until } from "../support/until.ts";

const KEY = "edge";
const names = ["a", "b", "c", "d", "e"];

/** A cluster; a timeout of 0 breaks a rule. */
function cluster(name: string, seconds: number): Cluster {
  return create(ClusterSchema, {
    name,
    connectTimeout: { seconds: BigInt(seconds) },
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
  });
}

function snapshot(...resources: (Cluster | Listener | Resource)[]) {
  return createSnapshot({ resources });
}

/** What a cache told of, each in a line. */
function told(log: string[], quarantined: readonly Quarantined[]) {
  for (const { resource, violations: [first], kept } of quarantined) {
    log.push(`${resource.name}: ${first.path}; kept ${kept?.version}`);
  }
}

function quarantining(options?: SnapshotCacheOptions) {
  const log: string[] = [];
  const cache = new SnapshotCache({
    ...options,
    ads: true,
    validate: "quarantine",
    onQuarantine: (_, quarantined) => told(log, quarantined),
  });
  return { cache, log };
}

/** The cluster names that are served for the key, each with its version. */
async function served(cache: SnapshotCache): Promise<Map<string, string>> {
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  using client = new GrpcClient(server.addr.port);
  const stream = client.delta();
  stream.send({ node: { id: KEY }, typeUrl: TypeUrl.Cluster });
  const { resources } = await stream.next();
  stream.cancel();
  return new Map(resources.map(({ name, version }) => [name, version]));
}

Deno.test("a snapshot that breaks a rule is not made, where that is asked for, and none is made of one that does", () => {
  const validate = "error";
  const error = assertThrows(
    () => createSnapshot({ validate, resources: [cluster("users", 0)] }),
    ValidationError,
    'Cluster "users": connect_timeout: value must be greater than 0s',
  );
  assertEquals(error.violations.length, 1);
  const sound = createSnapshot({ validate, resources: [cluster("users", 1)] });
  assertThrows(
    () => sound.with({ set: [cluster("carts", 0)] }),
    ValidationError,
    'Cluster "carts"',
  );
  assertEquals(sound.with({ set: [cluster("carts", 1)] }).typeUrls.length, 1);
});

Deno.test("a cache that is to throw upon an error changes nothing then", () => {
  const cache = new SnapshotCache({ validate: "error" });
  const sound = snapshot(cluster("users", 1));
  cache.set(KEY, sound);
  assertThrows(
    () => cache.set(KEY, snapshot(cluster("users", 0), cluster("carts", 0))),
    ValidationError,
    "what Envoy would refuse:\n" +
      '  Cluster "users": connect_timeout: value must be greater than 0s (duration.gt)\n' +
      '  Cluster "carts": connect_timeout',
  );
  assertEquals(cache.get(KEY), sound);
  assertThrows(
    () => cache.set("new", snapshot(cluster("users", 0))),
    ValidationError,
  );
  assertEquals([...cache.keys()], [KEY]);
});

Deno.test("a cache that validates nothing looks into nothing, and serves what it is given", async () => {
  const { get } = Object.getOwnPropertyDescriptor(
    Resource.prototype,
    "violations",
  )!;
  let asked = 0;
  Object.defineProperty(Resource.prototype, "violations", {
    configurable: true,
    get() {
      asked++;
      return get!.call(this);
    },
  });
  try {
    const cache = new SnapshotCache();
    cache.set(KEY, snapshot(cluster("users", 0)).with({ set: [] }));
    assertEquals([...(await served(cache)).keys()], ["users"]);
    const linear = new LinearCache(ClusterSchema, {
      resources: [cluster("users", 0)],
    });
    linear.set(cluster("carts", 0));
    assertEquals(asked, 0);
    assertEquals(cache.quarantined(KEY), []);
    cache.get(KEY)!.view(TypeUrl.Cluster).invalid;
    assertEquals(asked, 1);
  } finally {
    Object.defineProperty(Resource.prototype, "violations", {
      configurable: true,
      get,
    });
  }
});

Deno.test("what breaks a rule is left out if it was never good, and all the rest is served", async () => {
  const { cache, log } = quarantining();
  const given = snapshot(cluster("users", 0), cluster("carts", 1));
  cache.set(KEY, given);
  assertEquals(log, ["users: connect_timeout; kept undefined"]);
  assertEquals([...(await served(cache)).keys()], ["carts"]);
  assertEquals(cache.get(KEY), given);
  const [{ resource, violations, kept }] = cache.quarantined(KEY);
  assertEquals([resource.name, violations.length, kept], [
    "users",
    1,
    undefined,
  ]);
  assertEquals(cache.quarantined("other"), []);
});

Deno.test("the last good form is served until it is replaced, and what is known is not told again", async () => {
  const { cache, log } = quarantining();
  const good = createResource(cluster("users", 1));
  cache.set(KEY, snapshot(good));
  assertEquals(log, []);

  cache.set(KEY, snapshot(cluster("users", 0), cluster("carts", 1)));
  assertEquals(log, [`users: connect_timeout; kept ${good.version}`]);
  assertEquals((await served(cache)).get("users"), good.version);

  // A change of something else, made of what was set.
  cache.set(KEY, cache.get(KEY)!.with({ set: [cluster("carts", 2)] }));
  assertEquals(log.length, 1);
  assertEquals((await served(cache)).get("users"), good.version);
  assertEquals(cache.quarantined(KEY).length, 1);

  // Another form that is no better is news.
  const other = create(ClusterSchema, { name: "users", connectTimeout: {} });
  cache.set(KEY, cache.get(KEY)!.with({ set: [other] }));
  assertEquals(log.length, 2);

  const fixed = createResource(cluster("users", 5));
  cache.set(KEY, cache.get(KEY)!.with({ set: [fixed] }));
  assertEquals(cache.quarantined(KEY), []);
  assertEquals((await served(cache)).get("users"), fixed.version);

  // What is no longer set is gone, good form and all.
  cache.set(KEY, snapshot(cluster("users", 0)));
  cache.set(KEY, snapshot(cluster("carts", 1)));
  assertEquals([...(await served(cache)).keys()], ["carts"]);
  assertEquals(log.length, 3);
});

Deno.test("a version that is given stands for what was set, and so has an addition for what is served instead", () => {
  const served: string[] = [];
  const cache = new SnapshotCache({
    validate: "quarantine",
    onQuarantine: () => {},
  });
  const client = { id: "1", node: { id: KEY } };
  const sink = {
    changed: (view?: { version: string }) => served.push(view!.version),
  };
  const watch = (version: string, ...clusters: Cluster[]) => {
    cache.set(KEY, createSnapshot({ version, resources: clusters }));
  };
  watch("1", cluster("users", 1), cluster("carts", 1));
  using _ = cache.watch(
    {
      client,
      typeUrl: TypeUrl.Cluster,
      subscription: { wildcard: true, names: new Set() },
    } as unknown as Parameters<SnapshotCache["watch"]>[0],
    sink as unknown as Parameters<SnapshotCache["watch"]>[1],
  );
  watch("2", cluster("users", 0), cluster("carts", 2));
  watch("2", cluster("users", 0), cluster("carts", 0));
  watch("3", cluster("users", 3), cluster("carts", 3));
  assertEquals(served[0], "1");
  assert(/^2\+[0-9a-f]{16}$/.test(served[1]), served[1]);
  assert(/^2\+[0-9a-f]{16}$/.test(served[2]), served[2]);
  assertEquals(served[3], "3");
});

Deno.test("what two views differ in is known, whatever is in quarantine in either", () => {
  const cache = new SnapshotCache({
    validate: "quarantine",
    onQuarantine: () => {},
  });
  const views: View[] = [];
  const sink = { changed: (view?: View) => views.push(view!) };
  cache.set(KEY, snapshot(...names.map((name) => cluster(name, 1))));
  using _ = cache.watch(
    {
      client: { id: "1", node: { id: KEY } },
      typeUrl: TypeUrl.Cluster,
      subscription: { wildcard: true, names: new Set() },
    } as unknown as Parameters<SnapshotCache["watch"]>[0],
    sink as unknown as Parameters<SnapshotCache["watch"]>[1],
  );
  // Each name in turn is good, bad, good again, gone; several are bad at a time.
  for (let step = 0; step < 40; step++) {
    const name = names[step % names.length];
    const kind = (step * 7) % 4;
    const set = [cluster(name, kind % 2 === 0 ? step + 2 : 0)];
    const change = kind === 3
      ? { delete: [{ typeUrl: TypeUrl.Cluster, name }] }
      : { set };
    cache.set(KEY, cache.get(KEY)!.with(change));
  }
  assert(views.length > 20, `${views.length} views`);
  for (const [i, older] of views.entries()) {
    for (const newer of views.slice(i)) {
      const differing = names.filter((name) =>
        older.resources.get(name)?.version !==
          newer.resources.get(name)?.version
      );
      const since = [...newer.since(older)].sort();
      assertEquals(differing.filter((name) => !since.includes(name)), []);
    }
  }
});

Deno.test("explain says what is in quarantine, and why", () => {
  const { cache } = quarantining();
  cache.set(KEY, snapshot(cluster("users", 0)));
  const { version } = cache.quarantined(KEY)[0].resource;
  const [{ message, quarantined }] = cache.explain(
    KEY,
    TypeUrl.Cluster,
    "users",
  );
  assertEquals(
    message,
    `Cluster "users": no client of the key is connected; version ${version} ` +
      "is quarantined: connect_timeout: value must be greater than 0s",
  );
  assertEquals(quarantined?.violations.length, 1);
});

Deno.test("without anybody to tell, what is quarantined is printed", () => {
  const printed: string[] = [];
  const { error } = console;
  console.error = (line: string) => printed.push(line);
  try {
    const cache = new SnapshotCache({ validate: "quarantine" });
    cache.set(KEY, snapshot(cluster("users", 0)));
    const linear = new LinearCache(ClusterSchema, {
      validate: "quarantine",
      resources: [cluster("users", 1)],
    });
    linear.set(cluster("users", 0));
  } finally {
    console.error = error;
  }
  const reason =
    'Cluster "users": connect_timeout: value must be greater than 0s (duration.gt)';
  assertEquals(printed, [
    `xds: quarantined for edge: ${reason}: it is left out`,
    `xds: quarantined: ${reason}: its last good form is served`,
  ]);
});

type DeltaRequest = MessageInitShape<typeof DeltaDiscoveryRequestSchema>;

Deno.test("make before break goes on around what is quarantined: its last good form keeps the routes that it needs", async () => {
  const { cache } = quarantining({ drain: 0 });
  const http = (route: string) =>
    listener("http", { routeSpecifier: rds(route, "ads") });
  const bad = http("new");
  bad.filterChains[0].filters[0].name = "";
  cache.set(
    KEY,
    createSnapshot({
      resources: [
        cluster("old", 1),
        routes("old", "old"),
        http("old"),
      ],
    }),
  );
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  using client = new GrpcClient(server.addr.port);
  const stream = client.delta();
  const log: string[] = [];
  let isMoved = false;
  const send = (request: DeltaRequest) => stream.send(request);
  send({ node: { id: KEY }, typeUrl: TypeUrl.Cluster });
  send({ typeUrl: TypeUrl.Listener });
  send({
    typeUrl: TypeUrl.RouteConfiguration,
    resourceNamesSubscribe: ["old", "new"],
  });
  const pump = (async () => {
    for (;;) {
      const { typeUrl, resources, removedResources, nonce } = await stream
        .next();
      const type = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
      const names = [
        ...resources.map(({ name }) => `+${name}`),
        ...removedResources.map((name) => `-${name}`),
      ];
      log.push(`${type} ${names.join(" ")}`);
      send({ typeUrl, responseNonce: nonce });
      if (isMoved && typeUrl === TypeUrl.Listener) {
        send({
          typeUrl: TypeUrl.RouteConfiguration,
          resourceNamesUnsubscribe: ["old"],
        });
      }
    }
  })().catch(() => {
    // The test is over.
  });
  await until(
    "the client to ask for all types",
    () => cache.status(KEY)[0]?.types.length === 3,
  );
  assertEquals((await cache.settled(KEY)).accepted, true);
  log.length = 0;

  cache.set(
    KEY,
    createSnapshot({
      resources: [cluster("new", 1), routes("new", "new"), bad],
    }),
  );
  const [{ resource, kept }] = cache.quarantined(KEY);
  assertEquals([resource.name, kept?.name], ["http", "http"]);
  assertEquals((await cache.settled(KEY)).accepted, true);
  // Nothing is removed that the listener's last good form needs.
  assertEquals(log, ["Cluster +new", "RouteConfiguration +new"]);
  log.length = 0;

  isMoved = true;
  cache.set(
    KEY,
    createSnapshot({
      resources: [cluster("new", 1), routes("new", "new"), http("new")],
    }),
  );
  assertEquals((await cache.settled(KEY, { drained: true })).accepted, true);
  // An Envoy has use for routes only once a listener refers to them, so that they are sent again with it.
  assertEquals(log, [
    "Listener +http",
    "RouteConfiguration +new",
    "Cluster -old",
  ]);
  stream.cancel();
  await pump;
});

Deno.test("a linear cache throws, and changes nothing", () => {
  const cache = new LinearCache(ClusterSchema, { validate: "error" });
  cache.set(cluster("users", 1));
  const before = cache.version;
  assertThrows(
    () => cache.update({ set: [cluster("carts", 1), cluster("users", 0)] }),
    ValidationError,
    'Cluster "users"',
  );
  assertEquals([[...cache.names()], cache.version], [["users"], before]);
  assertThrows(
    () =>
      new LinearCache(ClusterSchema, {
        validate: "error",
        resources: [cluster("users", 0)],
      }),
    ValidationError,
  );
});

Deno.test("a linear cache keeps the last good form, and forgets it with its name", () => {
  const log: string[] = [];
  const cache = new LinearCache(ClusterSchema, {
    validate: "quarantine",
    resources: [cluster("users", 1), cluster("never", 0)],
    onQuarantine: (quarantined) => told(log, quarantined),
  });
  const good = cache.get("users")!.version;
  assertEquals([...cache.names()], ["users"]);
  assertEquals(log.splice(0), ["never: connect_timeout; kept undefined"]);

  cache.update({ set: [cluster("users", 0), cluster("carts", 1)] });
  assertEquals(log.splice(0), [`users: connect_timeout; kept ${good}`]);
  assertEquals(cache.get("users")!.version, good);
  assertEquals([...cache.names()], ["users", "carts"]);
  const names = () => cache.quarantined().map(({ resource }) => resource.name);
  assertEquals(names(), ["never", "users"]);

  cache.replace([cluster("users", 0), cluster("carts", 2)]);
  assertEquals(log, []);
  assertEquals([...cache.names()], ["users", "carts"]);
  assertEquals(names(), ["users"]);

  cache.set(cluster("users", 2));
  assertEquals(names(), []);
  cache.set(cluster("users", 0));
  assertEquals(cache.delete("users"), true);
  assertEquals([[...cache.names()], names()], [["carts"], []]);
  cache.set(cluster("never", 0));
  assertEquals(cache.delete("never"), true);
  assertEquals(cache.delete("never"), false);
  assertEquals(names(), []);
});
