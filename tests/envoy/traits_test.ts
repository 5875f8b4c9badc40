/** Whether `EnvoyModel` sends what a real Envoy sends when both are sent the same. `tests/model/traits.md` lists the traits. */
import { assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { TypeUrl } from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { freePort } from "../support/free_port.ts";
import {
  certificate,
  cluster,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";
import { Trait } from "./_trait.ts";

const { Cluster, ClusterLoadAssignment, Listener, RouteConfiguration, Secret } =
  TypeUrl;
/** A port that nobody needs to listen on. */
const PORT = 9;

const listenerWithPort = (name: string, port: number) =>
  listener(name, { routeSpecifier: rds("routes", "ads"), port });

const web = (route: string) =>
  listener("web", { routeSpecifier: rds(route, "ads") });

/** A cluster with another timeout than others, which makes it a changed one; 0 violates a rule. */
const slow = (name: string, seconds: bigint) =>
  cluster(name, "ads", {
    connectTimeout: create(DurationSchema, { seconds }),
  });

function hasText(bytes: Uint8Array, text: string): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(text);
}

/** Runs a conversation after both have started with a cluster, a listener and routes. */
function test(
  what: string,
  run: (trait: Trait) => Promise<void>,
  protocols: readonly ("sotw" | "delta")[] = ["sotw", "delta"],
) {
  for (const protocol of protocols) {
    Deno.test(`the model and Envoy: ${what}, ${protocol}`, async () => {
      const rejects: Parameters<typeof Trait.start>[1] = (
        { typeUrl, name, bytes },
      ) =>
        typeUrl === Cluster && name === "bad"
          ? { message: "breaks a rule", violatesRule: true }
          : typeUrl === Secret && hasText(bytes, "no certificate")
          ? { message: "is bad" }
          : undefined;
      await using trait = await Trait.start(protocol, rejects);
      await trait.log.explain(async () => {
        await trait.send(Cluster, cluster("one", "ads"));
        assertEquals(trait.count(Listener), 0);
        await trait.send(ClusterLoadAssignment, endpoints("one", PORT));
        await trait.send(Listener, web("routes"));
        await trait.send(RouteConfiguration, routes("routes", "one"));
        assertEquals(trait.model.warming, []);
        await run(trait);
        // Whatever was sent that the model did not send came before the answer to this.
        await trait.send(Cluster, cluster("last", "ads"));
      });
    });
  }
}

test("starting", () => Promise.resolve());

test("CDS is acknowledged once no cluster warms", async (trait) => {
  const acks = trait.count(Cluster);
  await trait.send(Cluster, cluster("one", "ads"), cluster("two", "ads"));
  // In delta, to be told that there are no endpoints ends the wait.
  const isTold = trait.protocol === "delta" ? 1 : 0;
  assertEquals(trait.count(Cluster), acks + isTold);
  await trait.send(
    ClusterLoadAssignment,
    endpoints("one", PORT),
    endpoints("two", PORT),
  );
  assertEquals(trait.count(Cluster), acks + 1);
});

test("it connects again", async (trait) => {
  await trait.cut();
});

test("it connects again after it has unsubscribed from a type", async (trait) => {
  await trait.send(Listener);
  await trait.send(Cluster);
  await trait.cut();
});

test("it connects again with less to subscribe to", async (trait) => {
  await trait.send(Listener, web("routes"), listenerWithPort("other", 0));
  await trait.send(Listener, listenerWithPort("other", 0));
  await trait.cut();
});

test("two listeners with one address", async (trait) => {
  const port = freePort();
  await trait.send(
    Listener,
    listenerWithPort("first", port),
    listenerWithPort("second", port),
  );
  await trait.send(Listener, listenerWithPort("third", 0));
});

test("a changed cluster requests its endpoints again", async (trait) => {
  const before = trait.count(ClusterLoadAssignment);
  await trait.send(Cluster, slow("one", 3n));
  assertEquals(trait.count(ClusterLoadAssignment) > before, true);
  assertEquals(trait.model.warming, []);
});

test("nothing is left to subscribe to", async (trait) => {
  await trait.send(Listener);
  await trait.send(Cluster);
  await trait.send(Cluster, cluster("one", "ads"));
});

test("a cluster that breaks a rule", async (trait) => {
  await trait.send(Cluster, cluster("one", "ads"), slow("bad", 0n));
  await trait.send(Cluster, slow("one", 3n));
});

test("a listener changes its routes, and drains", async (trait) => {
  await trait.send(Listener, web("others"));
  await trait.send(
    RouteConfiguration,
    routes("routes", "one"),
    routes("others", "one"),
  );
  assertEquals(trait.model.warming, []);
  await trait.send(RouteConfiguration, routes("others", "one"));
});

// In delta, to be told that there are no endpoints would end the wait.
test("it connects again while a cluster warms", async (trait) => {
  await trait.send(Cluster, cluster("one", "ads"), cluster("two", "ads"));
  assertEquals(trait.model.warming, ["Cluster two"]);
  // Clusters are requested last, once the server has sent endpoints.
  await trait.cut();
  await trait.send(
    ClusterLoadAssignment,
    endpoints("one", PORT),
    endpoints("two", PORT),
  );
  assertEquals(trait.model.warming, []);
}, ["sotw"]);

test("a bad certificate", async (trait) => {
  const tls = { secret: "cert", source: "ads" } as const;
  const bad = certificate("cert", "no certificate", pem("server.key"));
  await trait.send(
    Listener,
    listener("tls", { routeSpecifier: rds("routes", "ads"), tls }),
  );
  await trait.send(Secret, bad);
  await trait.send(
    Secret,
    certificate("cert", pem("server.pem"), pem("server.key")),
  );
});

test("a listener waits for its certificate", async (trait) => {
  const tls = { secret: "cert", source: "ads" } as const;
  await trait.send(
    Listener,
    web("routes"),
    listener("tls", { routeSpecifier: rds("routes", "ads"), tls }),
  );
  assertEquals(trait.model.warming, ["Listener tls"]);
  await trait.send(
    Secret,
    certificate("cert", pem("server.pem"), pem("server.key")),
  );
  assertEquals(trait.model.warming, []);
});
