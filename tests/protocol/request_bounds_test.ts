/** What one request may hold is bounded, and known before it is allocated. */
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { memoryOf } from "../../lib/protocol/mod.ts";
import {
  BoundsError,
  decodeDeltaRequest,
  decodeSotwRequest,
} from "../../lib/protocol/mod.ts";
import { assertGrowsLinearly } from "../support/growth.ts";
import {
  bytesField,
  entries,
  message,
  repeated,
  value,
} from "./_request_bytes.ts";

const bounds = { names: 1_000, nodeBytes: 128 * 1024 };
const MESSAGE = 4 * 1024 * 1024;

/** What a request may be filled with, by the number of its field, and what it ends with. */
const attacks: [what: string, bytes: Uint8Array, bound?: string][] = [
  ["listening addresses", bytesField(2, repeated([0x5a, 0], MESSAGE))],
  ["empty metadata", bytesField(2, repeated([0x1a, 0], MESSAGE))],
  ["unknown fields of a node", bytesField(2, repeated([0x7a, 0], MESSAGE))],
  ["extensions", bytesField(2, repeated([0x4a, 0], MESSAGE))],
  [
    "client features",
    bytesField(2, repeated([0x52, 2, 97, 97], 20_000)),
    "nodeBytes",
  ],
  [
    "keys of metadata",
    bytesField(2, bytesField(3, entries(100_000))),
    "nodeBytes",
  ],
  [
    "values in a list",
    bytesField(
      2,
      bytesField(
        3,
        bytesField(
          1,
          message(
            [0x0a, 1, 97],
            bytesField(2, bytesField(6, repeated([0x0a, 0], 100_000))),
          ),
        ),
      ),
    ),
    "nodeBytes",
  ],
  ["names", repeated([0x1a, 0], MESSAGE), "names"],
  ["names of one byte", repeated([0x1a, 1, 97], MESSAGE), "names"],
  ["a long name", bytesField(3, new Uint8Array(MESSAGE).fill(97))],
  ["nodes", repeated([0x12, 0], MESSAGE)],
  ["errors", repeated([0x32, 0], MESSAGE)],
  ["details of an error", bytesField(6, repeated([0x1a, 0], MESSAGE))],
  ["unknown fields", repeated([0x7a, 0], MESSAGE)],
  ["varints", repeated([0x08, 0], MESSAGE)],
  ["names of a locator", bytesField(7, repeated([0x0a, 0], MESSAGE))],
  ["a long type", bytesField(4, new Uint8Array(MESSAGE).fill(97))],
];

for (const [what, bytes, bound] of attacks) {
  Deno.test(`a request of ${what} is refused before it is decoded`, () => {
    const error = assertThrows(
      () => decodeSotwRequest(bytes, bounds),
      RangeError,
    );
    assertEquals(error instanceof BoundsError ? error.bound : undefined, bound);
  });
}

const deltaAttacks: [what: string, bytes: Uint8Array, bound?: string][] = [
  ["subscriptions", repeated([0x1a, 0], MESSAGE), "names"],
  ["unsubscriptions", repeated([0x22, 0], MESSAGE), "names"],
  ["versions", repeated([0x2a, 0], MESSAGE), "names"],
  ["fields of an entry", bytesField(5, repeated([0x0a, 0], MESSAGE))],
  ["locators", repeated([0x42, 0], MESSAGE), "names"],
];

for (const [what, bytes, bound] of deltaAttacks) {
  Deno.test(`a delta request of ${what} is refused before it is decoded`, () => {
    const error = assertThrows(
      () => decodeDeltaRequest(bytes, bounds),
      RangeError,
    );
    assertEquals(error instanceof BoundsError ? error.bound : undefined, bound);
  });
}

Deno.test("metadata that is nested too deeply is no node", () => {
  let nested: Uint8Array = new Uint8Array();
  for (let i = 0; i < 1_000; i++) {
    nested = bytesField(
      1,
      message([0x0a, 0], bytesField(2, bytesField(5, nested))),
    );
  }
  const request = bytesField(2, bytesField(3, nested));
  assertThrows(() => decodeSotwRequest(request), RangeError, "nested deeper");
});

Deno.test("numbers of metadata that JSON lacks are their names, and equal from request to request", () => {
  const metadata = message(
    value("n", [0x11, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]),
    value("i", [0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f]),
    value("one", [0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
  );
  const { node } = decodeSotwRequest(bytesField(2, bytesField(3, metadata)));
  assertEquals(node?.metadata, { n: "NaN", i: "Infinity", one: 1 });
});

Deno.test("a key of metadata cannot change what the object inherits", () => {
  const metadata = value(
    "__proto__",
    bytesField(5, value("polluted", [0x20, 1])),
  );
  const { node } = decodeSotwRequest(bytesField(2, bytesField(3, metadata)));
  assertEquals(Object.keys(node!.metadata!), ["__proto__"]);
  assertEquals(Object.getPrototypeOf(node!.metadata), Object.prototype);
  assertEquals((node!.metadata as { polluted?: boolean }).polluted, undefined);
});

Deno.test("a long error message is cut, and what is kept of it is text", () => {
  const text = new TextEncoder().encode("é".repeat(20_000));
  const { error } = decodeSotwRequest(bytesField(6, bytesField(2, text)));
  assertLess(error!.message.length, 10_000);
  assertEquals(error!.message.slice(0, 3), "ééé");
});

Deno.test("the memory of a node is known", () => {
  const small = decodeSotwRequest(bytesField(2, bytesField(1, [97, 98]))).node!;
  const large = decodeSotwRequest(bytesField(2, bytesField(3, entries(1_000))))
    .node!;
  assertLess(0, memoryOf(small));
  assertLess(64_000, memoryOf(large));
  assertLess(memoryOf(large), 1_000_000);
});

Deno.test("decoding a node grows with its metadata", async () => {
  await assertGrowsLinearly(1_000, (size) => {
    const bytes = bytesField(2, bytesField(3, entries(size)));
    return () => decodeSotwRequest(bytes);
  });
});

Deno.test("decoding names grows with their number", async () => {
  await assertGrowsLinearly(2_000, (size) => {
    const bytes = message(
      ...Array.from(
        { length: size },
        () => bytesField(3, new TextEncoder().encode(crypto.randomUUID())),
      ),
    );
    return () => decodeDeltaRequest(bytes);
  });
});
