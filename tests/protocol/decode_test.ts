import {
  create,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import {
  decodeDeltaRequest,
  decodeSotwRequest,
} from "../../lib/protocol/mod.ts";
import { TypeUrl } from "../../lib/resource/mod.ts";

const node = {
  id: "edge-1",
  cluster: "edge",
  metadata: { team: "payments", weight: 3 },
  locality: { region: "r", zone: "z" },
  userAgentName: "envoy",
  extensions: [{ name: "envoy.filters.http.router" }, { name: "other" }],
  clientFeatures: ["envoy.lb.does_not_support_overprovisioning"],
};
const error = { code: 13, message: "Error adding cluster é" };
const longName = "n".repeat(300);

function sotwBytes(
  init: MessageInitShape<typeof DiscoveryRequestSchema>,
): Uint8Array {
  const message = create(DiscoveryRequestSchema, init);
  return toBinary(DiscoveryRequestSchema, message);
}

function deltaBytes(
  init: MessageInitShape<typeof DeltaDiscoveryRequestSchema>,
): Uint8Array {
  const message = create(DeltaDiscoveryRequestSchema, init);
  return toBinary(DeltaDiscoveryRequestSchema, message);
}

const sotw = sotwBytes({
  node,
  typeUrl: TypeUrl.Cluster,
  versionInfo: "v1",
  responseNonce: "7",
  resourceNames: ["a", longName],
  errorDetail: error,
});
const delta = deltaBytes({
  node,
  typeUrl: TypeUrl.Cluster,
  responseNonce: "7",
  resourceNamesSubscribe: ["a", longName],
  resourceNamesUnsubscribe: ["b", "*"],
  initialResourceVersions: { a: "1", [longName]: "", "": "3" },
  errorDetail: error,
});

Deno.test("a state-of-the-world request is read in full", () => {
  const request = decodeSotwRequest(sotw);
  assertEquals(request.typeUrl, TypeUrl.Cluster);
  assertEquals(request.nonce, "7");
  assertEquals(request.error, error);
  assertEquals(request.wanted, {
    kind: "all",
    names: ["a", longName],
    version: "v1",
  });
});

Deno.test("a delta request is read in full", () => {
  const request = decodeDeltaRequest(delta);
  assertEquals(request.typeUrl, TypeUrl.Cluster);
  assertEquals(request.nonce, "7");
  assertEquals(request.error, error);
  assertEquals(request.wanted, {
    kind: "changes",
    subscribe: ["a", longName],
    unsubscribe: ["b", "*"],
    versions: new Map([["a", "1"], [longName, ""], ["", "3"]]),
  });
});

Deno.test("the node is read but for its extensions", () => {
  const { extensions: _, ...rest } = node;
  const expected = create(NodeSchema, rest);
  assertEquals(decodeSotwRequest(sotw).node, expected);
  assertEquals(decodeDeltaRequest(delta).node, expected);
});

Deno.test("a request of no bytes asks for nothing in particular", () => {
  assertEquals(decodeSotwRequest(new Uint8Array()), {
    node: undefined,
    typeUrl: "",
    nonce: "",
    error: undefined,
    wanted: { kind: "all", names: [], version: "" },
  });
  assertEquals(decodeDeltaRequest(new Uint8Array()), {
    node: undefined,
    typeUrl: "",
    nonce: "",
    error: undefined,
    wanted: {
      kind: "changes",
      subscribe: [],
      unsubscribe: [],
      versions: new Map(),
    },
  });
});

Deno.test("an error without a code or message is an error all the same", () => {
  const none = { code: 0, message: "" };
  const { error } = decodeSotwRequest(sotwBytes({ errorDetail: {} }));
  assertEquals(error, none);
  assertEquals(decodeDeltaRequest(deltaBytes({ errorDetail: {} })).error, none);
});

Deno.test("fields that the protocol does not know are passed over, wherever they stand", () => {
  const unknown = [
    ...[0xa0, 0x1f, 0x96, 0x01], // varint
    ...[0xa1, 0x1f, 1, 2, 3, 4, 5, 6, 7, 8], // 64 bits
    ...[0xa5, 0x1f, 1, 2, 3, 4], // 32 bits
    ...[0xa2, 0x1f, 2, 9, 9], // bytes
  ];
  const before = new Uint8Array([...unknown, ...sotw]);
  const behind = new Uint8Array([...sotw, ...unknown]);
  assertEquals(decodeSotwRequest(before), decodeSotwRequest(sotw));
  assertEquals(decodeSotwRequest(behind), decodeSotwRequest(sotw));
  const around = new Uint8Array([...unknown, ...delta, ...unknown]);
  assertEquals(decodeDeltaRequest(around), decodeDeltaRequest(delta));
});

Deno.test("a request that is cut off anywhere is read as far as it goes, or refused", () => {
  for (let length = 0; length < sotw.length; length++) {
    throwsWellOrNot(() => decodeSotwRequest(sotw.subarray(0, length)));
  }
  for (let length = 0; length < delta.length; length++) {
    throwsWellOrNot(() => decodeDeltaRequest(delta.subarray(0, length)));
  }
});

Deno.test("a request with any byte set to 0, 127 or 255 is read, or refused", () => {
  for (
    const [bytes, decode] of [
      [sotw, decodeSotwRequest],
      [delta, decodeDeltaRequest],
    ] as const
  ) {
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 127, 255]) {
        const broken = bytes.slice();
        broken[at] = value;
        throwsWellOrNot(() => decode(broken));
      }
    }
  }
});

Deno.test("a node that is cut off anywhere is refused where the generated code refuses it", () => {
  const whole = toBinary(NodeSchema, create(NodeSchema, node));
  for (let length = 0; length < whole.length; length++) {
    const part = whole.subarray(0, length);
    const request = new Uint8Array([0x12, ...varint(length), ...part]);
    throwsWellOrNot(() => decodeSotwRequest(request));
    if (!parses(part)) assertThrows(() => decodeSotwRequest(request));
  }
});

Deno.test("text that is not UTF-8 is refused", () => {
  const request = new Uint8Array([0x22, 2, 0xc3, 0x28]);
  assertThrows(() => decodeSotwRequest(request), TypeError);
});

Deno.test("a length far beyond the message is refused at once", () => {
  const request = new Uint8Array([0x1a, 0xff, 0xff, 0xff, 0xff, 0x7f, 1]);
  assertThrows(() => decodeSotwRequest(request), RangeError);
});

function throwsWellOrNot(call: () => unknown) {
  try {
    call();
  } catch (error) {
    assert(
      error instanceof RangeError || error instanceof TypeError,
      `neither a RangeError nor a TypeError: ${error}`,
    );
  }
}

function parses(bytes: Uint8Array): boolean {
  try {
    fromBinary(NodeSchema, bytes);
    return true;
  } catch {
    return false;
  }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [value % 128 | 128, ...varint(value >> 7)];
}
