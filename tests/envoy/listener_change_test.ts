/** Listeners that change, and what Envoy still needs, or requests again, because of that. */
import { assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { Agent, request } from "node:http";
import {
  type ConfigSource,
  TypedExtensionConfigSchema,
} from "@xds/envoy/envoy/config/core/v3";
import type { Listener } from "@xds/envoy/envoy/config/listener/v3";
import { BufferSchema } from "@xds/envoy/envoy/extensions/filters/http/buffer/v3";
import { createSnapshot, type Snapshot, TypeUrl } from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { get } from "../support/http.ts";
import {
  answering,
  any,
  certificate,
  cluster,
  configSource,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";
import { freePort } from "../support/free_port.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";
import { NODE, PROMPT, PROTOCOLS, Scene } from "./_scene.ts";

/** A client that keeps one connection. */
class KeptConnection implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** The body that a request is answered with. */
  ask(): Promise<string> {
    return new Promise((resolve, reject) => {
      const target = { hostname: "127.0.0.1", port: this.#port };
      const call = request({ ...target, agent: this.#agent, path: "/" });
      call.on("error", reject);
      call.on("response", async (response) => {
        let body = "";
        for await (const chunk of response) body += chunk;
        resolve(body);
      });
      call.end();
    });
  }

  [Symbol.dispose]() {
    this.#agent.destroy();
  }
}

/** A listener on a port, with routes that lead to a cluster of its own, all named after the upstream. */
function leadingTo(name: string, port: number, upstream: Upstream): Snapshot {
  const { name: to } = upstream;
  const web = listener(name, { port, routeSpecifier: rds(to, "ads") });
  return createSnapshot({
    resources: [
      web,
      routes(to, to),
      cluster(to, "ads"),
      endpoints(to, upstream.port),
    ],
  });
}

/** The same place to get resources from, written differently. */
function otherSource(): ConfigSource {
  return configSource("ads", 11n);
}

function withSecret(text: string, source = configSource("ads")): Snapshot {
  const web = listener("web", {
    routeSpecifier: answering(text),
    tls: { secret: "web-cert", source: "ads", config: source },
  });
  const secret = certificate("web-cert", pem("server.pem"), pem("server.key"));
  return createSnapshot({ resources: [web, secret] });
}

function withFilter(text: string, source = configSource("ads")): Snapshot {
  const bufferUrl =
    "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer";
  const web: Listener = listener("web", {
    routeSpecifier: answering(text),
    httpFilters: [{
      name: "buffer",
      configType: {
        case: "configDiscovery",
        value: { configSource: source, typeUrls: [bufferUrl] },
      },
    }],
  });
  const filter = create(TypedExtensionConfigSchema, {
    name: "buffer",
    typedConfig: any(BufferSchema, { maxRequestBytes: 1_000 }),
  });
  return createSnapshot({ resources: [web, filter] });
}

async function cutOnce(scene: Scene, snapshot: Snapshot) {
  scene.cut();
  await until("the end", () => scene.cache.status(NODE).length === 0);
  scene.set(snapshot);
  await until("Envoy to connect", () => scene.cache.status(NODE).length > 0);
}

for (const { delta, protocol } of PROTOCOLS) {
  Deno.test(`a listener that replaces another on the same address, ${protocol}`, async () => {
    await using one = new Upstream("one");
    await using two = new Upstream("two");
    const port = freePort();
    const snapshot = leadingTo("first", port, one);
    await using scene = await Scene.start({
      delta,
      snapshot,
      cache: { drain: 4_000 },
      args: ["--drain-time-s", "4"],
    });
    await scene.log.explain(async () => {
      await scene.starts();
      using kept = new KeptConnection(port);
      assertEquals(await kept.ask(), "one");
      scene.log.events.length = 0;
      scene.set(leadingTo("second", port, two));
      assertEquals((await scene.settles()).accepted, true);
      // Between the removal of the first and the second, nobody would listen.
      for (const event of scene.log.events) {
        if (event.kind === "send" && event.typeUrl === TypeUrl.Listener) {
          assertEquals(event.names, ["second"]);
        }
      }
      assertEquals((await get(port)).body, "two");
      assertEquals(await kept.ask(), "one");
    });
  });

  Deno.test(`a connection that was open before a listener changed, with the defaults of both sides, ${protocol}`, async () => {
    await using one = new Upstream("one");
    await using two = new Upstream("two");
    const snapshot = leadingTo("web", 0, one);
    await using scene = await Scene.start({ delta, snapshot });
    await scene.log.explain(async () => {
      await scene.starts();
      const port = await scene.envoy.port("web");
      using kept = new KeptConnection(port);
      assertEquals(await kept.ask(), "one");
      scene.set(leadingTo("web", 0, two));
      assertEquals((await scene.settles()).accepted, true);
      const isChanged = async () => (await get(port)).body === "two";
      await until("the changed listener", isChanged, PROMPT);
      assertEquals(await kept.ask(), "one");
    });
  });

  for (
    const { what, disturb } of [
      { what: "the connection was cut", disturb: cutOnce },
      {
        what: "the control plane restarted",
        disturb: (scene: Scene, snapshot: Snapshot) => scene.restart(snapshot),
      },
    ]
  ) {
    Deno.test(`a connection that was open before a listener changed, and then ${what}, ${protocol}`, async () => {
      await using one = new Upstream("one");
      await using two = new Upstream("two");
      await using three = new Upstream("three");
      const snapshot = leadingTo("web", 0, one);
      await using scene = await Scene.start({ delta, snapshot });
      await scene.log.explain(async () => {
        await scene.starts();
        const port = await scene.envoy.port("web");
        using kept = new KeptConnection(port);
        assertEquals(await kept.ask(), "one");
        for (const upstream of [two, three, two, three, two, three]) {
          scene.set(leadingTo("web", 0, upstream));
          assertEquals((await scene.settles()).accepted, true);
        }
        const next = leadingTo("web", 0, two);
        await disturb(scene, next);
        assertEquals((await scene.settles()).accepted, true);
        assertEquals(await kept.ask(), "one");
      });
    });
  }

  for (
    const [what, make, ca] of [
      ["secret", withSecret, pem("ca.pem")],
      ["filter", withFilter, undefined],
    ] as const
  ) {
    Deno.test(`a listener that gets the same ${what} in another way, ${protocol}`, async () => {
      const snapshot = make("before");
      await using scene = await Scene.start({ delta, snapshot });
      await scene.log.explain(async () => {
        await scene.starts();
        const port = await scene.envoy.port("web");
        const ask = async () => (await get(port, { ca })).body;
        assertEquals(await ask(), "before");
        scene.set(make("after", otherSource()));
        const isChanged = async () => await ask() === "after";
        await until("the changed listener", isChanged, PROMPT);
        assertEquals((await scene.settles()).accepted, true);
      });
    });
  }
}
