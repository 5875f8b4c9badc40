/** What a change costs the caches and the state machines, in process: from the change to the bytes of the responses. */
import { cpuUsage } from "node:process";
import { create } from "@bufbuild/protobuf";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createResource,
  createSnapshot,
  LinearCache,
  type Resource,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { Sessions } from "./_sessions.ts";

const typeUrl = TypeUrl.Cluster;
let serial = 0;

/** A cluster that differs from all others of its name. */
function cluster(index: number): Resource {
  const altStatName = `version-${serial++}-`.repeat(10);
  return createResource(
    create(ClusterSchema, { name: `cluster-${index}`, altStatName }),
  );
}

function clusters(count: number): Resource[] {
  return Array.from({ length: count }, (_, index) => cluster(index));
}

/**
 * Microseconds of CPU time that `work` takes with each of what `prepare` makes, on average: what is put off to a later
 * change counts, too, and what other processes do does not.
 */
function measure<T>(
  rounds: number,
  prepare: () => T,
  work: (prepared: T) => void,
): number {
  let microseconds = 0;
  // The first time is to warm up.
  for (let time = 0; time < 2; time++) {
    const prepared = Array.from({ length: rounds }, prepare);
    const before = cpuUsage();
    prepared.forEach((each) => work(each));
    const { user, system } = cpuUsage(before);
    microseconds = user + system;
  }
  return microseconds / rounds;
}

function print(what: string, microseconds: number, more = "") {
  console.log(
    `${what.padEnd(66)} ${microseconds.toFixed(1).padStart(9)} µs ${more}`,
  );
}

function linearByName(streams: number) {
  const cache = new LinearCache(typeUrl, { resources: clusters(10_000) });
  const sessions = new Sessions(cache);
  // A block of ten names for each ten streams, so that every name of the first thousand is asked for by ten of them.
  for (let stream = 0; stream < streams; stream++) {
    const block = Math.floor(stream / 10) * 10;
    const names = Array.from({ length: 10 }, (_, i) => `cluster-${block + i}`);
    sessions.open(typeUrl, names);
  }
  const change = (index: () => number) => {
    sessions.responses = sessions.bytes = 0;
    const rounds = 2_000;
    const time = measure(rounds, () => {
      const resource = cluster(index());
      void resource.fingerprint;
      return resource;
    }, (resource) => {
      cache.set(resource);
      sessions.settle();
    });
    return { time, responses: sessions.responses / rounds / 2 };
  };
  const random = (from: number, to: number) => () =>
    from + Math.floor(Math.random() * (to - from));
  return {
    nobody: change(random(1_000, 10_000)),
    ten: streams > 0 ? change(random(0, streams)) : undefined,
  };
}

function deltaWildcard(resources: number, streams: number) {
  const cache = new LinearCache(typeUrl, { resources: clusters(resources) });
  const sessions = new Sessions(cache);
  for (let stream = 0; stream < streams; stream++) sessions.open(typeUrl);
  return measure(200, () => {
    const resource = cluster(Math.floor(Math.random() * resources));
    void resource.fingerprint;
    return resource;
  }, (resource) => {
    cache.set(resource);
    sessions.settle();
  });
}

function snapshots(streams: number) {
  const resources = clusters(10_000);
  let snapshot = createSnapshot({ resources });
  const cache = new SnapshotCache();
  cache.set("node", snapshot);
  const sessions = new Sessions(cache);
  for (let stream = 0; stream < streams; stream++) sessions.open(typeUrl);
  const one = () => cluster(Math.floor(Math.random() * resources.length));
  const settle = () => {
    cache.set("node", snapshot);
    sessions.settle();
  };
  const anew = measure(30, one, (changed) => {
    const index = Number(changed.name.split("-")[1]);
    resources[index] = changed;
    snapshot = createSnapshot({ resources });
    settle();
  });
  const changed = measure(300, one, (changed) => {
    snapshot = snapshot.with({ set: [changed] });
    settle();
  });
  return { anew, changed };
}

const alone = linearByName(0);
const crowd = linearByName(1_000);
print("LinearCache of 10 000, no streams: one set", alone.nobody.time);
print(
  "  1 000 streams of 10 names: one set that concerns nobody",
  crowd.nobody.time,
  `${crowd.nobody.responses} responses, ratio ${
    (crowd.nobody.time / alone.nobody.time).toFixed(2)
  }`,
);
print(
  "  1 000 streams of 10 names: one set that concerns ten",
  crowd.ten!.time,
  `${crowd.ten!.responses} responses`,
);

const small = deltaWildcard(1_000, 500);
const large = deltaWildcard(10_000, 500);
print("delta wildcard, 500 streams, 1 000 resources: one set", small);
print(
  "delta wildcard, 500 streams, 10 000 resources: one set",
  large,
  `ratio ${(large / small).toFixed(2)}`,
);

for (const streams of [0, 1]) {
  const { anew, changed } = snapshots(streams);
  print(`snapshot of 10 000 built anew and set, ${streams} streams`, anew);
  print(
    `Snapshot.with one of 10 000 and set, ${streams} streams`,
    changed,
    `ratio ${(changed / anew).toFixed(3)}`,
  );
}
