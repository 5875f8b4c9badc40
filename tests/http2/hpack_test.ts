import { assertEquals, assertThrows } from "@std/assert";
import { HpackDecoder } from "../../lib/http2/_hpack_decoder.ts";
import { ConnectionError, headerBlock } from "../../lib/http2/mod.ts";

function decode(decoder: HpackDecoder, bytes: Uint8Array): string[] {
  const fields: string[] = [];
  decoder.decode(
    bytes,
    0,
    bytes.length,
    ({ name, value }) => fields.push(`${name}: ${value}`),
  );
  return fields;
}

function hex(text: string): Uint8Array {
  // `Uint8Array.fromHex` is not in Node 20, where this runs, too.
  const bytes = text.replaceAll(" ", "").match(/../g) ?? [];
  return Uint8Array.from(bytes, (byte) => parseInt(byte, 16));
}

Deno.test("the examples of RFC 7541 are decoded: requests (C.4)", () => {
  const decoder = new HpackDecoder();
  const request = (scheme: string, path: string) => [
    ":method: GET",
    `:scheme: ${scheme}`,
    `:path: ${path}`,
    ":authority: www.example.com",
  ];
  for (
    const [block, fields] of [
      ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", request("http", "/")],
      ["8286 84be 5886 a8eb 1064 9cbf", [
        ...request("http", "/"),
        "cache-control: no-cache",
      ]],
      ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", [
        ...request("https", "/index.html"),
        "custom-key: custom-value",
      ]],
    ] as const
  ) assertEquals(decode(decoder, hex(block)), [...fields]);
});

Deno.test("the examples of RFC 7541 are decoded: responses, with a table of 256 bytes (C.6)", () => {
  const decoder = new HpackDecoder();
  const response = (status: string, date: string, ...others: string[]) => [
    `:status: ${status}`,
    "cache-control: private",
    `date: Mon, 21 Oct 2013 20:13:${date} GMT`,
    "location: https://www.example.com",
    ...others,
  ];
  for (
    const [block, fields] of [
      [
        "3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        response("302", "21"),
      ],
      ["4883 640e ffc1 c0bf", response("307", "21")],
      [
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
        response(
          "200",
          "22",
          "content-encoding: gzip",
          "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
        ),
      ],
    ] as const
  ) assertEquals(decode(decoder, hex(block)), [...fields]);
});

Deno.test("what is encoded is decoded", () => {
  const fields: [string, string][] = [
    [":status", "200"],
    [":status", "299"],
    ["Content-Type", "application/grpc"],
    ["x-long", "é".repeat(300)],
    ["x-empty", ""],
    ["cache-control", "a".repeat(127)],
  ];
  const decoded = decode(new HpackDecoder(), headerBlock(fields));
  const encoder = new TextEncoder();
  const latin1 = (text: string) => String.fromCharCode(...encoder.encode(text));
  assertEquals(
    decoded,
    fields.map(([name, value]) => `${name.toLowerCase()}: ${latin1(value)}`),
  );
});

for (
  const [what, block] of [
    ["an index of nothing", "80"],
    ["an index beyond the table", "be"],
    ["a name that is cut off", "40 05 61"],
    ["a value that is missing", "40 01 61"],
    ["a number that is cut off", "ff"],
    ["a number that is too large", "ff ff ff ff ff 0f"],
    ["a number without end", "ff 80 80 80 80 80 80 80 80 80 80"],
    ["a change of the table's size after a field", "82 20"],
    ["a table that is too large", "3f e2 1f"],
    ["Huffman's EOS", "40 01 61 84 ff ff ff fc"],
    ["padding of a byte and more", "40 01 61 82 1f ff"],
    ["padding that is not ones", "40 01 61 81 18"],
  ]
) {
  Deno.test(`no header block: ${what}`, () => {
    assertThrows(
      () => decode(new HpackDecoder(), hex(block)),
      ConnectionError,
      what.startsWith("Huffman") || what.startsWith("padding")
        ? "Huffman"
        : "a header block cannot be decoded",
    );
  });
}

Deno.test("a table holds so many bytes and no more, however many fields come", () => {
  const decoder = new HpackDecoder();
  for (let i = 0; i < 1_000; i++) {
    // Of 4 + 28 + 32 bytes: 64 of them fit.
    const name = `n${String(i).padStart(3, "0")}`;
    const block = [0x40, 4, ...new TextEncoder().encode(name), 28];
    decode(
      decoder,
      Uint8Array.from([...block, ...new Uint8Array(28).fill(97)]),
    );
  }
  const value = "a".repeat(28);
  assertEquals(decode(decoder, hex("be")), [`n999: ${value}`]);
  // Index 61 + 64.
  assertEquals(decode(decoder, hex("fd")), [`n936: ${value}`]);
  assertThrows(() => decode(decoder, hex("fe")), ConnectionError);
  // An entry larger than the table empties it.
  const large = [0x40, 1, 98, 0x7f, 0xa1, 0x1e];
  decode(
    decoder,
    Uint8Array.from([
      ...large,
      ...new Uint8Array(4_000).fill(98),
      0x40,
      1,
      98,
      0x7f,
      0xa1,
      0x1f,
      ...new Uint8Array(4_128).fill(98),
    ]),
  );
  assertThrows(() => decode(decoder, hex("be")), ConnectionError);
});
