/** Changes that reach Envoy, or are interrupted, while it warms clusters. */
import { assertEquals } from "@std/assert";
import type { Cluster } from "@xds/envoy/envoy/config/cluster/v3";
import {
  type Secret,
  SecretSchema,
  UpstreamTlsContextSchema,
} from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  createSnapshot,
  type Snapshot,
  type SnapshotOptions,
  TypeUrl,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { get } from "../support/http.ts";
import {
  any,
  cluster,
  configSource,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";
import { clusters } from "./_clusters.ts";
import { PROMPT, PROTOCOLS, Scene } from "./_scene.ts";

/** Delay of what Envoy says, in milliseconds, so that something can happen before it is heard. */
const DELAY = 60;
/** How long Envoy may take to connect again. */
const RECONNECT = 1_500;

/** A listener whose routes lead to one cluster with endpoints. */
function leadingTo(
  name: string,
  upstream: Upstream,
  more: { cluster?: Partial<Cluster>; secrets?: Secret[] } = {},
): Snapshot {
  return createSnapshot({
    resources: [
      listener("web", { routeSpecifier: rds("routes", "ads") }),
      routes("routes", name),
      cluster(name, "ads", more.cluster),
      endpoints(name, upstream.port),
      ...more.secrets ?? [],
    ],
  });
}

/** A cluster's time to connect. */
function timeout(seconds: number): Partial<Cluster> {
  const connectTimeout = create(DurationSchema, { seconds: BigInt(seconds) });
  return { connectTimeout };
}

/** The same with TLS, whose authority comes by SDS. */
function withTls(name: string, upstream: Upstream): Snapshot {
  const context = any(UpstreamTlsContextSchema, {
    commonTlsContext: {
      validationContextType: {
        case: "validationContextSdsSecretConfig",
        value: { name: `ca-${name}`, sdsConfig: configSource("ads") },
      },
    },
  });
  const { transportSocket } = {
    transportSocket: {
      $typeName: "envoy.config.core.v3.TransportSocket",
      name: "tls",
      configType: { case: "typedConfig", value: context },
    },
  } as const;
  const secret = create(SecretSchema, {
    name: `ca-${name}`,
    type: {
      case: "validationContext",
      value: {
        trustedCa: {
          specifier: { case: "inlineString", value: pem("ca.pem") },
        },
      },
    },
  });
  return leadingTo(name, upstream, {
    cluster: { transportSocket },
    secrets: [secret],
  });
}

/** Whether a cluster was sent. */
function wasSent({ log }: Scene, name: string): boolean {
  return log.sent(TypeUrl.Cluster).includes(name);
}

for (const { delta, protocol } of PROTOCOLS) {
  for (
    const [what, make] of [
      ["endpoints", leadingTo],
      ["endpoints and secrets", withTls],
    ] as const
  ) {
    Deno.test(`clusters that replace others before Envoy has requested the ${what} of those, ${protocol}`, async () => {
      await using upstream = new Upstream("upstream");
      const snapshot = make("zero", upstream);
      await using scene = await Scene.start({ delta, snapshot });
      await scene.log.explain(async () => {
        await scene.starts();
        scene.proxy.delay = DELAY;
        scene.set(make("one", upstream));
        await scene.setWhen(() => wasSent(scene, "one"), make("two", upstream));
        assertEquals((await scene.settles()).accepted, true);
        assertEquals(await clusters(scene.envoy), ["two 2s"]);
      });
    });
  }

  Deno.test(`a cluster that changes again before Envoy has requested its endpoints, ${protocol}`, async () => {
    await using upstream = new Upstream("upstream");
    const slower = (seconds: number) =>
      leadingTo("users", upstream, { cluster: timeout(seconds) });
    const snapshot = slower(1);
    await using scene = await Scene.start({ delta, snapshot });
    await scene.log.explain(async () => {
      await scene.starts();
      scene.log.events.length = 0;
      scene.proxy.delay = DELAY;
      scene.set(slower(2));
      await scene.setWhen(() => wasSent(scene, "users"), slower(3));
      assertEquals((await scene.settles()).accepted, true);
      assertEquals(await clusters(scene.envoy), ["users 3s"]);
    });
  });

  Deno.test(`a cluster that warms while the connection is lost, ${protocol}`, async () => {
    await using upstream = new Upstream("upstream");
    const snapshot = leadingTo("users", upstream);
    await using scene = await Scene.start({ delta, snapshot });
    await scene.log.explain(async () => {
      await scene.starts();
      scene.proxy.delay = 1_000;
      scene.set(leadingTo("users", upstream, { cluster: timeout(3) }));
      const { envoy } = scene;
      const warming = () => envoy.stat("cluster_manager.warming_clusters");
      // In delta, the endpoints may come along with the cluster.
      const isThere = async () =>
        await warming() === 1 || `${await clusters(envoy)}` === "users 3s";
      await until("the changed cluster", isThere);
      scene.cut();
      const isWarm = async () => await warming() === 0;
      await until("the cluster to be warm", isWarm, RECONNECT + PROMPT);
      assertEquals(await clusters(envoy), ["users 3s"]);
      assertEquals((await scene.settles()).accepted, true);
    });
  });

  Deno.test(`routes that Envoy requests only after the connection was lost, ${protocol}`, async () => {
    await using upstream = new Upstream("upstream");
    const versions = (listeners: string): SnapshotOptions["version"] => ({
      [TypeUrl.Listener]: listeners,
      [TypeUrl.RouteConfiguration]: "1",
      [TypeUrl.Cluster]: "1",
      [TypeUrl.ClusterLoadAssignment]: "1",
    });
    const withListeners = (version: string, ...names: string[]) =>
      createSnapshot({
        version: versions(version),
        resources: [
          ...names.map((name) =>
            listener(name, { routeSpecifier: rds(name, "ads") })
          ),
          routes("one", "users"),
          routes("two", "users"),
          cluster("users", "ads"),
          endpoints("users", upstream.port),
        ],
      });
    const snapshot = withListeners("1", "one");
    await using scene = await Scene.start({ delta, snapshot });
    await scene.log.explain(async () => {
      await scene.starts();
      scene.proxy.delay = 1_000;
      scene.set(withListeners("2", "one", "two"));
      const { envoy } = scene;
      const warming = () =>
        envoy.stat("listener_manager.total_listeners_warming");
      await until("the listener to warm", async () => await warming() === 1);
      scene.cut();
      const isWarm = async () => await warming() === 0;
      await until("the listener to be warm", isWarm, RECONNECT + PROMPT);
      const { body } = await get(await envoy.port("two"));
      assertEquals(body, "upstream");
    });
  });

  Deno.test(`a cluster without endpoints does not delay the start, ${protocol}`, async () => {
    const snapshot = createSnapshot({
      resources: [
        listener("web", { routeSpecifier: rds("routes", "ads") }),
        routes("routes", "users"),
        cluster("users", "ads"),
      ],
    });
    await using scene = await Scene.start({ delta, snapshot });
    await scene.log.explain(async () => {
      assertEquals((await scene.starts()).accepted, true);
      const { status } = await get(await scene.envoy.port("web"));
      assertEquals(status, 503);
    });
  });
}
