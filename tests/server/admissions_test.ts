import { Code, ConnectError } from "@connectrpc/connect";
import { assert, assertEquals } from "@std/assert";
import {
  type Limits,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { type InProcessClient, InProcessServer } from "../bench/_in_process.ts";
import { FakeClock } from "../support/clock.ts";
import { clusters } from "./_scene.ts";

const typeUrl = TypeUrl.Cluster;

/** A server without sockets, whose clock is the test's. */
function scene(limits: Limits, authenticate?: () => Promise<string>) {
  const cache = new SnapshotCache({ nodeKey: ({ cluster }) => cluster });
  cache.set("fleet", clusters("a"));
  cache.set("honest", clusters("a"));
  const clock = new FakeClock();
  const admitted: { id: string; at: number }[] = [];
  const limited: Extract<ServerEvent, { kind: "limit" }>[] = [];
  const server = new InProcessServer(cache, {
    limits,
    clock,
    authenticate,
    observer: (event) => {
      if (event.kind === "limit") limited.push(event);
      if (event.kind !== "node") return;
      admitted.push({ id: event.client.node.id, at: clock.now() });
    },
  });
  const connect = (id: string, cluster = "fleet"): InProcessClient => {
    const client = server.open("sotw");
    client.subscribe({ node: { id, cluster }, typeUrl });
    return client;
  };
  /** Lets some milliseconds pass, and all that was waited for happen. */
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return { admitted, cache, clock, connect, limited, pass, server };
}

/** The most that came within a second. */
function mostInASecond(times: readonly number[]): number {
  let first = 0;
  let most = 0;
  for (const [i, at] of times.entries()) {
    while (times[first] <= at - 1_000) first++;
    most = Math.max(most, i - first + 1);
  }
  return most;
}

Deno.test("a storm of 5 000 is admitted in order and at the rate, and delays nobody else", async () => {
  const at = scene({ admissionsPerSecond: 100 });
  const honest = at.connect("honest", "honest");
  assertEquals(honest.read().length, 1);
  honest.leave();
  const steady = at.connect("steady", "honest");
  steady.settle();
  await at.pass(1_000);

  const begun = at.clock.now();
  const clients = Array.from(
    { length: 5_000 },
    (_, i) => at.connect(`${i}`),
  );
  const gone = new Set<string>();
  let changes = 0;
  for (let step = 1; step <= 5_200; step++) {
    await at.pass(10);
    if (step === 1_000) {
      // Every tenth gives up its place, if it still has one.
      const in_ = new Set(at.admitted.map(({ id }) => id));
      for (let i = 0; i < clients.length; i += 10) {
        if (in_.has(`${i}`)) continue;
        clients[i].leave();
        gone.add(`${i}`);
      }
    }
    if (step % 50 !== 0) continue;
    // In the same moment: not after anybody's turn.
    at.cache.set("honest", clusters("a", `b-${++changes}`));
    const { responses } = at.server;
    steady.settle();
    assertEquals(at.server.responses, responses + 1);
  }
  const storm = at.admitted.slice(2);
  const stayed = clients.map((_, i) => `${i}`).filter((id) => !gone.has(id));
  // 1 002 of them were in: two at once, and a hundred a second.
  assertEquals(gone.size, 399);
  assertEquals(storm.map(({ id }) => id), stayed);
  const times = storm.map(({ at }) => at - begun);
  const most = mostInASecond(times);
  assert(most <= 102 && most >= 100, `${most} in a second`);
  // Those who left had no turn, so that those behind them came sooner.
  const expected = stayed.length / 100 * 1_000;
  const last = times.at(-1)!;
  assert(Math.abs(last - expected) <= 50, `the last after ${last} ms`);
  for (const [i, client] of clients.entries()) {
    if (!gone.has(`${i}`)) assertEquals(client.read().length, 1);
  }
  assertEquals(at.clock.pending, 0);
});

Deno.test("who waits keeps its requests, and is told of", async () => {
  const at = scene({ admissionsPerSecond: 1 });
  const first = at.connect("first");
  const second = at.connect("second");
  second.subscribe({
    node: { id: "second", cluster: "fleet" },
    typeUrl: TypeUrl.Listener,
  });
  const third = at.connect("third");
  assertEquals([first, second, third].map((one) => one.read().length), [
    1,
    0,
    0,
  ]);
  assertEquals(at.limited.map(({ limit, value }) => [limit, value]), [
    ["admissionsPerSecond", 1],
    ["admissionsPerSecond", 1],
  ]);
  assertEquals(at.limited.map(({ message }) => message), [
    "the stream waits to be admitted, behind 0 others",
    "the stream waits to be admitted, behind 1 others",
  ]);
  // One timer for both, and none for those that are open.
  assertEquals(at.clock.pending, 1);
  await at.pass(999);
  assertEquals(second.read().length, 0);
  await at.pass(1);
  assertEquals(second.read().length, 2);
  assertEquals(third.read().length, 0);
  await at.pass(1_000);
  assertEquals(third.read().length, 1);
  await at.pass(5_000);
  // Nobody waits: no wait, and no more at once than the rate allows.
  assertEquals(at.connect("fourth").read().length, 1);
  assertEquals(at.connect("fifth").read().length, 0);
});

Deno.test("one who sends without end while it waits is ended, and alone", async () => {
  const at = scene({ admissionsPerSecond: 1 });
  at.connect("first");
  const flood = at.connect("flood");
  const third = at.connect("third");
  for (let i = 0; i < 300; i++) {
    flood.subscribe({ node: { id: "flood" }, typeUrl, names: [`${i}`] });
  }
  const error = ConnectError.from(flood.ended);
  assertEquals(error.code, Code.ResourceExhausted);
  assertEquals(
    error.rawMessage,
    "more than 256 requests came before the stream was admitted; send fewer at once",
  );
  await at.pass(1_000);
  assertEquals(third.read().length, 1);
});

Deno.test("no more wait than may, and a place that is given up is another's", async () => {
  const at = scene({ admissionsPerSecond: 1, admissionsWaiting: 2 });
  at.connect("first");
  const [second, third] = [at.connect("second"), at.connect("third")];
  const fourth = at.connect("fourth");
  const error = ConnectError.from(fourth.ended);
  assertEquals(error.code, Code.Unavailable);
  assertEquals(
    error.rawMessage,
    "2 streams wait to be admitted, 1 a second, and no more may; try again later",
  );
  assertEquals(at.limited.at(-1)!.limit, "admissionsWaiting");
  assertEquals(at.limited.at(-1)!.value, 2);
  second.leave();
  const fifth = at.connect("fifth");
  assertEquals(fifth.ended, undefined);
  await at.pass(1_000);
  assertEquals(third.read().length, 1);
  await at.pass(1_000);
  assertEquals(fifth.read().length, 1);
  assertEquals(at.clock.pending, 0);
});

Deno.test("who is authenticated first is first, and who is not yet waits for nobody's turn", async () => {
  const decisions: ((identity: string) => void)[] = [];
  const at = scene(
    { admissionsPerSecond: 1, decisionTimeout: Infinity },
    () => new Promise((resolve) => decisions.push(resolve)),
  );
  const [slow, quick, last] = ["slow", "quick", "last"].map((id) =>
    at.connect(id)
  );
  decisions[1]("quick");
  decisions[2]("last");
  await at.pass(0);
  assertEquals(quick.read().length, 1);
  assertEquals(last.read().length, 0);
  await at.pass(1_000);
  assertEquals(last.read().length, 1);
  decisions[0]("slow");
  await at.pass(1_000);
  assertEquals(slow.read().length, 1);
});
