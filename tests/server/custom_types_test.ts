import { create } from "@bufbuild/protobuf";
import { type Struct, StructSchema } from "@bufbuild/protobuf/wkt";
import { assertEquals, assertThrows } from "@std/assert";
import {
  type Cache,
  createResource,
  createSnapshot,
  LinearCache,
  MuxCache,
  OnDemandCache,
  type Resource,
  serve,
  SnapshotCache,
  TypeUrl,
  typeUrl,
} from "../../mod.ts";
import { GrpcClient } from "../support/grpc_client.ts";

const node = { id: "node" };
const CUSTOM = "type.example.com/example.v1.Flags";
/** No message that anybody has a schema for: the same field twice, one after a higher one, and a varint that is too long. */
const bytes = new Uint8Array([
  0x7a,
  1,
  0x62,
  0x0a,
  1,
  0x61,
  0x7a,
  0,
  8,
  0x81,
  0,
]);

function custom(typeUrl = CUSTOM): Resource {
  return createResource({ typeUrl, name: "flags", bytes });
}

/** A cache of each kind that serves one resource. */
function caches(resource: Resource): Record<string, Cache> {
  const { typeUrl } = resource;
  const snapshots = new SnapshotCache({ ads: true });
  snapshots.set(node.id, createSnapshot({ resources: [resource] }));
  const linear = new LinearCache(typeUrl, { resources: [resource] });
  return {
    SnapshotCache: snapshots,
    LinearCache: linear,
    MuxCache: new MuxCache((request) =>
      request.typeUrl === typeUrl ? linear : snapshots
    ),
    OnDemandCache: new OnDemandCache(({ name }) =>
      name === resource.name ? resource : undefined
    ),
  };
}

/** What a client gets, by both protocols, on ADS or on a service of the type's own. */
async function received(cache: Cache, typeUrl: string, service?: string) {
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  using grpc = new GrpcClient(server.addr.port);
  const [world, changes] = service?.split(" ") ?? [];
  const sotw = grpc.sotw(world);
  sotw.send({ node, typeUrl, resourceNames: ["flags"] });
  const delta = grpc.delta(changes);
  delta.send({ node, typeUrl, resourceNamesSubscribe: ["flags"] });
  const [one] = (await sotw.next()).resources;
  const [two] = (await delta.next()).resources;
  sotw.cancel();
  delta.cancel();
  assertEquals(two.name, "flags");
  return [one, two.resource!].map(({ typeUrl, value }) => ({
    typeUrl,
    value: new Uint8Array(value),
  }));
}

for (const [kind, cache] of Object.entries(caches(custom()))) {
  Deno.test(`bytes of a type that nobody knows pass through a ${kind} untouched`, async () => {
    const same = { typeUrl: CUSTOM, value: bytes };
    assertEquals(await received(cache, CUSTOM), [same, same]);
  });
}

const CDS = "/envoy.service.cluster.v3.ClusterDiscoveryService";
for (const [kind, cache] of Object.entries(caches(custom(TypeUrl.Cluster)))) {
  Deno.test(`bytes that are encoded already pass through a ${kind} and a type's own service untouched`, async () => {
    const same = { typeUrl: TypeUrl.Cluster, value: bytes };
    const service = `${CDS}/StreamClusters ${CDS}/DeltaClusters`;
    assertEquals(await received(cache, TypeUrl.Cluster, service), [same, same]);
  });
}

Deno.test("a message of any type is served under a name that is given with it", async () => {
  const type = typeUrl(StructSchema);
  const struct = create(StructSchema, {
    fields: { on: { kind: { case: "boolValue", value: true } } },
  });
  const named = createResource(struct, {
    schema: StructSchema,
    name: "flags",
  });
  const cache = new LinearCache(StructSchema, {
    name: ({ fields }: Struct) => "on" in fields ? "flags" : "none",
  });
  cache.set(struct);
  assertEquals(cache.get("flags")?.version, named.version);
  const [one] = await received(cache, type);
  assertEquals(one, { typeUrl: type, value: named.bytes });
  const snapshots = new SnapshotCache();
  snapshots.set(node.id, createSnapshot({ resources: [named] }));
  assertEquals((await received(snapshots, type))[0], one);

  assertThrows(
    () => createSnapshot({ resources: [struct] }),
    TypeError,
    "google.protobuf.Struct is no resource type known here: pass { schema } and { name } with it",
  );
});
