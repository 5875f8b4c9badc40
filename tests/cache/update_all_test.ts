import { create } from "@bufbuild/protobuf";
import { assertEquals, assertThrows } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { TestClient } from "../../lib/testing/mod.ts";
import {
  LinearCache,
  MuxCache,
  shortName,
  TypeUrl,
  updateAll,
  ValidationError,
} from "../../mod.ts";
import { cluster, endpoints, routes } from "../support/resources.ts";

function scene() {
  const options = { makeBeforeBreak: true, validate: "error" } as const;
  const clusters = new LinearCache(ClusterSchema, options);
  const assignments = new LinearCache(ClusterLoadAssignmentSchema, options);
  const paths = new LinearCache(RouteConfigurationSchema, options);
  const cache = new MuxCache(({ typeUrl }) => {
    if (typeUrl === TypeUrl.Cluster) return clusters;
    return typeUrl === TypeUrl.RouteConfiguration ? paths : assignments;
  });
  const versions = () => [clusters, assignments, paths].map((c) => c.version);
  return { clusters, assignments, paths, cache, versions };
}

for (const protocol of ["sotw", "delta"] as const) {
  Deno.test(`a change of several LinearCaches goes to a client as one, make before break, ${protocol}`, () => {
    const { clusters, assignments, paths, cache } = scene();
    updateAll(
      [clusters, { set: [cluster("a", "ads")] }],
      [assignments, { set: [endpoints("a", 1)] }],
      [paths, { set: [routes("r", "a")] }],
    );
    using client = new TestClient(cache, { protocol });
    const steps: string[] = [];
    const ask = () => {
      const clusters = client.held(TypeUrl.Cluster).keys();
      const assigned = client.held(TypeUrl.ClusterLoadAssignment);
      const wanted = [...clusters].filter((name) => !assigned.has(name));
      if (wanted.length > 0) {
        client.subscribe(TypeUrl.ClusterLoadAssignment, wanted);
      }
      return wanted.length > 0;
    };
    const release = () => {
      const clusters = client.held(TypeUrl.Cluster);
      const assigned = client.held(TypeUrl.ClusterLoadAssignment).keys();
      const unused = [...assigned].filter((name) => !clusters.has(name));
      if (unused.length === 0) return;
      steps.push(`unsubscribe ${unused.join(" ")}`);
      client.unsubscribe(TypeUrl.ClusterLoadAssignment, unused);
    };
    // As Envoy does: in delta it asks for the endpoints of a cluster only after it has acknowledged that.
    const follow = () => {
      let read;
      while ((read = client.read()).length > 0 || ask()) {
        for (const response of read) {
          const { typeUrl, names, removed } = response;
          const gone = removed.map((name) => `-${name}`);
          steps.push([shortName(typeUrl), ...names, ...gone].join(" "));
          if (protocol === "sotw") ask();
          response.ack();
          if (typeUrl === TypeUrl.Cluster) release();
        }
      }
      return steps.splice(0);
    };
    client.subscribe(TypeUrl.Cluster);
    follow();
    client.subscribe(TypeUrl.RouteConfiguration, ["r"]);
    follow();

    updateAll(
      [paths, { set: [routes("r", "b")] }],
      [assignments, { set: [endpoints("b", 2)], delete: ["a"] }],
      [clusters, { set: [cluster("b", "ads")], delete: ["a"] }],
    );
    assertEquals(follow(), [
      protocol === "sotw" ? "Cluster b a" : "Cluster b",
      "ClusterLoadAssignment b",
      "RouteConfiguration r",
      protocol === "sotw" ? "Cluster b" : "Cluster -a",
      "unsubscribe a",
    ]);
    assertEquals([...client.held(TypeUrl.ClusterLoadAssignment).keys()], ["b"]);
  });
}

Deno.test("what is wrong in one of several caches changes none", () => {
  const { clusters, assignments, paths, versions } = scene();
  clusters.set(cluster("a", "ads"));
  const before = versions();
  const bad = create(ClusterSchema, { name: "b", connectTimeout: {} });
  assertThrows(
    () =>
      updateAll(
        [paths, { set: [routes("r", "b")] }],
        [assignments, { set: [endpoints("b", 1)] }],
        [clusters, { set: [bad], delete: ["a"] }],
      ),
    ValidationError,
    "connect_timeout",
  );
  assertThrows(
    () =>
      updateAll(
        [clusters, { delete: ["a"] }],
        [paths, { set: [routes("r", "a"), routes("r", "b")] }],
      ),
    TypeError,
    "named",
  );
  assertThrows(
    () => updateAll([clusters, { delete: ["a"] }], [clusters, {}]),
    TypeError,
    "given twice",
  );
  assertEquals(versions(), before);
});
