/** What gRPC's protocol over HTTP/2 asks for, beyond what its own clients make use of. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { HpackDecoder } from "../../lib/http2/_hpack_decoder.ts";
import { timeoutOf } from "../../lib/server/_grpc_timeout.ts";
import { TypeUrl } from "../../mod.ts";
import { RawClient } from "../http2/_raw_client.ts";
import {
  concat,
  END_HEADERS,
  END_STREAM,
  frame,
  requestBlock,
  uint32,
} from "../http2/_wire.ts";
import { node, scene } from "./_scene.ts";

const ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
const OK = "0";
const DEADLINE_EXCEEDED = "4";
const UNIMPLEMENTED = "12";
const INTERNAL = "13";

/** HEADERS of a request. */
function open(fields: Record<string, string> = {}): Uint8Array {
  const all = {
    ":path": ADS,
    "content-type": "application/grpc",
    te: "trailers",
    ...fields,
  };
  return frame("HEADERS", END_HEADERS, 1, requestBlock(Object.entries(all)));
}

const asked = toBinary(
  DiscoveryRequestSchema,
  create(DiscoveryRequestSchema, { node, typeUrl: TypeUrl.Cluster }),
);

/** A gRPC message in DATA. */
function message(bytes: Uint8Array, flag = 0, flags = 0): Uint8Array {
  return frame("DATA", flags, 1, [flag, ...uint32(bytes.length), ...bytes]);
}

/** What a server answers: fields, trailers and messages. */
async function answerTo(port: number, ...frames: Uint8Array[]) {
  using client = new RawClient(port);
  client.begin(...frames);
  await client.next(
    "HEADERS",
    ({ flags }) => (flags & END_STREAM) !== 0,
  );
  const decoder = new HpackDecoder();
  const headers = client.frames.filter(({ name }) => name === "HEADERS").map(
    ({ payload }) => {
      const fields = new Map<string, string>();
      decoder.decode(
        payload,
        0,
        payload.length,
        ({ name, value }) => fields.set(name, value),
      );
      return fields;
    },
  );
  const body = concat(
    client.frames.filter(({ name }) => name === "DATA")
      .map(({ payload }) => payload),
  );
  return {
    status: headers[0].get(":status"),
    code: headers.at(-1)!.get("grpc-status"),
    text: headers.at(-1)!.get("grpc-message"),
    body,
  };
}

Deno.test("a method that there is not is UNIMPLEMENTED, and not a failure of HTTP", async () => {
  await using at = await scene();
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/Else";
  const answer = await answerTo(
    at.port,
    open({ ":path": path }),
    message(asked, 0, END_STREAM),
  );
  assertEquals([answer.status, answer.code], ["200", UNIMPLEMENTED]);
  assertEquals(answer.text, `nothing is served at ${path}`);
  assertEquals(answer.body.length, 0);
});

Deno.test("a request that ends with its message is answered before its stream ends", async () => {
  await using at = await scene();
  const answer = await answerTo(
    at.port,
    open(),
    message(asked, 0, END_STREAM),
  );
  assertEquals(answer.code, OK);
  const response = fromBinary(DiscoveryResponseSchema, answer.body.subarray(5));
  assertEquals(response.resources.length, 1);
});

Deno.test("a message with another flag than 0 and 1 is no message", async () => {
  await using at = await scene();
  const answer = await answerTo(at.port, open(), message(asked, 2));
  assertEquals(answer.code, INTERNAL);
  const compressed = await answerTo(at.port, open(), message(asked, 1));
  assertEquals(compressed.code, UNIMPLEMENTED);
});

Deno.test("a call ends at the deadline that its client sets", async () => {
  await using at = await scene();
  const answer = await answerTo(
    at.port,
    open({ "grpc-timeout": "30m" }),
    message(asked),
  );
  assertEquals(answer.code, DEADLINE_EXCEEDED);
  assertEquals(
    answer.text,
    "the deadline of 30 ms that the client set has passed",
  );
});

Deno.test("timeouts are told in six units, and what is none of them is passed over", () => {
  const times = ["2H", "3M", "4S", "5m", "6000u", "7n", "99999999S", "1x", ""];
  assertEquals(times.map(timeoutOf), [
    7_200_000,
    180_000,
    4_000,
    5,
    6,
    1,
    undefined,
    undefined,
    undefined,
  ]);
});

for (
  const type of [
    "application/grpc; charset=utf-8",
    "application/grpc+proto;x=y",
    "application/grpc",
  ]
) {
  Deno.test(`${type} is gRPC, on streams and by unary methods`, async () => {
    await using at = await scene();
    const fields = { "content-type": type };
    const streamed = await answerTo(
      at.port,
      open(fields),
      message(asked, 0, END_STREAM),
    );
    assertEquals([streamed.status, streamed.code], ["200", OK]);
    const path =
      "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters";
    const unary = await answerTo(
      at.port,
      open({ ...fields, ":path": path }),
      message(asked, 0, END_STREAM),
    );
    assertEquals([unary.status, unary.code], ["200", OK]);
  });
}
