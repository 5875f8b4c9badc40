import { assertEquals } from "@std/assert";
import { shortName, TypeUrl } from "../../lib/resource/mod.ts";
import {
  GrpcModel,
  type GrpcModelOptions,
  type ModelRequest,
} from "../../lib/testing/mod.ts";
import { rejectionOf, resources } from "../model/_resources.ts";

/** A model of a gRPC client, with a server that says what the test wants. */
class Talk {
  readonly client: GrpcModel;
  #nonce = 0;

  constructor(options: Partial<GrpcModelOptions> = {}) {
    this.client = new GrpcModel({
      protocol: "sotw",
      targets: ["l"],
      rejects: rejectionOf,
      ...options,
    });
  }

  /** Sends resources of one type, and says what is requested then. */
  send(typeUrl: string, text = "", removed: string[] = []): string[] {
    const nonce = String(++this.#nonce);
    const version = nonce;
    return this.client.receive({
      typeUrl,
      version,
      nonce,
      resources: resources(text),
      removed,
    }).map(written);
  }

  /** Connects, and gets everything for cluster a. */
  start() {
    this.client.connect();
    this.send(TypeUrl.Listener, "Listener l:rds=r");
    this.send(TypeUrl.RouteConfiguration, "Route r:to=a");
    this.send(TypeUrl.Cluster, "Cluster a");
    this.send(TypeUrl.ClusterLoadAssignment, "Endpoints a");
  }
}

function written(request: ModelRequest): string {
  const { typeUrl, nonce, names, error, unsubscribe } = request;
  return `${shortName(typeUrl)} [${names.join(" ")}]` +
    (unsubscribe.length > 0 ? ` -[${unsubscribe.join(" ")}]` : "") +
    (nonce ? ` nonce ${nonce}` : "") +
    (error === undefined ? "" : ` error ${error}`);
}

Deno.test("a gRPC client finds what it needs, name by name", () => {
  const talk = new Talk();
  assertEquals(talk.client.connect().map(written), ["Listener [l]"]);
  assertEquals(talk.send(TypeUrl.Listener, "Listener l:rds=r"), [
    "Listener [l] nonce 1",
    "RouteConfiguration [r]",
  ]);
  assertEquals(talk.send(TypeUrl.RouteConfiguration, "Route r:to=a+b"), [
    "RouteConfiguration [r] nonce 2",
    "Cluster [a b]",
  ]);
  assertEquals(talk.send(TypeUrl.Cluster, "Cluster a b:of=c"), [
    "Cluster [a b] nonce 3",
    "Cluster [a b c] nonce 3",
    "ClusterLoadAssignment [a]",
  ]);
});

Deno.test("a gRPC client applies the valid resources of a response that it rejects", () => {
  const talk = new Talk();
  talk.start();
  talk.send(TypeUrl.RouteConfiguration, "Route r:to=a+b");
  assertEquals(talk.send(TypeUrl.Cluster, "Cluster a:bad b"), [
    "Cluster [a b] nonce 6 error resource index 0: invalid",
    "ClusterLoadAssignment [a b] nonce 4",
  ]);
  assertEquals([...talk.client.resources(TypeUrl.Cluster).keys()], ["a", "b"]);
});

Deno.test("a gRPC client unsubscribes a little after nothing uses a name", () => {
  for (
    const [protocol, expected] of [
      ["sotw", ["Cluster [b] nonce 3", "ClusterLoadAssignment [] nonce 4"]],
      ["delta", ["Cluster [] -[a]", "ClusterLoadAssignment [] -[a]"]],
    ] as const
  ) {
    const talk = new Talk({ protocol });
    talk.start();
    talk.send(TypeUrl.RouteConfiguration, "Route r:to=b");
    assertEquals(talk.client.advance(39), []);
    assertEquals(talk.client.advance(1).map(written).sort(), [...expected]);
  }
});

Deno.test("a gRPC client that is told that a cluster is gone while it subscribes to it counts that", () => {
  const talk = new Talk();
  talk.start();
  talk.send(TypeUrl.Cluster);
  assertEquals(talk.client.violations, [
    "Cluster a is gone while it is subscribed",
  ]);
  assertEquals(talk.client.broken, ["Cluster a does not exist"]);
});

Deno.test("a removal before the client has unsubscribed counts, and afterwards not", () => {
  for (
    const { wait, violations } of [{ wait: 0, violations: 1 }, {
      wait: 40,
      violations: 0,
    }]
  ) {
    const talk = new Talk();
    talk.start();
    talk.send(TypeUrl.RouteConfiguration, "Route r:to=b");
    talk.client.advance(wait);
    talk.send(TypeUrl.Cluster, "Cluster b");
    assertEquals(talk.client.violations.length, violations);
    assertEquals(talk.client.broken, []);
  }
});

Deno.test("a gRPC client takes what it waits for too long for missing", () => {
  const talk = new Talk({ resourceTimeout: 1_000 });
  talk.client.connect();
  talk.client.advance(1_000);
  assertEquals(talk.client.timeouts, ["Listener l"]);
});

Deno.test("a clone of a gRPC client goes its own way", () => {
  const talk = new Talk();
  talk.start();
  const clone = talk.client.clone();
  assertEquals(clone.fingerprint(), talk.client.fingerprint());
  talk.send(TypeUrl.Cluster);
  assertEquals(clone.violations, []);
  assertEquals(clone.broken, []);
});
