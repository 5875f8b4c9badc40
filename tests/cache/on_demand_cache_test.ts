import { cpuUsage } from "node:process";
import { create } from "@bufbuild/protobuf";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type Cluster,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import {
  createResource,
  OnDemandCache,
  type OnDemandCacheOptions,
  type OnDemandRequest,
  type Resolver,
  serve,
  TypeUrl,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { deferred } from "../support/deferred.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { client, Probe } from "./_probe.ts";

function cluster(name: string, altStatName = ""): Cluster {
  return create(ClusterSchema, { name, altStatName });
}

/** A call of the resolver that is answered by hand. */
interface Call extends OnDemandRequest {
  signal: AbortSignal;
  answer: (found: Awaited<ReturnType<Resolver>>) => void;
  fail: (error: unknown) => void;
}

function scene(options: OnDemandCacheOptions = {}) {
  const calls: Call[] = [];
  const cache = new OnDemandCache((request, signal) => {
    const { promise, resolve, reject } = deferred<
      Awaited<ReturnType<Resolver>>
    >();
    calls.push({ ...request, signal, answer: resolve, fail: reject });
    return promise;
  }, options);
  const ask = (...names: string[]) => new Probe(cache, TypeUrl.Cluster, names);
  return { cache, calls, ask };
}

/** Lets everything happen that only waits for its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("a resolver is called once for a name, however many ask, and its answer is kept", async () => {
  const { calls, ask } = scene();
  using one = ask("a");
  using two = ask("a", "b");
  await turn();
  assertEquals(calls.map(({ name }) => name), ["a", "b"]);
  assertEquals(calls[0].typeUrl, TypeUrl.Cluster);
  assertEquals(calls[0].client.node.id, "node");
  assertEquals(one.knows("a"), false);
  calls[0].answer(cluster("a"));
  await one.told("a");
  assertEquals([one.names, two.names], [["a"], ["a"]]);
  assertEquals(two.knows("b"), false);
  calls[1].answer(undefined);
  await two.told("b");
  assertEquals(two.names, ["a"]);

  one[Symbol.dispose]();
  two[Symbol.dispose]();
  using three = ask("a", "b");
  await turn();
  assertEquals(three.knows("a", "b"), true);
  assertEquals(three.names, ["a"]);
  assertEquals(calls.length, 2);
});

Deno.test("an answer concerns those who ask for its name, and no other", async () => {
  const { calls, ask } = scene();
  using a = ask("a");
  using b = ask("b");
  await turn();
  calls[0].answer(cluster("a"));
  await a.told("a");
  assertEquals(a.changes, [undefined, ["a"]]);
  assertEquals(b.changes, [undefined]);
});

Deno.test("a resolver that answers at once, and types apart", async () => {
  const asked: string[] = [];
  const cache = new OnDemandCache(({ typeUrl, name }) => {
    asked.push(typeUrl);
    if (name === "none") return undefined;
    return typeUrl === TypeUrl.Cluster
      ? cluster("its own name")
      : create(ListenerSchema, { name });
  });
  using clusters = new Probe(cache, TypeUrl.Cluster, ["a", "none"]);
  using listeners = new Probe(cache, TypeUrl.Listener, ["a"]);
  await clusters.told("a", "none");
  await listeners.told("a");
  assertEquals(asked, [TypeUrl.Cluster, TypeUrl.Cluster, TypeUrl.Listener]);
  assertEquals(clusters.names, ["a"]);
  assertEquals(listeners.names, ["a"]);
});

Deno.test("an encoded resource is served as it is, under the name that was asked for", async () => {
  const own = createResource(cluster("a"), { version: "7", ttl: 1_000 });
  const cache = new OnDemandCache(() => own);
  using probe = new Probe(cache, TypeUrl.Cluster, ["a", "b"]);
  await probe.told("a", "b");
  assertStrictEquals(probe.view!.resources.get("a"), own);
  const b = probe.view!.resources.get("b")!;
  assertStrictEquals(b.bytes, own.bytes);
  assertEquals([b.name, b.version, b.ttl], ["b", "7", 1_000]);
});

Deno.test("what is invalidated is asked for again, and stands until it is answered", async () => {
  const { cache, calls, ask } = scene();
  using probe = ask("a");
  await turn();
  calls[0].answer(cluster("a"));
  await probe.told("a");

  cache.invalidate("a", TypeUrl.Listener);
  cache.invalidate("b");
  await turn();
  assertEquals(calls.length, 1);
  cache.invalidate("a");
  await turn();
  assertEquals(calls.length, 2);
  assertEquals(probe.names, ["a"]);
  calls[1].answer(cluster("a"));
  await turn();
  // The answer is the same: nobody is told.
  assertEquals(probe.changes.length, 2);

  cache.invalidate("a", TypeUrl.Cluster);
  await turn();
  calls[2].answer(undefined);
  await turn();
  assertEquals(probe.changes.length, 3);
  assertEquals(probe.names, []);
  assertEquals(probe.knows("a"), true);
});

Deno.test("what is invalidated while nobody asks for it is forgotten", async () => {
  const { cache, calls, ask } = scene();
  const one = ask("a");
  await turn();
  calls[0].answer(cluster("a"));
  await one.told("a");
  one[Symbol.dispose]();
  cache.invalidate("a");
  await turn();
  assertEquals(calls.length, 1);

  const two = ask("a");
  assertEquals(two.knows("a"), false);
  assertEquals(two.names, []);
  await turn();
  calls[1].answer(cluster("a"));
  await two.told("a");

  // Nor does an answer come back that was invalidated, when those leave who waited for another.
  cache.invalidate("a");
  await turn();
  two[Symbol.dispose]();
  using three = ask("a");
  assertEquals(three.knows("a"), false);
  assertEquals(three.names, []);
  await turn();
  assertEquals(calls.length, 4);
});

Deno.test("a call is aborted once nobody asks for its name, or it is invalidated", async () => {
  const { cache, calls, ask } = scene();
  const one = ask("a");
  const two = ask("a");
  await turn();
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  assertEquals(calls[0].signal.aborted, false);
  two.ask("b");
  assertEquals(calls[0].signal.aborted, true);
  // It answers all the same.
  calls[0].answer(cluster("a"));
  await turn();
  using three = ask("a");
  assertEquals(three.knows("a"), false);
  await turn();
  assertEquals(calls.map(({ name }) => name), ["a", "b", "a"]);

  cache.invalidate("a");
  assertEquals(calls[2].signal.aborted, true);
  calls[2].answer(cluster("a", "old"));
  await turn();
  assertEquals(three.knows("a"), false);
  calls[3].answer(cluster("a", "new"));
  await three.told("a");
  assertEquals(calls[3].signal.aborted, false);
  two[Symbol.dispose]();
  assertEquals(calls[1].signal.aborted, true);
});

Deno.test("a name that is asked for and dropped at once is not looked for", async () => {
  const { calls, ask } = scene();
  ask("a")[Symbol.dispose]();
  await turn();
  assertEquals(calls.length, 0);
});

Deno.test("a resolver that fails is reported and called again, each time later", async () => {
  const clock = new FakeClock();
  const errors: [unknown, string][] = [];
  const onError: OnDemandCacheOptions["onError"] = (error, { name }) =>
    errors.push([error, name]);
  const { cache, calls, ask } = scene({ clock, retry: 100, onError });
  using probe = ask("a");
  await turn();
  for (const delay of [100, 200, 400]) {
    const failure = new Error(`no answer before ${delay}`);
    calls.at(-1)!.fail(failure);
    await turn();
    assertEquals(errors.at(-1), [failure, "a"]);
    assertEquals(probe.knows("a"), false);
    const { length } = calls;
    clock.advance(delay - 1);
    await turn();
    assertEquals(calls.length, length);
    clock.advance(1);
    await turn();
    assertEquals(calls.length, length + 1);
  }
  calls[3].answer(cluster("a"));
  await probe.told("a");
  assertEquals(clock.pending, 0);

  // What was found stands when it is invalidated and not found again; the delay starts anew.
  cache.invalidate("a");
  await turn();
  calls[4].fail("no error object");
  await turn();
  assertEquals(errors.length, 4);
  assertEquals(probe.names, ["a"]);
  clock.advance(100);
  await turn();
  assertEquals(calls.length, 6);

  // Nobody asks any longer: nothing is tried again.
  calls[5].fail(new Error("no answer"));
  await turn();
  assertEquals(clock.pending, 1);
  probe[Symbol.dispose]();
  assertEquals(clock.pending, 0);
});

Deno.test("a retry comes a minute later at most, and one that is under way serves those who come", async () => {
  const clock = new FakeClock();
  const { calls, ask } = scene({ clock, onError: () => {} });
  using _one = ask("a");
  await turn();
  for (let i = 0; i < 10; i++) {
    calls.at(-1)!.fail(new Error("no answer"));
    await turn();
    clock.advance(60_000);
    await turn();
  }
  assertEquals(calls.length, 11);
  calls.at(-1)!.fail(new Error("no answer"));
  await turn();
  using two = ask("a");
  await turn();
  assertEquals(calls.length, 11);
  clock.advance(60_000);
  await turn();
  calls.at(-1)!.answer(cluster("a"));
  await two.told("a");
});

Deno.test("an answer of another type is reported, and so is a message that does not encode", async () => {
  const errors: unknown[] = [];
  const answers = [
    create(ListenerSchema, { name: "a" }),
    create(ClusterSchema, { dnsLookupFamily: 1.5 as never }),
    cluster("a"),
  ];
  const clock = new FakeClock();
  const cache = new OnDemandCache(() => answers.shift(), {
    clock,
    onError: (error) => errors.push(error),
  });
  using probe = new Probe(cache, TypeUrl.Cluster, ["a"]);
  await turn();
  clock.advance(1_000);
  await turn();
  clock.advance(2_000);
  await probe.told("a");
  assertEquals(errors.map((error) => (error as Error).message.split(":")[0]), [
    `the resolver gave a ${TypeUrl.Listener} for ${TypeUrl.Cluster} "a"`,
    'envoy.config.cluster.v3.Cluster "a" does not encode',
  ]);
  assert(errors.every((error) => error instanceof TypeError));
});

Deno.test("what is to be told of errors may throw, and hurts nobody", async () => {
  const clock = new FakeClock();
  const printed: unknown[][] = [];
  const { error } = console;
  console.error = (...what) => printed.push(what);
  try {
    const { calls, ask } = scene({
      clock,
      onError: () => {
        throw new Error("cannot tell");
      },
    });
    using probe = ask("a");
    await turn();
    calls[0].fail(new Error("no answer"));
    await turn();
    assertEquals(String(printed[0][1]), "Error: cannot tell");
    clock.advance(1_000);
    await turn();
    calls[1].answer(cluster("a"));
    await probe.told("a");
  } finally {
    console.error = error;
  }
});

Deno.test("without another way to tell, errors are printed with type and name", async () => {
  const printed: unknown[][] = [];
  const { error } = console;
  console.error = (...what) => printed.push(what);
  try {
    const failure = new Error("no answer");
    const cache = new OnDemandCache(() => {
      throw failure;
    }, { clock: new FakeClock() });
    using _probe = new Probe(cache, TypeUrl.Cluster, ["a"]);
    await turn();
    assertEquals(printed, [[
      `xds: the resolver failed for ${TypeUrl.Cluster} "a":`,
      failure,
    ]]);
  } finally {
    console.error = error;
  }
});

Deno.test("a wildcard is given nothing but the names beside it", async () => {
  const cache = new OnDemandCache(({ name }) =>
    name === "none" ? undefined : cluster(name)
  );
  using other = new Probe(cache, TypeUrl.Cluster, ["a", "b", "c"]);
  await other.told("a", "b", "c");
  using all = new Probe(cache, TypeUrl.Cluster, ["*"]);
  assertEquals(all.names, []);
  all.ask("*", "a", "none", "d");
  await all.told("a", "none", "d");
  assertEquals(all.names, ["a", "d"]);
  all.ask("*", "d", "b");
  assertEquals(all.names, ["d", "b"]);
  all.ask("*");
  assertEquals(all.names, []);
});

Deno.test("of names that nobody asks for, those that were given up last are remembered", async () => {
  const { calls, ask } = scene({ idleNames: 2 });
  using holds = ask("held");
  for (const name of ["a", "b", "c", "a", "d"]) {
    using probe = ask(name);
    await turn();
    calls.at(-1)!.answer(name === "b" ? undefined : cluster(name));
    await probe.told(name);
  }
  const asked = () => calls.map(({ name }) => name).join(" ");
  // Of a, b and c, a was the oldest when c was given up, and b when a was again.
  assertEquals(asked(), "held a b c a d");
  calls[0].answer(cluster("held"));
  await holds.told("held");

  using again = ask("d", "a");
  await turn();
  assertEquals(asked(), "held a b c a d");
  assertEquals(again.names, ["a", "d"]);
  using lost = ask("c");
  await turn();
  assertEquals(asked(), "held a b c a d c");
  assertEquals(lost.knows("c"), false);
  assertEquals(holds.names, ["held"]);
});

Deno.test("nothing is remembered of names that nobody asks for where that is not wanted, nor of types", async () => {
  const { cache, calls } = scene({ idleNames: 0 });
  for (const typeUrl of ["example.com/one", "example.com/two"]) {
    using probe = new Probe(cache, typeUrl, ["a"]);
    await turn();
    calls.at(-1)!.answer(undefined);
    await probe.told("a");
  }
  assertEquals(cache.stats().types.size, 0);
  for (const idleNames of [-1, 1.5, NaN]) {
    const error = assertThrows(() => scene({ idleNames }), RangeError);
    assertStringIncludes(error.message, `idleNames is ${idleNames}`);
  }
});

for (const wildcard of [false, true]) {
  Deno.test(`ten thousand names are asked for at once${wildcard ? ", beside a wildcard" : ""}`, async () => {
    let calls = 0;
    const cache = new OnDemandCache(async ({ name }) => {
      calls++;
      await undefined;
      return Number(name.slice(1)) % 2 === 0 ? cluster(name) : undefined;
    });
    const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`);
    const start = cpuUsage();
    using one = new Probe(
      cache,
      TypeUrl.Cluster,
      wildcard ? ["*", ...names] : names,
    );
    using two = new Probe(cache, TypeUrl.Cluster, names);
    await one.told(...names);
    assertEquals(calls, 10_000);
    assertEquals(one.names.length, 5_000);
    assertEquals(two.names.length, 5_000);
    // Quadratic in the names, it would take a minute. What other processes take of the machine is not counted.
    const { user, system } = cpuUsage(start);
    assert(user + system < 10_000_000);
  });
}

Deno.test("a stream is answered when its names are found, in both protocols, and told of those that are not", async () => {
  const { calls, cache } = scene();
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  using grpc = new GrpcClient(server.addr.port);
  const { node } = client();
  const typeUrl = TypeUrl.Cluster;
  const sotw = grpc.sotw();
  sotw.send({ node, typeUrl, resourceNames: ["a", "none"] });
  const delta = grpc.delta();
  delta.send({ node, typeUrl, resourceNamesSubscribe: ["a", "none"] });
  while (calls.length < 2) await turn();
  for (const { name, answer } of calls) {
    answer(name === "a" ? cluster("a") : undefined);
  }
  let missing: string[] = [];
  let found = 0;
  while (missing.length + found < 2) {
    const { resources, resourceErrors, nonce } = await sotw.next();
    // It is not answered before there is something to say.
    assert(resources.length + resourceErrors.length > 0);
    found = resources.length;
    missing = [
      ...missing,
      ...resourceErrors.map(({ resourceName }) => resourceName!.name),
    ];
    sotw.send({ typeUrl, resourceNames: ["a", "none"], responseNonce: nonce });
  }
  assertEquals(missing, ["none"]);
  const held: string[] = [];
  const removed: string[] = [];
  while (held.length + removed.length < 2) {
    const { resources, removedResources, nonce } = await delta.next();
    assert(resources.length + removedResources.length > 0);
    held.push(...resources.map(({ name }) => name));
    removed.push(...removedResources);
    delta.send({ typeUrl, responseNonce: nonce });
  }
  assertEquals([held, removed], [["a"], ["none"]]);
  sotw.cancel();
  delta.cancel();
});

Deno.test("a watch that is ended twice ends no other of its type", async () => {
  const { calls, ask, cache } = scene();
  const one = ask("a");
  one[Symbol.dispose]();
  using two = ask("a");
  one[Symbol.dispose]();
  await turn();
  calls.at(-1)!.answer(cluster("a"));
  await two.told("a");
  cache.invalidate("a");
  await turn();
  calls.at(-1)!.answer(undefined);
  await turn();
  assertEquals(two.names, []);
});
