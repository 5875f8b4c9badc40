/** Connections share the event loop in short turns. */
import { assertEquals, assertLess } from "@std/assert";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { Rotation, type Worker } from "../../lib/server/_rotation.ts";
import { until } from "../support/until.ts";

/** Works for as long as it may, without end. */
class Busy implements Worker {
  longest = 0;
  slices = 0;
  isStopped = false;
  readonly #rotation: Rotation;

  constructor(rotation: Rotation) {
    this.#rotation = rotation;
  }

  work(): boolean {
    const start = performance.now();
    while (!this.#rotation.isOver);
    this.longest = Math.max(this.longest, performance.now() - start);
    this.slices++;
    return !this.isStopped;
  }
}

Deno.test("a connection works at once while nobody waits", () => {
  const rotation = new Rotation();
  let count = 0;
  rotation.add({ work: () => ++count < 0 });
  assertEquals(count, 1);
});

Deno.test("those that have work without end have as many slices each, and others have theirs soon", async () => {
  const rotation = new Rotation();
  const busy = Array.from({ length: 3 }, () => new Busy(rotation));
  for (const worker of busy) rotation.later(worker);
  await until("some slices", () => busy[0].slices > 20);
  const before = busy[0].slices;
  let after = Infinity;
  rotation.add({
    work() {
      after = busy[0].slices - before;
      return false;
    },
  });
  await until("the other's slice", () => after < Infinity);
  assertLess(after, 5);
  for (const worker of busy) worker.isStopped = true;
  const slices = busy.map(({ slices }) => slices);
  assertLess(Math.max(...slices) - Math.min(...slices), 3);
});

Deno.test("while connections work without end, sockets are read", async () => {
  const rotation = new Rotation();
  const busy = new Busy(rotation);
  rotation.later(busy);
  const server = createServer((socket: Socket) => {
    socket.on("data", (bytes) => socket.write(bytes));
    socket.on("error", () => socket.destroy());
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  const times: number[] = [];
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    await client.write(Uint8Array.of(1));
    await client.read(new Uint8Array(1));
    times.push(performance.now() - start);
  }
  busy.isStopped = true;
  // Without a look at the sockets in between, it is 61 passes of the event loop until there is one.
  assertLess(times.sort((a, b) => a - b)[7], 60);
  assertLess(busy.longest, 40);
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  client.close();
  await closed.promise;
});

Deno.test("what is to be written is, in its order, and leaves time for others", async () => {
  const rotation = new Rotation();
  const written: number[] = [];
  for (let i = 0; i < 40; i++) {
    rotation.write(() => {
      const end = performance.now() + 1;
      while (performance.now() < end);
      written.push(i);
    });
  }
  let seen = -1;
  setTimeout(() => seen = written.length, 0);
  await until("all to be written", () => written.length === 40);
  assertEquals(written, Array.from({ length: 40 }, (_, i) => i));
  assertLess(seen, 40);
});
