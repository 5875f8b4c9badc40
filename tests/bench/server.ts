/** Our server, as it is measured. It takes the same commands as the peer in go/peer, and makes the same of them. */
import type { Message } from "@bufbuild/protobuf";
import {
  type Cache,
  createResource,
  createSnapshot,
  type Resource,
  serve,
  SnapshotCache,
} from "../../mod.ts";
import { answerCommands, build, type Command, measure } from "./_commands.ts";
import { messages, type TypeName } from "./_resources.ts";

let cache: Cache | undefined;
let snapshots: SnapshotCache | undefined;
let keys: string[] = [];

function setSnapshot({ content, revision, keys: count, ads }: Command) {
  if (!snapshots) {
    cache = snapshots = new SnapshotCache({ ads });
    keys = count
      ? Array.from({ length: count }, (_, i) => `node-${i}`)
      : ["node"];
  }
  const made = build(() =>
    Object.entries(content).flatMap(([type, count]) =>
      messages(type as TypeName, 0, count, revision)
    )
  );
  return measure(() => setAll(made, String(revision)));
}

function setAll(made: Message[], version: string) {
  // Keys share resources, as go-control-plane's snapshots do, but each has a snapshot of its own.
  const resources: (Message | Resource)[] = keys.length > 1
    ? made.map((message) => createResource(message))
    : made;
  for (const key of keys) {
    snapshots!.set(key, createSnapshot({ version, resources }));
  }
}

function change({ type, from, count, revision }: Command) {
  const set = build(() => messages(type as TypeName, from, count, revision));
  return measure(() => {
    for (const key of keys) {
      const next = snapshots!.get(key)!.with({
        set,
        version: String(revision),
      });
      snapshots!.set(key, next);
    }
  });
}

/** Changes one resource after the other at a steady pace, and tells when each change began. */
async function churn(command: Command): Promise<number[]> {
  const at: number[] = [];
  const start = performance.now();
  for (let i = 0; i < command.updates; i++) {
    const due = start + (i + 1) * command.interval;
    await new Promise((resolve) =>
      setTimeout(resolve, due - performance.now())
    );
    at.push(
      change({
        ...command,
        from: i % command.count,
        count: 1,
        revision: command.revision + i,
      }).at,
    );
  }
  return at;
}

await answerCommands({
  snapshot: setSnapshot,
  change,
  churn,
  async listen() {
    const server = await serve({
      cache: cache!,
      hostname: "127.0.0.1",
      port: 0,
    });
    return { port: server.addr.port };
  },
});
