import { create } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import {
  RouteConfigurationSchema,
  VirtualHostSchema,
} from "@xds/envoy/envoy/config/route/v3";
import { OnDemandSchema } from "@xds/envoy/envoy/extensions/filters/http/on_demand/v3";
import {
  createSnapshot,
  MuxCache,
  OnDemandCache,
  serve,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { envoyVersion } from "../../examples/setup.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { Envoy } from "../support/envoy.ts";
import { get } from "../support/http.ts";
import {
  any,
  cluster,
  configSource,
  endpoints,
  listener,
  rds,
  type Source,
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";

const NODE = "envoy-on-demand";
/** Milliseconds, far below any timeout of Envoy's. */
const PROMPT = 3_000;

const ways: { name: string; source: Source }[] = [
  { name: "ADS", source: "ads" },
  { name: "a service for each type", source: "delta" },
];

/** The routes whose cluster a request's header names. */
function routesByHeader(name: string) {
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts: [{
      name: "all",
      domains: ["*"],
      routes: [{
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        action: {
          case: "route",
          value: {
            clusterSpecifier: { case: "clusterHeader", value: "x-cluster" },
          },
        },
      }],
    }],
  });
}

/** Whether Envoy does not notice that a cluster it requested does not exist: 1.36, from a service of its own. */
function waitsForMissing(source: Source): boolean {
  return envoyVersion() === "1.36" && source === "delta";
}

/** In Envoy 1.36, virtual hosts cannot come by ADS; types_test.ts has what it says of that. */
const vhdsWays = ways.filter(({ source }) =>
  envoyVersion() !== "1.36" || source !== "ads"
);

async function promptly<T>(answer: Promise<T>): Promise<T> {
  const start = performance.now();
  const given = await answer;
  const took = performance.now() - start;
  if (took > PROMPT) throw new Error(`the answer took ${took} ms`);
  return given;
}

for (const { name, source } of ways) {
  Deno.test(`a real Envoy asks for a cluster when a request is for it (ODCDS), by ${name}`, async () => {
    await using one = new Upstream("upstream-one");
    await using two = new Upstream("upstream-two");
    const known = new Map([[one.name, one.port]]);
    const asked: string[] = [];
    const onDemand = new OnDemandCache(async ({ typeUrl, name }) => {
      await undefined;
      if (typeUrl === TypeUrl.Cluster) asked.push(name);
      const port = known.get(name);
      if (port === undefined) return undefined;
      return typeUrl === TypeUrl.Cluster
        ? cluster(name, source)
        : endpoints(name, port);
    });
    const fixed = new SnapshotCache();
    fixed.set(
      NODE,
      createSnapshot({
        resources: [
          listener("web", {
            routeSpecifier: rds("by-header", source),
            httpFilters: [{
              name: "on_demand",
              configType: {
                case: "typedConfig",
                value: any(OnDemandSchema, {
                  odcds: {
                    source: configSource(source),
                    timeout: { seconds: waitsForMissing(source) ? 1n : 30n },
                  },
                }),
              },
            }],
          }),
          routesByHeader("by-header"),
        ],
      }),
    );
    const cache = new MuxCache(({ typeUrl }) =>
      typeUrl === TypeUrl.Cluster || typeUrl === TypeUrl.ClusterLoadAssignment
        ? onDemand
        : fixed
    );
    await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
    await using envoy = await Envoy.start(
      bootstrap({ node: NODE, port: server.addr.port, source, delta: true }),
    );
    await envoy.live();
    const port = await envoy.port("web");
    const ask = async (name: string) => {
      const { status, body } = await promptly(
        get(port, { headers: { "x-cluster": name } }),
      );
      return status === 200 ? body : status;
    };

    assertEquals(await ask("upstream-one"), "upstream-one");
    assertEquals(await ask("upstream-one"), "upstream-one");
    assertEquals(asked, ["upstream-one"]);

    // What does not exist fails at once; from the next request on, Envoy 1.40 waits for it without asking again.
    const start = performance.now();
    assertEquals(await ask("upstream-two"), 503);
    assertEquals(performance.now() - start > 900, waitsForMissing(source));
    assertEquals(asked, ["upstream-one", "upstream-two"]);

    known.set(two.name, two.port);
    onDemand.invalidate("upstream-two");
    if (waitsForMissing(source)) {
      // Envoy 1.36 acks it, and goes on without it.
      assertEquals(await ask("upstream-two"), 503);
      return;
    }
    await until(
      "the cluster that has come to be",
      async () => await ask("upstream-two") === "upstream-two",
    );

    known.delete(one.name);
    onDemand.invalidate("upstream-one");
    await until(
      "the end of the cluster that is no more",
      async () => !(await envoy.admin("/clusters")).includes("upstream-one::"),
    );
    assertEquals(await ask("upstream-two"), "upstream-two");
  });
}

for (const { name, source } of vhdsWays) {
  Deno.test(`a real Envoy asks for a virtual host when a request is for it (VHDS), by ${name}`, async () => {
    await using one = new Upstream("upstream-one");
    await using two = new Upstream("upstream-two");
    const known = new Map([["by-host/one.test", one.name]]);
    const asked: string[] = [];
    const hosts = new OnDemandCache(({ name }) => {
      asked.push(name);
      const cluster = known.get(name);
      return cluster === undefined ? undefined : create(VirtualHostSchema, {
        name,
        domains: [name.slice("by-host/".length)],
        routes: [{
          match: { pathSpecifier: { case: "prefix", value: "/" } },
          action: {
            case: "route",
            value: { clusterSpecifier: { case: "cluster", value: cluster } },
          },
        }],
      });
    });
    const fixed = new SnapshotCache();
    fixed.set(
      NODE,
      createSnapshot({
        resources: [
          listener("web", {
            routeSpecifier: rds("by-host", source),
            httpFilters: [{
              name: "on_demand",
              configType: { case: "typedConfig", value: any(OnDemandSchema) },
            }],
          }),
          create(RouteConfigurationSchema, {
            name: "by-host",
            vhds: {
              // At its start Envoy waits, until then, for a host that it has not asked for.
              configSource: configSource(source, 1n),
            },
          }),
          ...[one, two].flatMap(({ name, port }) => [
            cluster(name, source),
            endpoints(name, port),
          ]),
        ],
      }),
    );
    const cache = new MuxCache(({ typeUrl }) =>
      typeUrl === TypeUrl.VirtualHost ? hosts : fixed
    );
    await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
    await using envoy = await Envoy.start(
      bootstrap({ node: NODE, port: server.addr.port, source, delta: true }),
    );
    await envoy.live();
    const port = await envoy.port("web");
    const ask = async (host: string) => {
      const { status, body } = await promptly(get(port, { host }));
      return status === 200 ? body : status;
    };

    assertEquals(await ask("one.test"), "upstream-one");
    assertEquals(await ask("one.test"), "upstream-one");
    assertEquals(await ask("two.test"), 404);
    assertEquals(await ask("two.test"), 404);
    assertEquals(asked, ["by-host/one.test", "by-host/two.test"]);

    known.set("by-host/two.test", two.name);
    hosts.invalidate("by-host/two.test");
    await until(
      "the host that has come to be",
      async () => await ask("two.test") === "upstream-two",
    );

    known.delete("by-host/one.test");
    hosts.invalidate("by-host/one.test");
    await until(
      "the end of the host that is no more",
      async () => await ask("one.test") === 404,
    );
    assertEquals(await ask("two.test"), "upstream-two");
  });
}
