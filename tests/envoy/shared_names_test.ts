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
  type ListenerParts,
  rds,
  routes,
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";
import { PROMPT, PROTOCOLS, Scene } from "./_scene.ts";

/** A cluster whose endpoints have the name `shared`. */
function sharing(name: string): Cluster {
  const edsClusterConfig = create(Cluster_EdsClusterConfigSchema, {
    serviceName: "shared",
    edsConfig: configSource("ads"),
  });
  return cluster(name, "ads", { edsClusterConfig });
}

/** The aggregated stream, written differently for each of the two. */
function sourceFor(name: string) {
  return configSource("ads", name === "newer" ? 11n : 10n);
}

/** Listeners with what they need. */
type Make = (upstream: Upstream, ...names: string[]) => Snapshot;

const EMPTY = createSnapshot({ resources: [] });

const withEndpoints: Make = (upstream, ...names) =>
  names.length === 0 ? EMPTY : createSnapshot({
    resources: [
      endpoints("shared", upstream.port),
      ...names.flatMap((name) => [
        listener(name, { routeSpecifier: rds(name, "ads") }),
        routes(name, name),
        sharing(name),
      ]),
    ],
  });

const withRoutes: Make = (upstream, ...names) =>
  names.length === 0 ? EMPTY : createSnapshot({
    resources: [
      cluster("users", "ads"),
      endpoints("users", upstream.port),
      routes("shared", "users"),
      ...names.map((name): Listener => {
        const source = sourceFor(name);
        const value = { routeConfigName: "shared", configSource: source };
        return listener(name, { routeSpecifier: { case: "rds", value } });
      }),
    ],
  });

const withSecret: Make = (upstream, ...names) =>
  names.length === 0 ? EMPTY : createSnapshot({
    resources: [
      cluster("users", "ads"),
      endpoints("users", upstream.port),
      routes("shared", "users"),
      certificate("cert", pem("server.pem"), pem("server.key")),
      ...names.map((name): Listener => {
        const config = sourceFor(name);
        const tls: ListenerParts["tls"] = {
          secret: "cert",
          source: "ads",
          config,
        };
        return listener(name, { routeSpecifier: rds("shared", "ads"), tls });
      }),
    ],
  });

/** Waits until Envoy has removed its listeners, whose connections it still drains. */
async function noListeners({ envoy }: Scene) {
  const areGone = async () => await envoy.admin("/listeners") === "";
  await until("the removal of the listeners", areGone, PROMPT);
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
        { older: "an older one has", steps: [["older", "newer"]] },
        // Envoy still drains the older listener.
        { older: "a removed one had", steps: [["newer"]] },
        { older: "one removed before had", steps: [[], ["newer"]] },
      ]
    ) {
      Deno.test(`${what} that ${older}, too, ${protocol}`, async () => {
        await using upstream = new Upstream("upstream");
        const snapshot = make(upstream, "older");
        await using scene = await Scene.start({ delta, snapshot });
        await scene.log.explain(async () => {
          await scene.starts();
          for (const names of steps) {
            scene.set(make(upstream, ...names));
            if (names.length === 0) await noListeners(scene);
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
