import { create } from "@bufbuild/protobuf";
import { assertEquals, assertThrows } from "@std/assert";
import {
  type Cluster,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import {
  createSnapshot,
  LinearCache,
  MuxCache,
  type MuxCacheOptions,
  RequestError,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { client, Probe } from "./_probe.ts";

const NOT_FOUND = 5;

function cluster(name: string): Cluster {
  return create(ClusterSchema, { name });
}

Deno.test("the function sees type, node and names, and is asked once until the names change", () => {
  const seen: string[] = [];
  const linear = new LinearCache(ClusterSchema);
  const cache = new MuxCache(({ typeUrl, client, subscription }) => {
    const names = [...subscription.names].join();
    seen.push(`${typeUrl} ${client.node.id} ${subscription.wildcard} ${names}`);
    return linear;
  });
  using probe = new Probe(cache, TypeUrl.Cluster, ["*"], client("n"));
  linear.set(cluster("a"));
  assertEquals(seen, [`${TypeUrl.Cluster} n true `]);
  probe.ask("a", "b");
  assertEquals(seen.slice(1), [`${TypeUrl.Cluster} n false a,b`]);
});

Deno.test("a watch goes over to another cache when its names say so, and hears of the first no more", () => {
  const first = new LinearCache(ClusterSchema, { resources: [cluster("a")] });
  const second = new LinearCache(ClusterSchema, {
    resources: [cluster("b")],
    makeBeforeBreak: true,
  });
  const cache = new MuxCache(({ subscription }) =>
    subscription.names.has("b") ? second : first
  );
  const probe = new Probe(cache, TypeUrl.Cluster, ["a"]);
  assertEquals(probe.names, ["a"]);
  probe.ask("b");
  assertEquals(probe.names, ["b"]);
  assertEquals(probe.sequencing?.makeBeforeBreak, true);
  const { length } = probe.changes;
  first.set(cluster("b"));
  first.delete("a");
  assertEquals(probe.changes.length, length);
  second.delete("b");
  assertEquals(probe.changes.length, length + 1);
  probe.ask("a");
  assertEquals(probe.sequencing?.makeBeforeBreak, false);
  probe[Symbol.dispose]();
  const after = probe.changes.length;
  first.set(cluster("a"));
  second.set(cluster("a"));
  assertEquals(probe.changes.length, after);
});

Deno.test("a request that no cache takes is told that there is nothing, until a cache takes it", () => {
  const linear = new LinearCache(ClusterSchema, { resources: [cluster("b")] });
  const cache = new MuxCache(({ subscription }) =>
    subscription.names.has("b") ? linear : undefined
  );
  using probe = new Probe(cache, TypeUrl.Cluster, ["a"]);
  assertEquals([probe.unserved, probe.knows("a"), probe.names], [1, true, []]);
  assertEquals(probe.sequencing, undefined);
  probe.ask("b");
  assertEquals([probe.unserved, probe.names], [1, ["b"]]);
  probe.ask("a");
  assertEquals([probe.unserved, probe.view?.resources.size], [2, 0]);
});

Deno.test("a request that no cache takes is an error by option, that says of which type, names and node", () => {
  const cache = new MuxCache(() => undefined, { unserved: "error" });
  const ask = (...names: string[]) =>
    assertThrows(
      () => new Probe(cache, TypeUrl.Cluster, names, client("n")),
      RequestError,
    );
  const error = ask("*");
  assertEquals(error.code, "not_found");
  assertEquals(
    error.message,
    `nothing here serves ${TypeUrl.Cluster} [*] to node "n"`,
  );
  assertEquals(
    ask("a", "b", "c", "d", "e", "f", "g").message,
    `nothing here serves ${TypeUrl.Cluster} [a, b, c, d, e, … (7)] to node "n"`,
  );
});

function scene(options?: MuxCacheOptions) {
  const clusters = new LinearCache(ClusterSchema, {
    resources: [cluster("a")],
  });
  const others = new SnapshotCache();
  others.set("node", createSnapshot({ resources: [] }));
  const cache = new MuxCache(({ typeUrl }) => {
    if (typeUrl === TypeUrl.Cluster) return clusters;
    return typeUrl === TypeUrl.Listener ? others : undefined;
  }, options);
  const events: ServerEvent[] = [];
  const observer = (event: ServerEvent) => void events.push(event);
  const at = { hostname: "127.0.0.1", port: 0 };
  return { clusters, events, options: { ...at, cache, observer } };
}

Deno.test("a stream meets several caches, and an untaken request ends it and no other by option", async () => {
  const { clusters, events, options } = scene({ unserved: "error" });
  await using server = await serve(options);
  using grpc = new GrpcClient(server.addr.port);
  const { node } = client();
  const good = grpc.sotw();
  good.send({ node, typeUrl: TypeUrl.Cluster });
  assertEquals((await good.next()).resources.length, 1);
  good.send({ typeUrl: TypeUrl.Listener });
  assertEquals((await good.next()).typeUrl, TypeUrl.Listener);

  const bad = grpc.delta();
  bad.send({ node, typeUrl: TypeUrl.Secret, resourceNamesSubscribe: ["s"] });
  assertEquals(await bad.status, {
    code: NOT_FOUND,
    details: `nothing here serves ${TypeUrl.Secret} [s] to node "node"`,
  });
  clusters.set(cluster("b"));
  good.send({ typeUrl: TypeUrl.Cluster, responseNonce: "1" });
  assertEquals((await good.next()).resources.length, 2);
  assertEquals(events.filter(({ kind }) => kind === "unserved"), []);
  good.cancel();
});

Deno.test("an untaken request is answered empty, with an event, and its stream goes on", async () => {
  const { clusters, events, options } = scene();
  await using server = await serve(options);
  using grpc = new GrpcClient(server.addr.port);
  const { node } = client();
  const stream = grpc.delta();
  stream.send({ node, typeUrl: TypeUrl.Cluster });
  const first = await stream.next();
  stream.send({ typeUrl: TypeUrl.Cluster, responseNonce: first.nonce });
  stream.send({ typeUrl: TypeUrl.Secret, resourceNamesSubscribe: ["s"] });
  const { typeUrl, resources, removedResources } = await stream.next();
  assertEquals(
    [typeUrl, resources, removedResources],
    [TypeUrl.Secret, [], ["s"]],
  );
  assertEquals(
    events.flatMap((event) =>
      event.kind === "unserved" ? [[event.typeUrl, event.client.node.id]] : []
    ),
    [[TypeUrl.Secret, "node"]],
  );
  clusters.set(cluster("b"));
  assertEquals((await stream.next()).resources.map(({ name }) => name), ["b"]);
  stream.cancel();
});
