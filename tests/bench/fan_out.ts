/**
 * What a new version of a 30 KB response costs the server, 500 ADS streams on 50 connections: ours, and `node:http2`
 * writing the same bytes with nothing in between, round by round in turn.
 */
import { Child, median } from "./_child.ts";
import { Clients } from "./_clients.ts";

const CONNECTIONS = 50;
const STREAMS_EACH = 10;
const WARM_UP = 20;
const ROUNDS = 60;

const sides = [];
for (const [name, file] of [["ours", "_ours.ts"], ["node:http2", "_bare.ts"]]) {
  const child = new Child(file);
  const clients = new Clients(
    await child.answer<number>(),
    CONNECTIONS,
    STREAMS_EACH,
  );
  await clients.received();
  sides.push({
    name,
    child,
    clients,
    cpu: [] as number[],
    wall: [] as number[],
  });
}
for (let round = -WARM_UP; round < ROUNDS; round++) {
  for (const side of sides) {
    const start = performance.now();
    const { cpu } = await side.child.ask<{ cpu: number }>("push");
    if (round < 0) continue;
    side.cpu.push(cpu);
    side.wall.push(performance.now() - start);
  }
}
for (const { name, cpu, wall } of sides) {
  const range = `${Math.min(...cpu).toFixed(1)} … ${
    Math.max(...cpu).toFixed(1)
  }`;
  console.log(
    `${name.padEnd(12)} CPU a round ${
      median(cpu).toFixed(1)
    } ms (${range}), wall ${median(wall).toFixed(1)} ms`,
  );
}
console.log(
  `ratio of CPU ${(median(sides[0].cpu) / median(sides[1].cpu)).toFixed(2)}`,
);
for (const { child, clients } of sides) {
  clients[Symbol.dispose]();
  await child[Symbol.asyncDispose]();
}
Deno.exit();
