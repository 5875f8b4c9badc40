import { assert, assertEquals } from "@std/assert";
import { type Resource, shortName, TypeUrl } from "../../lib/resource/mod.ts";
import {
  EnvoyModel,
  type EnvoyModelOptions,
  type ModelRequest,
  type ModelResponse,
} from "../../lib/testing/mod.ts";
import { rejectionOf, resources } from "../model/_resources.ts";

/** A model of an Envoy, with a server that says what the test wants. */
class Talk {
  readonly envoy: EnvoyModel;
  #nonce = 0;

  constructor(options: Partial<EnvoyModelOptions> = {}) {
    this.envoy = new EnvoyModel({
      protocol: "sotw",
      rejects: rejectionOf,
      ...options,
    });
  }

  /** Connects, and says what is requested. */
  connect(): string[] {
    return this.envoy.connect().map(written);
  }

  /** Sends resources of one type, all of them in state of the world, and says what is requested then. */
  send(typeUrl: string, text = "", removed: string[] = []): string[] {
    const nonce = String(++this.#nonce);
    const response: ModelResponse = {
      typeUrl,
      version: nonce,
      nonce,
      resources: resources(text),
      removed,
    };
    return this.envoy.receive(response).map(written);
  }

  /** Connects, and gets through startup with a cluster and a listener. */
  start(): void {
    this.connect();
    this.send(TypeUrl.Cluster, "Cluster a");
    this.send(TypeUrl.ClusterLoadAssignment, "Endpoints a");
    this.send(TypeUrl.Listener, "Listener l:rds=r");
    this.send(TypeUrl.RouteConfiguration, "Route r:to=a");
    assert(this.envoy.isLive);
  }
}

const short: Readonly<Record<string, string>> = {
  ClusterLoadAssignment: "EDS",
  Cluster: "CDS",
  Listener: "LDS",
  RouteConfiguration: "RDS",
  Secret: "SDS",
};

function written(request: ModelRequest): string {
  const { typeUrl, nonce, version, error } = request;
  const type = short[shortName(typeUrl)] ?? shortName(typeUrl);
  const parts = [type];
  const { names, subscribe, unsubscribe, versions } = request;
  if (names.length > 0) parts.push(`[${names.join(" ")}]`);
  if (subscribe.length > 0) parts.push(`+[${subscribe.join(" ")}]`);
  if (unsubscribe.length > 0) parts.push(`-[${unsubscribe.join(" ")}]`);
  if (versions.size > 0) parts.push(`has [${[...versions.keys()].join(" ")}]`);
  if (nonce) parts.push(`nonce ${nonce}`);
  if (version) parts.push(`version ${version}`);
  if (error !== undefined) parts.push(`error ${error}`);
  return parts.join(" ");
}

const { Cluster, ClusterLoadAssignment, Listener, Secret } = TypeUrl;
const { RouteConfiguration } = TypeUrl;

Deno.test("during startup, clusters are acknowledged at once, and listeners requested once these are initialized", () => {
  const talk = new Talk();
  assertEquals(talk.connect(), ["CDS"]);
  assertEquals(talk.send(Cluster, "Cluster a"), [
    "EDS [a]",
    "CDS nonce 1 version 1",
  ]);
  assertEquals(talk.send(ClusterLoadAssignment, "Endpoints a"), [
    "LDS",
    "EDS [a] nonce 2 version 2",
  ]);
});

Deno.test("after startup, the acknowledgement of clusters waits until they are warm", () => {
  const talk = new Talk();
  talk.start();
  assertEquals(talk.send(Cluster, "Cluster a b"), [
    "EDS [a b] nonce 2 version 2",
  ]);
  assertEquals(talk.envoy.warming, ["Cluster b"]);
  assertEquals(talk.send(ClusterLoadAssignment, "Endpoints b"), [
    "CDS nonce 5 version 5",
    "EDS [a b] nonce 6 version 6",
  ]);
});

Deno.test("a changed cluster requests its endpoints again in state of the world, and keeps serving meanwhile", () => {
  const talk = new Talk();
  talk.start();
  assertEquals(talk.send(Cluster, "Cluster a:v=2"), [
    "EDS [a] nonce 2 version 2",
  ]);
  assertEquals(talk.envoy.broken, []);
});

Deno.test("a cluster's secrets are requested after its endpoints", () => {
  const talk = new Talk();
  talk.start();
  assertEquals(talk.send(Cluster, "Cluster a b:tls=s"), [
    "EDS [a b] nonce 2 version 2",
  ]);
  assertEquals(talk.send(ClusterLoadAssignment, "Endpoints b"), [
    "SDS [s]",
    "EDS [a b] nonce 6 version 6",
  ]);
  assertEquals(talk.send(Secret, "Secret s"), [
    "CDS nonce 5 version 5",
    "SDS [s] nonce 7 version 7",
  ]);
});

Deno.test("an empty response of a type without watches is not answered, another one without an error", () => {
  const talk = new Talk();
  talk.start();
  assertEquals(talk.send(Cluster, "Cluster a:static"), [
    "EDS nonce 2 version 2",
    "CDS nonce 5 version 5",
  ]);
  assertEquals(talk.send(ClusterLoadAssignment), []);
  assertEquals(talk.send(ClusterLoadAssignment, "Endpoints a"), [
    "EDS nonce 7 version 6",
  ]);
});

Deno.test("clusters are applied one by one, and the bad ones named together", () => {
  const talk = new Talk();
  talk.start();
  const clusters = "Cluster a:static b:static:bad c:static:v=2:bad";
  assertEquals(talk.send(Cluster, clusters), [
    "EDS nonce 2 version 2",
    "CDS nonce 5 version 1 error Error adding/updating cluster(s) b: invalid, c: invalid",
  ]);
  assertEquals(talk.envoy.resources(Cluster).get("a")?.name, "a");
});

Deno.test("a violated rule rejects all clusters of a response", () => {
  const talk = new Talk();
  talk.start();
  assertEquals(talk.send(Cluster, "Cluster b:static c:static:bad-rule"), [
    "CDS nonce 5 version 1 error invalid",
  ]);
  assertEquals([...talk.envoy.resources(Cluster).keys()], ["a"]);
});

Deno.test("a reconnecting Envoy claims what it accepted, and passes over clusters while they warm", () => {
  const talk = new Talk();
  talk.start();
  talk.send(Cluster, "Cluster a b");
  talk.envoy.disconnect();
  assertEquals(talk.connect(), [
    "EDS [a b] version 2",
    "LDS version 3",
    "RDS [r] version 4",
  ]);
});

Deno.test("in delta, a reconnecting Envoy lists what it has", () => {
  const talk = new Talk({ protocol: "delta" });
  talk.start();
  talk.envoy.disconnect();
  assertEquals(talk.connect(), [
    "CDS has [a]",
    "EDS +[a] has [a]",
    "LDS has [l]",
    "RDS +[r] has [r]",
  ]);
});

Deno.test("in delta, a name that is watched already is not requested again", () => {
  const talk = new Talk({ protocol: "delta" });
  talk.start();
  assertEquals(talk.send(Cluster, "Cluster a:v=2"), []);
  assertEquals(talk.send(ClusterLoadAssignment, "Endpoints a"), [
    "CDS nonce 5",
    "EDS nonce 6",
  ]);
});

Deno.test("clusters of the bootstrap win", () => {
  const bootstrap: Resource[] = resources("Cluster a:static");
  const talk = new Talk({ bootstrap });
  talk.connect();
  assertEquals(talk.send(Cluster, "Cluster a"), [
    "LDS",
    "CDS nonce 1 version 1",
  ]);
});

Deno.test("a second listener on an address is rejected, unless it comes with the removal of the first", () => {
  const talk = new Talk();
  talk.start();
  talk.send(Listener, "Listener l:port=1000:rds=r");
  const both = "Listener l:port=1000:rds=r m:port=1000:rds=r";
  assertEquals(talk.send(Listener, both), [
    "LDS nonce 6 version 5 error Error adding/updating listener(s) m: error adding listener: 'm' has duplicate address '127.0.0.1:1000' as existing listener",
  ]);
  assertEquals(talk.send(Listener, "Listener m:port=1000:rds=r"), [
    "LDS nonce 7 version 7",
  ]);
});

Deno.test("a listener whose routes use a cluster that does not exist is rejected", () => {
  const talk = new Talk();
  talk.start();
  assertEquals(talk.send(Listener, "Listener l:inline=b"), [
    "LDS nonce 5 version 3 error Error adding/updating listener(s) l: route: unknown cluster 'b'",
  ]);
});

Deno.test("a replaced listener keeps its routes until it has drained", () => {
  const talk = new Talk({ drainTime: 5_000 });
  talk.start();
  assertEquals(talk.send(Listener, "Listener l:inline=a"), [
    "LDS nonce 5 version 5",
  ]);
  assertEquals(talk.envoy.advance(4_999), []);
  assertEquals(talk.envoy.advance(1).map(written), ["RDS nonce 4 version 4"]);
});

Deno.test("warming goes on without what does not come in time", () => {
  const talk = new Talk({ initialFetchTimeout: 1_000 });
  talk.start();
  talk.send(Listener, "Listener l:rds=q");
  assertEquals(talk.envoy.warming, ["Listener l"]);
  talk.envoy.advance(1_000);
  assertEquals(talk.envoy.timeouts, [`${RouteConfiguration} q`]);
  assertEquals(talk.envoy.broken, ["Listener l lacks RouteConfiguration q"]);
});

Deno.test("a clone goes its own way from the same state", () => {
  const talk = new Talk();
  talk.start();
  const clone = talk.envoy.clone();
  assertEquals(clone.fingerprint(), talk.envoy.fingerprint());
  talk.send(Cluster, "Cluster a b");
  assertEquals(clone.warming, []);
  assertEquals(clone.fingerprint() === talk.envoy.fingerprint(), false);
});
