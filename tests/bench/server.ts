/**
 * Our server, as it is measured. It takes the same commands as the peer in go/peer, and makes the same of them. Since it
 * encodes resources as it makes them, what it takes to make them is measured, too; the peer's is not, unless a row says so.
 */
import type { Message } from "@bufbuild/protobuf";
import {
  type Cache,
  createSnapshot,
  LinearCache,
  type Resource,
  serve,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import {
  answerCommands,
  build,
  type Command,
  measure,
  now,
} from "./_commands.ts";
import type { Observed } from "./_observers.ts";
import { messages, resources, type TypeName } from "./_resources.ts";

/** What is told of all that happens; most rows have nobody who is. */
const [observed] = Deno.args as Observed[];
const observer = observed &&
  (await import("./_observers.ts")).observerFor(observed);

let cache: Cache | undefined;
let snapshots: SnapshotCache | undefined;
let linear: LinearCache | undefined;
let keys: string[] = [];

function setSnapshot(command: Command) {
  const { content, revision, keys: count, ads, unversioned } = command;
  if (!snapshots) {
    cache = snapshots = new SnapshotCache({ ads, observer });
    observer?.count({ snapshots: cache as SnapshotCache });
    keys = count
      ? Array.from({ length: count }, (_, i) => `node-${i}`)
      : ["node"];
  }
  const version = unversioned ? undefined : String(revision);
  if (command.prebuilt) {
    const made = build(() => madeOf(messages, content, revision));
    return measure(() => setAll(made, version));
  }
  return measure(() => setAll(madeOf(resources, content, revision), version));
}

function madeOf<T>(
  make: (...of: Parameters<typeof messages>) => T[],
  content: Command["content"],
  revision: number,
): T[] {
  return Object.entries(content).flatMap(([type, count]) =>
    make(type as TypeName, 0, count, revision) as Exclude<T, readonly T[]>[]
  );
}

/** Keys share resources, as go-control-plane's snapshots do, but each has a snapshot of its own. */
function setAll(
  resources: readonly (Message | Resource)[],
  version: string | undefined,
) {
  for (const key of keys) {
    snapshots!.set(key, createSnapshot({ version, resources }));
  }
}

function change({ type, from, count, revision }: Command) {
  return measure(() => {
    const set = resources(type as TypeName, from, count, revision);
    for (const key of keys) {
      const next = snapshots!.get(key)!.with({
        set,
        version: String(revision),
      });
      snapshots!.set(key, next);
    }
  });
}

function makeLinear({ type, count, revision }: Command) {
  return measure(() => {
    const typeUrl = TypeUrl[type as TypeName];
    const initial = resources(type as TypeName, 0, count, revision);
    cache = linear = new LinearCache(typeUrl, { resources: initial });
  });
}

function update({ type, from, count, revision, times = 1, made }: Command) {
  const make = (i: number) =>
    resources(type as TypeName, from, count, revision + i);
  if (made) {
    const sets = build(() => Array.from({ length: times }, (_, i) => make(i)));
    return measure(() => {
      for (const set of sets) linear!.update({ set });
    });
  }
  return measure(() => {
    for (let i = 0; i < times; i++) linear!.update({ set: make(i) });
  });
}

/** Changes one resource after the other at a steady pace, and tells when each change was due. */
async function churn(command: Command): Promise<number[]> {
  const { updates, interval, count, revision } = command;
  const due: number[] = [];
  const start = now();
  while (due.length < updates) {
    const next = start + (due.length + 1) * interval * 1_000;
    const wait = next - now();
    if (wait > 0) {
      await new Promise((resolve) => setTimeout(resolve, wait / 1_000));
    }
    change({
      ...command,
      from: due.length % count,
      count: 1,
      revision: revision + due.length,
    });
    due.push(next);
  }
  return due;
}

await answerCommands({
  snapshot: setSnapshot,
  change,
  churn,
  linear: makeLinear,
  update,
  async listen() {
    const server = await serve({
      cache: cache!,
      hostname: "127.0.0.1",
      port: 0,
      observer,
    });
    return { port: server.addr.port };
  },
});
