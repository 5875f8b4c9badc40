import { create, fromBinary } from "@bufbuild/protobuf";
import { anyIs, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { View } from "../../lib/cache/mod.ts";
import {
  PREFIX_BYTES,
  type Protocol,
  type Response,
  Responses,
} from "../../lib/protocol/mod.ts";
import {
  createResource,
  type Resource,
  type ResourceOptions,
  TypeUrl,
} from "../../lib/resource/mod.ts";

interface Content {
  resources?: readonly Resource[];
  removed?: readonly string[];
  missing?: readonly string[];
  version?: string;
}

function respond(protocol: Protocol, content: Content): Response {
  const { resources = [], removed = [], missing = [], version = "" } = content;
  const responses = new Responses(protocol, () => 300);
  const view = new View(new Map());
  const lack = { resources, removed };
  const typeUrl = TypeUrl.Cluster;
  return responses.part({ typeUrl, view, version, lack, missing }, 0);
}

/** The message in a frame, whose prefix has to say that it is uncompressed and how long it is. */
function message({ frame }: Response): Uint8Array {
  const prefix = new DataView(frame.buffer, frame.byteOffset, PREFIX_BYTES);
  assertEquals(prefix.getUint8(0), 0);
  assertEquals(prefix.getUint32(1), frame.length - PREFIX_BYTES);
  return frame.subarray(PREFIX_BYTES);
}

function sotw(content: Content) {
  return fromBinary(DiscoveryResponseSchema, message(respond("sotw", content)));
}

function delta(content: Content) {
  const bytes = message(respond("delta", content));
  return fromBinary(DeltaDiscoveryResponseSchema, bytes);
}

function cluster(name: string, options?: ResourceOptions): Resource {
  const message = create(ClusterSchema, { name, altStatName: "stat" });
  return createResource(message, options);
}

/** Lengths at which a varint grows by a byte, in UTF-8 and not in letters. */
const lengths = [1, 127, 128, 129, 16_383, 16_384, 70_000];

Deno.test("a state-of-the-world response holds its resources as they are", () => {
  const response = sotw({
    version: "v1",
    resources: [cluster("a"), cluster("b")],
  });
  assertEquals(response.versionInfo, "v1");
  assertEquals(response.typeUrl, TypeUrl.Cluster);
  assertEquals(response.nonce, "300");
  assertEquals(response.resourceErrors, []);
  assertEquals(response.$unknown, undefined);
  const names = response.resources.map((any) =>
    anyUnpack(any, ClusterSchema)?.name
  );
  assertEquals(names, ["a", "b"]);
});

Deno.test("a state-of-the-world resource with a TTL comes in a wrapper, and others beside it do not", () => {
  const short = cluster("short", { ttl: 1_250, version: "7" });
  const { resources } = sotw({ resources: [short, cluster("long")] });
  const wrapper = anyUnpack(resources[0], ResourceSchema);
  assert(wrapper?.resource);
  assertEquals(wrapper.name, "short");
  assertEquals(wrapper.version, "7");
  assertEquals(wrapper.ttl?.seconds, 1n);
  assertEquals(wrapper.ttl?.nanos, 250_000_000);
  assertEquals(anyUnpack(wrapper.resource, ClusterSchema)?.name, "short");
  assert(anyIs(resources[1], ClusterSchema));
});

Deno.test("a delta response says which virtual hosts do not exist by resources without a body, with an alias", () => {
  const { resources, removedResources } = delta({ missing: ["r/x", "r/y"] });
  assertEquals(removedResources, []);
  assertEquals(
    resources.map(({ name, aliases, resource }) => ({
      name,
      aliases,
      resource,
    })),
    ["r/x", "r/y"].map((name) => ({
      name,
      aliases: [name],
      resource: undefined,
    })),
  );
});

Deno.test("a state-of-the-world response says which names are missing, and that it is for want of them", () => {
  const { resourceErrors } = sotw({ missing: ["x", 'say "y"'] });
  assertEquals(
    resourceErrors.map(({ resourceName }) => resourceName?.name),
    ["x", 'say "y"'],
  );
  for (const { errorDetail } of resourceErrors) {
    const NOT_FOUND = 5;
    assertEquals(errorDetail?.code, NOT_FOUND);
    assertStringIncludes(errorDetail?.message ?? "", TypeUrl.Cluster);
  }
});

Deno.test("a delta response gives each resource its name and version", () => {
  const response = delta({
    version: "v1",
    resources: [cluster("a", { version: "5" }), cluster("b")],
  });
  assertEquals(response.systemVersionInfo, "v1");
  assertEquals(response.typeUrl, TypeUrl.Cluster);
  assertEquals(response.nonce, "300");
  assertEquals(response.removedResources, []);
  assertEquals(response.$unknown, undefined);
  const [a, b] = response.resources;
  assertEquals([a.name, a.version, a.ttl], ["a", "5", undefined]);
  assertEquals([b.name, b.version], ["b", cluster("b").version]);
  assertEquals(anyUnpack(b.resource!, ClusterSchema)?.altStatName, "stat");
});

Deno.test("a delta resource carries its TTL, to the millisecond", () => {
  for (const ttl of [1, 999, 1_000, 1_001, 86_400_000]) {
    const { resources: [resource] } = delta({
      resources: [cluster("a", { ttl })],
    });
    const { seconds, nanos } = resource.ttl!;
    assertEquals(Number(seconds) * 1_000 + nanos / 1e6, ttl);
  }
});

Deno.test("a TTL within half a nanosecond of a second is a valid duration", () => {
  const { resources: [resource] } = delta({
    resources: [cluster("a", { ttl: 1999.9999999 })],
  });
  const { seconds, nanos } = resource.ttl!;
  assert(nanos < 1_000_000_000, `${seconds} s and ${nanos} ns`);
});

Deno.test("a delta response names what is removed", () => {
  const { resources, removedResources } = delta({ removed: ["x", "y"] });
  assertEquals(resources, []);
  assertEquals(removedResources, ["x", "y"]);
});

Deno.test("an empty response has its type, version and nonce", () => {
  for (const response of [sotw({}), delta({})]) {
    assertEquals(response.resources, []);
    assertEquals(response.typeUrl, TypeUrl.Cluster);
    assertEquals(response.nonce, "300");
  }
});

for (const length of lengths) {
  Deno.test(`names of ${length} letters and of twice as many bytes keep their length`, () => {
    const names = ["n".repeat(length), "é".repeat(length)];
    const resources = names.map((name) => cluster(name, { ttl: 1_000 }));
    const world = sotw({ resources, missing: names, version: names[1] });
    assertEquals(world.versionInfo, names[1]);
    assertEquals(
      world.resources.map((any) => anyUnpack(any, ResourceSchema)?.name),
      names,
    );
    assertEquals(
      world.resourceErrors.map(({ resourceName }) => resourceName?.name),
      names,
    );
    const change = delta({ resources, removed: names, version: names[1] });
    assertEquals(change.resources.map(({ name }) => name), names);
    assertEquals(change.removedResources, names);
  });
}

Deno.test("a response is encoded once", () => {
  const response = respond("delta", { resources: [cluster("a")] });
  assertStrictEquals(response.frame, response.frame);
});

Deno.test("names and versions of every kind of character are written whole", () => {
  const texts = [
    "é",
    "€uro",
    "😀",
    "a😀é€b",
    "\ud800",
    "x\udc00y",
    "\ud800\ud800",
  ];
  texts.push(
    "é".repeat(63),
    "é".repeat(64),
    "€".repeat(6_000),
    "x".repeat(20_000),
  );
  for (const text of texts) {
    const message = create(ClusterSchema, { name: "a" });
    const one = createResource(message, { name: text, version: text });
    const content = { resources: [one], removed: [text], version: text };
    const expected = text.toWellFormed();
    const { resources: [sent], removedResources, systemVersionInfo } = delta(
      content,
    );
    assertEquals(sent.name, expected);
    assertEquals(sent.version, expected);
    assertEquals(removedResources, [expected]);
    assertEquals(systemVersionInfo, expected);
    assertEquals(sotw({ version: text }).versionInfo, expected);
    assertEquals(
      sotw({ missing: [text] }).resourceErrors[0].resourceName?.name,
      expected,
    );
  }
});
