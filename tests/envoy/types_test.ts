import { create } from "@bufbuild/protobuf";
import { assertEquals, assertMatch } from "@std/assert";
import {
  createResource,
  createSnapshot,
  serve,
  SnapshotCache,
} from "../../mod.ts";
import { TypedExtensionConfigSchema } from "@xds/envoy/envoy/config/core/v3";
import {
  RouteConfigurationSchema,
  ScopedRouteConfigurationSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@xds/envoy/envoy/config/route/v3";
import {
  HeaderMutationSchema,
} from "@xds/envoy/envoy/extensions/filters/http/header_mutation/v3";
import { RuntimeSchema } from "@xds/envoy/envoy/service/runtime/v3";
import { envoyVersion } from "../../examples/setup.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { ConversationLog } from "../support/conversation_log.ts";
import { Envoy } from "../support/envoy.ts";
import { get } from "../support/http.ts";
import {
  any,
  cluster,
  configSource,
  endpoints,
  listener,
  type ListenerParts,
  rds,
  routes,
  type Source,
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";

const NODE = "envoy-types";

function scopedRoutes(source: Source): ListenerParts["routeSpecifier"] {
  return {
    case: "scopedRoutes",
    value: {
      name: "scopes",
      rdsConfigSource: configSource(source),
      scopeKeyBuilder: {
        fragments: [{
          type: {
            case: "headerValueExtractor",
            value: { name: "host", extractType: { case: "index", value: 0 } },
          },
        }],
      },
      configSpecifier: {
        case: "scopedRds",
        value: { scopedRdsConfigSource: configSource(source) },
      },
    },
  };
}

function scope(host: string, routeConfigurationName: string) {
  return create(ScopedRouteConfigurationSchema, {
    name: `scope of ${host}`,
    routeConfigurationName,
    key: { fragments: [{ type: { case: "stringKey", value: host } }] },
  });
}

/** An HTTP filter, by ECDS, that sets a response header. */
function headerFilter(name: string, value: string) {
  const filter = any(HeaderMutationSchema, {
    mutations: {
      responseMutations: [{
        action: {
          case: "append",
          value: { header: { key: "x-from-ecds", value } },
        },
      }],
    },
  });
  return create(TypedExtensionConfigSchema, { name, typedConfig: filter });
}

function virtualHost(name: string, cluster: string): VirtualHost {
  return create(VirtualHostSchema, {
    name,
    domains: ["*"],
    routes: [{
      match: { pathSpecifier: { case: "prefix", value: "/" } },
      action: {
        case: "route",
        value: { clusterSpecifier: { case: "cluster", value: cluster } },
      },
    }],
  });
}

function runtime(name: string, value: number) {
  return create(RuntimeSchema, { name, layer: { "tests.value": value } });
}

for (
  const { name, source, delta } of [
    { name: "ADS, state of the world", source: "ads" },
    { name: "ADS, delta", source: "ads", delta: true },
    { name: "services, state of the world", source: "sotw" },
    { name: "services, delta", source: "delta" },
  ] as { name: string; source: Source; delta?: boolean }[]
) {
  Deno.test(`scoped routes, extension configs and runtime reach a real Envoy by ${name}`, async () => {
    await using one = new Upstream("upstream-one");
    await using two = new Upstream("upstream-two");
    const cache = new SnapshotCache({ ads: source === "ads" });
    const first = createSnapshot({
      resources: [
        listener("scoped", {
          routeSpecifier: scopedRoutes(source),
          httpFilters: [{
            name: "header",
            configType: {
              case: "configDiscovery",
              value: {
                configSource: configSource(source),
                typeUrls: [
                  "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                ],
              },
            },
          }],
        }),
        scope("one.test", "to-one"),
        scope("two.test", "to-two"),
        routes("to-one", one.name),
        routes("to-two", two.name),
        cluster(one.name, source),
        cluster(two.name, source),
        endpoints(one.name, one.port),
        endpoints(two.name, two.port),
        headerFilter("header", "first"),
        runtime("layer", 1),
      ],
    });
    assertEquals(first.check(), []);
    cache.set(NODE, first);
    await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
    const options = {
      node: NODE,
      port: server.addr.port,
      source,
      delta,
      runtimeLayer: "layer",
    };
    await using envoy = await Envoy.start(bootstrap(options));
    await envoy.live();
    const port = await envoy.port("scoped");

    const ask = async (host: string) => {
      const { body, headers } = await get(port, { host });
      return `${body} ${headers["x-from-ecds"]}`;
    };
    const answers = (host: string, answer: string) =>
      until(`${answer} for ${host}`, async () => await ask(host) === answer);
    const runtimeValue = async () =>
      JSON.parse(await envoy.admin("/runtime")).entries?.["tests.value"]
        ?.final_value;
    await answers("one.test", "upstream-one first");
    await answers("two.test", "upstream-two first");
    await until(
      "the runtime's value",
      async () => await runtimeValue() === "1",
    );

    cache.set(
      NODE,
      first.with({
        set: [
          scope("two.test", "to-one"),
          headerFilter("header", "second"),
          runtime("layer", 2),
        ],
      }),
    );
    await answers("two.test", "upstream-one second");
    await until(
      "the runtime's next value",
      async () => await runtimeValue() === "2",
    );
    const { accepted } = await cache.settled(NODE, {
      signal: AbortSignal.timeout(15_000),
    });
    assertEquals(accepted, true);
  });
}

if (envoyVersion() === "1.36") {
  Deno.test("Envoy 1.36 nacks routes whose virtual hosts come by ADS", async () => {
    const cache = new SnapshotCache();
    const resources = [
      listener("vhosts", { routeSpecifier: rds("by-host", "ads") }),
      create(RouteConfigurationSchema, {
        name: "by-host",
        vhds: { configSource: configSource("ads") },
      }),
    ];
    cache.set(NODE, createSnapshot({ resources }));
    const log = new ConversationLog();
    const observer = log.observe;
    await using server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      observer,
    });
    const { port } = server.addr;
    await using _envoy = await Envoy.start(
      bootstrap({ node: NODE, port, source: "ads", delta: true }),
    );
    const isNacked = () => log.events.some(({ kind }) => kind === "nack");
    await until("a nack", isNacked);
    assertMatch(String(log), /vhds: only 'DELTA_GRPC' is supported/);
  });
}

for (
  const source of envoyVersion() === "1.36"
    ? ["delta"] as const
    : ["ads", "delta"] as const
) {
  Deno.test(`virtual hosts reach a real Envoy by ${source === "ads" ? "ADS" : "VHDS"}, delta`, async () => {
    await using one = new Upstream("upstream-one");
    await using two = new Upstream("upstream-two");
    const cache = new SnapshotCache();
    const snapshot = (upstream: Upstream) =>
      createSnapshot({
        resources: [
          listener("vhosts", {
            routeSpecifier: {
              case: "rds",
              value: {
                routeConfigName: "by-host",
                configSource: configSource(source),
              },
            },
          }),
          create(RouteConfigurationSchema, {
            name: "by-host",
            vhds: { configSource: configSource(source) },
          }),
          createResource(virtualHost("all", upstream.name), {
            name: "by-host/all.test",
          }),
          cluster(one.name, source),
          cluster(two.name, source),
          endpoints(one.name, one.port),
          endpoints(two.name, two.port),
        ],
      });
    cache.set(NODE, snapshot(one));
    await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
    await using envoy = await Envoy.start(
      bootstrap({ node: NODE, port: server.addr.port, source, delta: true }),
    );
    await envoy.live();
    const port = await envoy.port("vhosts");
    const answers = (name: string) =>
      until(
        `an answer of ${name}`,
        async () => (await get(port, { host: "all.test" })).body === name,
        3000,
      );
    await answers("upstream-one");
    cache.set(NODE, snapshot(two));
    await answers("upstream-two");
  });
}
