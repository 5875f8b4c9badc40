/** What is read of a resource's fields may be a getter, which may do anything. */
import { create } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { createResource } from "../../mod.ts";

const inner = { name: "inner", altStatName: "of the inner one" };
const outer = { name: "outer", edsClusterConfig: { serviceName: "a" } };

Deno.test("a getter that makes another resource corrupts neither", () => {
  const expected = [outer, inner].map((init) =>
    createResource(create(ClusterSchema, init)).bytes
  );
  let made: Uint8Array | undefined;
  const getter = {
    name: "outer",
    edsClusterConfig: {
      get serviceName() {
        made = createResource(ClusterSchema, inner).bytes;
        return "a";
      },
    },
  };
  const { bytes } = createResource(ClusterSchema, getter);
  assertEquals([bytes, made], expected);
});

Deno.test("a getter that throws leaves the next resource as it is", () => {
  const failing = {
    name: "failing",
    edsClusterConfig: {
      get serviceName(): string {
        createResource(ClusterSchema, inner);
        throw new Error("no");
      },
    },
  };
  for (let i = 0; i < 2; i++) {
    try {
      createResource(ClusterSchema, failing);
    } catch {
      // It is to.
    }
  }
  const { bytes } = createResource(ClusterSchema, outer);
  assertEquals(bytes, createResource(create(ClusterSchema, outer)).bytes);
});
