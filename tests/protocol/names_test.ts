import { create, toBinary } from "@bufbuild/protobuf";
import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import { DiscoveryRequestSchema } from "@xds/envoy/envoy/service/discovery/v3";
import { decodeSotwRequest } from "../../lib/protocol/mod.ts";

function encode(resourceNames: string[], responseNonce = "1"): Uint8Array {
  const request = create(DiscoveryRequestSchema, {
    typeUrl: "type.googleapis.com/x.Y",
    resourceNames,
    responseNonce,
  });
  return toBinary(DiscoveryRequestSchema, request);
}

function namesOf(bytes: Uint8Array): readonly string[] {
  const { wanted } = decodeSotwRequest(bytes);
  if (wanted.kind !== "all") throw new Error("not all names");
  return wanted.names;
}

const list = (count: number) =>
  Array.from({ length: count }, (_, i) => `name-${i}`);

Deno.test("lists of names are read whole, short and long, and names of any length", () => {
  const lengths = [1, 126, 127, 128, 129, 16_383, 16_384, 20_000];
  const lists = [
    list(0),
    list(1),
    list(3),
    list(4),
    list(1_000),
    lengths.map((length) => "n".repeat(length)),
    ["", "a", "", "b", "", ""],
    ["é", "日本", "a", "b", "🜁"],
  ];
  for (const names of lists) {
    // Once to be learned, once to be known.
    assertEquals(namesOf(encode(names)), names);
    assertEquals(namesOf(encode(names)), names);
  }
});

Deno.test("a list that is said again is the same object, whoever says it", () => {
  const names = namesOf(encode(list(50), "1"));
  assertStrictEquals(namesOf(encode(list(50), "2")), names);
  const others = list(50).with(17, "name-X");
  assertEquals(namesOf(encode(others)), others);
  assertStrictEquals(namesOf(encode(others)), namesOf(encode(others)));
});

Deno.test("names on either side of other fields are one list, and change no other", () => {
  const halves = [encode(list(10)), encode(["x", "y"])];
  const both = new Uint8Array([...halves[0], ...halves[1]]);
  assertEquals(namesOf(both), [...list(10), "x", "y"]);
  assertEquals(namesOf(encode(list(10))), list(10));
});

Deno.test("a list that is cut off is an error, as it is without one known", () => {
  const bytes = encode(list(20), "");
  namesOf(bytes);
  const type = encode([], "").length;
  for (let end = type; end < bytes.length; end++) {
    const cut = bytes.subarray(0, end);
    let whole: readonly string[] | undefined;
    try {
      whole = namesOf(cut);
    } catch (error) {
      assertInstanceOf(error, RangeError);
      continue;
    }
    // A cut between two names leaves a message that is one.
    assertEquals(whole, list(20).slice(0, whole.length));
  }
});

Deno.test("lists of names that differ in a few digits are told apart, however many there are", () => {
  for (const count of [10, 500]) {
    const lists = Array.from({ length: 1_000 / count * 10 }, (_, i) =>
      encode(
        Array.from(
          { length: count },
          (_, j) => `cluster-${String(i * count + j).padStart(5, "0")}`,
        ),
      ));
    const read = lists.map(namesOf);
    for (const [i, bytes] of lists.entries()) {
      assertStrictEquals(namesOf(bytes), read[i]);
    }
  }
});
