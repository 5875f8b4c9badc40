/** Resources that something new refers to while something older of Envoy's is still subscribed to them. */
import { assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_EdsClusterConfigSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import type { Listener } from "@xds/envoy/envoy/config/listener/v3";
import { createSnapshot, type Snapshot } from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { get } from "../support/http.ts";
import {
  certificate,
  cluster,
  configSource,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";
import { PROMPT, PROTOCOLS, Scene } from "./_scene.ts";

/** What a listener needs: `older` and `newer` share it, `other` has its own. */
function needOf(name: string): string {
  return name === "other" ? "own" : "shared";
}

/** The aggregated stream, written differently for `newer`. */
function sourceFor(name: string) {
  return configSource("ads", name === "newer" ? 11n : 10n);
}

/** Listeners with what they need. */
type Make = (upstream: Upstream, names: readonly string[]) => Snapshot;

const withEndpoints: Make = (upstream, names) =>
  createSnapshot({
    resources: [
      ...new Set(names.map(needOf)).values().map((need) =>
        endpoints(need, upstream.port)
      ),
      ...names.flatMap((name) => [
        listener(name, { routeSpecifier: rds(name, "ads") }),
        routes(name, name),
        sharing(name),
      ]),
    ],
  });

function sharing(name: string): Cluster {
  const edsClusterConfig = create(Cluster_EdsClusterConfigSchema, {
    serviceName: needOf(name),
    edsConfig: configSource("ads"),
  });
  return cluster(name, "ads", { edsClusterConfig });
}

const withRoutes: Make = (upstream, names) =>
  createSnapshot({
    resources: [
      cluster("users", "ads"),
      endpoints("users", upstream.port),
      ...new Set(names.map(needOf)).values().map((need) =>
        routes(need, "users")
      ),
      ...names.map((name): Listener => {
        const routeConfigName = needOf(name);
        const value = { routeConfigName, configSource: sourceFor(name) };
        return listener(name, { routeSpecifier: { case: "rds", value } });
      }),
    ],
  });

const withSecret: Make = (upstream, names) =>
  createSnapshot({
    resources: [
      cluster("users", "ads"),
      endpoints("users", upstream.port),
      routes("routes", "users"),
      ...new Set(names.map(needOf)).values().map((need) =>
        certificate(need, pem("server.pem"), pem("server.key"))
      ),
      ...names.map((name): Listener => {
        const config = sourceFor(name);
        const tls = { secret: needOf(name), source: "ads", config } as const;
        return listener(name, { routeSpecifier: rds("routes", "ads"), tls });
      }),
    ],
  });

/** Waits until Envoy has these listeners and no other, although it drains others. */
async function hasListeners({ envoy, log }: Scene, names: readonly string[]) {
  const expected = names.toSorted().join();
  await until(`listeners ${expected}`, async () => {
    const lines = (await envoy.admin("/listeners")).trim().split("\n");
    return lines.map((line) => line.split("::")[0]).toSorted().join() ===
      expected;
  }, PROMPT);
  log.note(`listeners ${expected}`);
}

const REFERRERS = [
  { what: "a cluster with the endpoints", make: withEndpoints },
  { what: "a listener with the routes", make: withRoutes },
  { what: "a listener with the secret", make: withSecret, ca: "ca.pem" },
];

for (const { delta, protocol } of PROTOCOLS) {
  for (const { what, make, ca } of REFERRERS) {
    for (
      const { older, steps } of [
        { older: "an older one has", steps: [["other", "older", "newer"]] },
        // Envoy still drains the older listener.
        { older: "a removed one had", steps: [["other", "newer"]] },
        {
          older: "one removed before had",
          steps: [["other"], ["other", "newer"]],
        },
        { older: "the last one had", steps: [[], ["newer"]] },
      ]
    ) {
      Deno.test(`${what} that ${older}, too, ${protocol}`, async () => {
        await using upstream = new Upstream("upstream");
        const snapshot = make(upstream, ["other", "older"]);
        await using scene = await Scene.start({ delta, snapshot });
        await scene.log.explain(async () => {
          await scene.starts();
          for (const names of steps) {
            scene.set(make(upstream, names));
            await hasListeners(scene, names);
          }
          const ask = async () => {
            const port = await scene.envoy.port("newer");
            return await get(port, ca ? { ca: pem(ca) } : {});
          };
          const serves = async () => (await ask()).body === "upstream";
          await until("the newer one to serve", serves, PROMPT);
          assertEquals((await scene.settles()).accepted, true);
        });
      });
    }
  }
}
