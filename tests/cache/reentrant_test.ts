import { create } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import type { Cache, View, WatchSink } from "../../lib/cache/mod.ts";
import {
  createSnapshot,
  LinearCache,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { cluster, endpoints } from "../support/resources.ts";
import { client } from "./_probe.ts";

// A server's observer is told of what a change does while the change is made, and may make another.

function watch(
  cache: Cache,
  typeUrl: string,
  names: readonly string[],
  sink: Partial<WatchSink> = {},
  who = client(),
) {
  let last: View | undefined;
  const all = names.includes("*");
  const subscription = {
    wildcard: all,
    names: new Set(all ? [] : names),
  };
  cache.watch({ client: who, typeUrl, subscription }, {
    ...sink,
    changed: (view, names) => {
      last = view;
      sink.changed?.(view, names);
    },
  });
  return {
    get version() {
      return last?.version;
    },
  };
}

Deno.test("who is told of a change of a LinearCache may make another", () => {
  const plain = (name: string, altStatName = "") =>
    create(ClusterSchema, { name, altStatName });
  for (const names of [["*"], ["a"]]) {
    const cache = new LinearCache(ClusterSchema, { resources: [plain("a")] });
    let isFirst = false;
    watch(cache, cache.typeUrl, names, {
      changed: () => {
        if (!isFirst) return;
        isFirst = false;
        cache.set(plain("a", "3"));
      },
    });
    const other = watch(cache, cache.typeUrl, names);
    isFirst = true;
    cache.set(plain("a", "2"));
    assertEquals(other.version, cache.version);
  }
});

Deno.test("an observer that is told of a new snapshot may set another", () => {
  const cache = new SnapshotCache({ ads: true });
  const set = (version: string, ...more: string[]) =>
    cache.set(
      "node",
      createSnapshot({
        version,
        resources: ["a", ...more].flatMap((name) => [
          cluster(name, "ads"),
          endpoints(name, 1),
        ]),
      }),
    );
  set("1");
  const who = client();
  let next: string | undefined;
  const go = () => {
    const version = next;
    next = undefined;
    if (version) set(version, "b");
  };
  watch(cache, TypeUrl.ClusterLoadAssignment, ["a"], { changed: go }, who);
  const clusters = watch(cache, TypeUrl.Cluster, ["*"], {}, who);
  next = "3";
  set("2", "b");
  assertEquals(clusters.version, "3");
  next = "5";
  set("4");
  assertEquals(clusters.version, "5");
});
