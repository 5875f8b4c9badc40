import { create, createRegistry, toBinary } from "@bufbuild/protobuf";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { RuntimeSchema } from "@xds/envoy/envoy/service/runtime/v3";
import {
  createResource,
  createSnapshot,
  restHandler,
  type RestHandlerOptions,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { customSchema } from "../support/custom.ts";
import { cluster, endpoints, listener, rds } from "../support/resources.ts";
import { until } from "../support/until.ts";

const node = { id: "node" };
const CLUSTERS = "/v3/discovery:clusters";

function clusters(...names: string[]) {
  return createSnapshot({
    resources: names.map((name) => create(ClusterSchema, { name })),
  });
}

function cacheWith(...names: string[]): SnapshotCache {
  const cache = new SnapshotCache();
  cache.set("node", clusters(...names));
  return cache;
}

/** A handler, and what it told its observer. */
function scene(options: Partial<RestHandlerOptions> = {}) {
  const cache = cacheWith("a");
  const events: ServerEvent[] = [];
  const observer = (event: ServerEvent) => events.push(event);
  const handle = restHandler({ cache, observer, deadline: 40, ...options });
  return { cache, events, handle };
}

function post(
  body: unknown,
  { path = CLUSTERS, ...init }: RequestInit & { path?: string } = {},
): Request {
  return new Request(`http://control-plane${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
}

Deno.test("a request is answered with what there is, in protobuf's JSON", async () => {
  const { events, handle } = scene();
  const response = await handle(post({ node }));
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/json");
  const { version_info, nonce, ...rest } = await response.json();
  assertEquals(rest, {
    type_url: TypeUrl.Cluster,
    resources: [{ "@type": TypeUrl.Cluster, name: "a" }],
  });
  assertEquals(version_info, clusters("a").version(TypeUrl.Cluster));
  assertEquals(nonce, "1");
  assertEquals(events.map(({ kind }) => kind), [
    "open",
    "request",
    "node",
    "subscribe",
    "send",
    "close",
  ]);
});

Deno.test("every type but one has the path that its proto gives it", async () => {
  const { handle } = scene({ cache: new SnapshotCache(), deadline: 0 });
  const paths = [
    ["clusters", "Cluster"],
    ["endpoints", "ClusterLoadAssignment"],
    ["listeners", "Listener"],
    ["routes", "RouteConfiguration"],
    ["scoped-routes", "ScopedRouteConfiguration"],
    ["secrets", "Secret"],
    ["runtime", "Runtime"],
    ["extension_configs", "TypedExtensionConfig"],
  ];
  for (const [path, type] of paths) {
    const response = await handle(
      post({ node }, { path: `/v3/discovery:${path}` }),
    );
    assertEquals(response.status, 503);
    const { message } = await response.json();
    assertStringIncludes(message, `there is no ${type} for node "node" yet`);
  }
});

Deno.test("fields may have their names in the proto or in JSON, and a node more than is known", async () => {
  const { handle } = scene();
  const first = await (await handle(post({ node }))).json();
  const version = first.version_info;
  const extensions = [{ name: "an extension", "a field": 1 }];
  for (
    const body of [
      { node, version_info: version, type_url: TypeUrl.Cluster },
      { node, versionInfo: version, typeUrl: TypeUrl.Cluster },
      {
        node: { ...node, extensions, "of the future": {} },
        version_info: version,
        error_detail: { details: [{ "@type": "acme.v1.Unknown" }] },
      },
    ]
  ) {
    const response = await handle(post(body));
    assertEquals(response.status, 304, await response.text());
  }
});

Deno.test("a bad request is refused with what is wrong in it", async () => {
  const { cache, handle } = scene({ limits: { messageBytes: 200, names: 2 } });
  const refusals: [status: number, says: string, request: Request][] = [
    [400, "the body is no JSON", post("{")],
    [400, "the body is no JSON", post("")],
    [400, "must be a JSON object", post([])],
    [
      400,
      'no field "resource_name"; it has version_info, node, res',
      post({
        node,
        resource_name: ["a"],
      }),
    ],
    [
      400,
      "DiscoveryRequest.version_info from JSON: expected string",
      post({
        node,
        version_info: 1,
      }),
    ],
    [400, "Node.id from JSON: expected string", post({ node: { id: 1 } })],
    [
      400,
      "DiscoveryRequest.resource_names from JSON",
      post({
        node,
        resource_names: "a",
      }),
    ],
    [400, "the field node is missing", post({})],
    [
      400,
      `serves ${TypeUrl.Cluster}, not "${TypeUrl.Secret}"`,
      post({
        node,
        type_url: TypeUrl.Secret,
      }),
    ],
    [
      404,
      "there is no /v3/discovery:cluster; there are /v3/discovery:clusters,",
      post(
        { node },
        { path: "/v3/discovery:cluster" },
      ),
    ],
    [405, "takes POST, not PUT", post({ node }, { method: "PUT" })],
    [413, "larger than the 200 bytes", post({ node: { id: "n".repeat(200) } })],
    [
      415,
      'takes application/json, not "text/plain"',
      post({ node }, {
        headers: { "content-type": "text/plain" },
      }),
    ],
    [
      429,
      "3 names of Cluster are more than the 2",
      post({
        node,
        resource_names: ["a", "b", "c"],
      }),
    ],
  ];
  for (const [status, says, request] of refusals) {
    const response = await handle(request);
    const text = await response.text();
    assertEquals(response.status, status, text);
    assertStringIncludes(JSON.parse(text).message, says);
    assertEquals(response.headers.get("allow"), status === 405 ? "POST" : null);
  }
  assertEquals(cache.status("node"), []);
  assertEquals((await handle(post({ node }))).status, 200);
});

Deno.test("who may not have something is refused", async () => {
  const { handle } = scene({
    authenticate: (_, headers) => headers.get("authorization") ?? undefined,
    authorize: async ({ identity, node }) =>
      await Promise.resolve(identity === node.id),
  });
  const ask = async (authorization: string | undefined, more = {}) => {
    const headers = new Headers({ "content-type": "application/json" });
    if (authorization) headers.set("authorization", authorization);
    const response = await handle(post({ node, ...more }, { headers }));
    return { status: response.status, text: await response.text() };
  };
  assertEquals((await ask(undefined)).status, 401);
  assertEquals((await ask("else")).status, 403);
  const { status, text } = await ask("node");
  assertEquals(status, 200);
  const { version_info } = JSON.parse(text);
  assertEquals((await ask("node", { version_info })).status, 304);
});

for (const given of [undefined, "1"]) {
  const versions = given ? "given versions" : "versions from content";
  Deno.test(`a client that has the newest waits for the next: by name, with ${versions}`, async () => {
    const { cache, events, handle } = scene({ deadline: 10_000 });
    const snapshot = (port: number, version: string | undefined) =>
      createSnapshot({
        version,
        resources: [endpoints("a", port), endpoints("b", 1)],
      });
    cache.set("node", snapshot(1, given));
    const ask = async (version_info?: string) => {
      const body = { node, version_info, resource_names: ["a", "missing"] };
      const path = "/v3/discovery:endpoints";
      return await (await handle(post(body, { path }))).json();
    };
    const first = await ask();
    assertEquals(first.resources.length, 1);
    assertEquals(first.resource_errors[0].resource_name.name, "missing");
    // It says of which names it is, since a poll has nothing else to say that with.
    if (given) assertMatch(first.version_info, /^1\+[0-9a-f]{16}$/);

    const waiting = ask(first.version_info);
    await until("the watch", () => events.at(-1)!.kind === "subscribe", 5_000);
    cache.set("node", snapshot(2, given && "2"));
    const next = await waiting;
    assertEquals(next.resources.length, 1);
    assert(next.version_info !== first.version_info);
    if (given) assertMatch(next.version_info, /^2\+[0-9a-f]{16}$/);
    // Whoever has something older is answered at once.
    assertEquals(
      (await ask(first.version_info)).version_info,
      next.version_info,
    );
    assertEquals((await ask("else")).version_info, next.version_info);
  });
}

Deno.test("304 comes at the deadline, or before the client gives up if that is sooner", async () => {
  const timed = async (deadline: number, expected?: string) => {
    const { handle } = scene({ deadline });
    const { version_info } = await (await handle(post({ node }))).json();
    const start = performance.now();
    const headers: Record<string, string> = {
      "content-type": "application/json",
    };
    if (expected) headers["x-envoy-expected-rq-timeout-ms"] = expected;
    const response = await handle(post({ node, version_info }, { headers }));
    assertEquals(response.status, 304);
    assertEquals(await response.text(), "");
    return performance.now() - start;
  };
  assert(await timed(60) >= 59);
  const shortened = await timed(60_000, "100");
  assert(shortened >= 49 && shortened < 10_000, String(shortened));
  assert(await timed(60, "100000") >= 59);
  assert(await timed(60, "nonsense") >= 59);
});

Deno.test("a client of whom nothing is decided by the deadline is told that", async () => {
  const { handle } = scene({ authorize: () => new Promise(() => {}) });
  const response = await handle(post({ node }));
  assertEquals(response.status, 503);
  assertEquals(
    (await response.json()).message,
    "it was not decided in time who the client is, or what it may have; try again",
  );
});

Deno.test("a client without a snapshot is answered once there is one", async () => {
  const { cache, handle } = scene({ deadline: 10_000 });
  cache.delete("node");
  const waiting = handle(post({ node }));
  cache.set("node", clusters("a"));
  assertEquals((await waiting).status, 200);
});

Deno.test("a client that goes away is no longer waited for", async () => {
  const { cache, events, handle } = scene({ deadline: 60_000 });
  const { version_info } = await (await handle(post({ node }))).json();
  const gone = new AbortController();
  const waiting = handle(post({ node, version_info }, { signal: gone.signal }));
  await until("the watch", () => cache.status("node").length === 1);
  gone.abort();
  await waiting;
  assertEquals(cache.status("node"), []);
  const { kind, ...closed } = events.at(-1)!;
  assertEquals(kind, "close");
  assertStringIncludes(String("error" in closed && closed.error), "went away");
});

Deno.test("a shutdown ends what waits", async () => {
  const ending = new AbortController();
  const { handle } = scene({ deadline: 60_000, signal: ending.signal });
  const { version_info } = await (await handle(post({ node }))).json();
  const waiting = handle(post({ node, version_info }));
  const nothing = handle(post({ node: { id: "else" } }));
  ending.abort();
  assertEquals((await waiting).status, 304);
  assertEquals((await nothing).status, 503);
});

Deno.test("nothing is held back: polls of different types know nothing of each other", async () => {
  const cache = new SnapshotCache({ ads: true });
  cache.set(
    "node",
    createSnapshot({
      resources: ["a", "b"].flatMap((
        name,
      ) => [cluster(name, "rest"), endpoints(name, 1)]),
    }),
  );
  const { handle } = scene({ cache });
  const path = "/v3/discovery:endpoints";
  const response = await handle(
    post({ node, resource_names: ["a"] }, { path }),
  );
  assertEquals(response.status, 200);
});

Deno.test("messages of every kind are written, however deep", async () => {
  const { cache, handle } = scene();
  const web = listener("web", { routeSpecifier: rds("routes", "rest") });
  cache.set("node", createSnapshot({ resources: [web] }));
  const path = "/v3/discovery:listeners";
  const { resources } = await (await handle(post({ node }, { path }))).json();
  const http = resources[0].filter_chains[0].filters[0].typed_config;
  assertEquals(http.rds.route_config_name, "routes");
  assertEquals(
    http.http_filters[0].typed_config["@type"],
    "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
  );
});

Deno.test("a resource with a TTL is wrapped, and no heartbeat ends a wait", async () => {
  const clock = new FakeClock();
  const cache = new SnapshotCache({ clock });
  const { handle } = scene({ cache });
  const resource = createResource(
    create(RuntimeSchema, { name: "layer", layer: { a: 1 } }),
    { ttl: 1_000 },
  );
  cache.set("node", createSnapshot({ resources: [resource] }));
  const path = "/v3/discovery:runtime";
  const body = { node, resource_names: ["layer"] };
  const { resources, version_info } = await (await handle(post(body, { path })))
    .json();
  assertEquals(resources[0].ttl, "1s");
  assertEquals(resources[0].resource.layer, { a: 1 });

  const waiting = handle(post({ ...body, version_info }, { path }));
  await until("a heartbeat to be due", () => clock.pending > 0);
  clock.advance(2_000);
  assertEquals((await waiting).status, 304);
});

Deno.test("what JSON cannot hold is refused by name, unless its schema is given", async () => {
  const custom = customSchema("acme.v1.Options");
  const options = create(custom, { text: "hello" } as Record<string, string>);
  const odd = create(ClusterSchema, {
    name: "odd",
    typedExtensionProtocolOptions: {
      acme: {
        typeUrl: `type.googleapis.com/${custom.typeName}`,
        value: toBinary(custom, options),
      },
    },
  });
  const cache = cacheWith("a");
  cache.set("node", cache.get("node")!.with({ set: [odd, endpoints("a", 1)] }));
  const plain = scene({ cache });
  const refused = await plain.handle(post({ node }));
  assertEquals(refused.status, 501);
  assertEquals(
    (await refused.json()).message,
    `resources[1] (${TypeUrl.Cluster}).typed_extension_protocol_options["acme"]: JSON cannot hold a acme.v1.Options, ` +
      "which is no message of Envoy's API: use gRPC, or give the server the message's schema",
  );
  const path = "/v3/discovery:endpoints";
  const body = { node, resource_names: ["a"] };
  assertEquals((await plain.handle(post(body, { path }))).status, 200);
  assertEquals(
    (await plain.handle(post({ node, resource_names: ["a"] }))).status,
    200,
  );

  // Looked up once for a response, however many ask for it.
  let lookups = 0;
  const types = createRegistry(custom);
  const counting = {
    ...types,
    [Symbol.iterator]: () => types[Symbol.iterator](),
    getMessage(name: string) {
      lookups++;
      return types.getMessage(name);
    },
  };
  const knowing = scene({ cache, types: counting });
  const answers = await Promise.all([
    knowing.handle(post({ node })),
    knowing.handle(post({ node: { id: "node", cluster: "another" } })),
  ]);
  const once = lookups;
  assert(once > 0);
  answers.push(await knowing.handle(post({ node, version_info: "old" })));
  assertEquals(lookups, once);
  for (const answer of answers) {
    const { resources } = await answer.json();
    assertEquals(resources[1].typed_extension_protocol_options.acme, {
      "@type": `type.googleapis.com/${custom.typeName}`,
      text: "hello",
    });
  }
});

Deno.test("a resource whose bytes are no message is named", async () => {
  const { cache, handle } = scene();
  const bytes = new Uint8Array([10, 200]);
  const broken = createResource({
    typeUrl: TypeUrl.Cluster,
    name: "broken",
    bytes,
  });
  cache.set("node", cache.get("node")!.with({ set: [broken] }));
  const response = await handle(post({ node }));
  assertEquals(response.status, 500);
  assertStringIncludes(
    (await response.json()).message,
    `resources[1] (${TypeUrl.Cluster}) cannot be written as JSON`,
  );
});

Deno.test("Deno.serve serves it, and says who the peer is", async () => {
  const { events, handle } = scene();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    handle,
  );
  const url = `http://127.0.0.1:${server.addr.port}${CLUSTERS}`;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({ node }),
  });
  assertEquals((await response.json()).resources.length, 1);
  assertEquals(events[0].stream!.peer.hostname, "127.0.0.1");
});

Deno.test("a deadline that is none is refused", () => {
  const { cache } = scene();
  for (const deadline of [-1, NaN, 2 ** 31, Infinity]) {
    let message = "";
    try {
      restHandler({ cache, deadline });
    } catch (error) {
      message = String(error);
    }
    assertStringIncludes(message, `RangeError: deadline is ${deadline}`);
  }
});
