/** What a client can make a connection keep, or do, is bounded. */
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { HpackDecoder } from "../../lib/http2/_hpack_decoder.ts";
import {
  Connection,
  ConnectionError,
  headerBlock,
  type ResetBudget,
  type Stream,
  TokenBucket,
} from "../../lib/http2/mod.ts";
import { kept, usedBytes } from "../faults/_heap.ts";
import {
  concat,
  END_HEADERS,
  END_STREAM,
  frame,
  PREFACE,
  requestBlock,
  settingsFrame,
  uint32,
} from "./_wire.ts";

const accepted = headerBlock([[":status", "200"]]);
const request = requestBlock();

/** A connection that has begun. Requests are answered as their bodies end; there may be parts to send before that. */
function begun(
  parts: Uint8Array[] = [],
  { resets, limit = () => {} }: {
    resets?: ResetBudget;
    limit?: (limit: string) => void;
  } = {},
): Connection {
  const open = (stream: Stream) => {
    stream.handler = {
      data() {},
      end: () => stream.finish(),
      pull: () => parts.pop(),
      close() {},
    };
    stream.respond(accepted);
    stream.wake();
  };
  const connection = new Connection(
    {
      streamsPerConnection: 1_000,
      handshakeTimeout: 1_000,
      idleTimeout: Infinity,
      keepalive: { interval: Infinity, timeout: 1_000 },
      maxConnectionAge: Infinity,
      maxConnectionAgeGrace: Infinity,
      resets,
    },
    { open, wake() {}, limit },
    0,
  );
  connection.receive(concat([PREFACE, settingsFrame()]), 0);
  return connection;
}

function begin(connection: Connection, id: number) {
  connection.receive(frame("HEADERS", END_HEADERS, id, request), 0);
}

function writeAll(connection: Connection) {
  const buffer = new Uint8Array(1 << 16);
  while (connection.write(buffer, 0) > 0);
}

Deno.test("nothing is kept of streams that ended while the window of all together was closed", async () => {
  const parts = [new Uint8Array(65_535)];
  const connection = begun(parts);
  begin(connection, 1);
  writeAll(connection);
  assertEquals(parts, []);
  for (let id = 3; id < 4_000; id += 2) {
    begin(connection, id);
    writeAll(connection);
    connection.receive(frame("DATA", END_STREAM, id), 0);
    writeAll(connection);
  }
  assertEquals([connection.streams, connection.error], [1, undefined]);
  assertLess((await kept()).OpenStream, 100);
});

Deno.test("many settings in one frame cost no more than one, however many streams there are", () => {
  const connection = begun();
  for (let id = 1; id < 2_000; id += 2) begin(connection, id);
  assertEquals(connection.streams, 1_000);
  writeAll(connection);
  const windows = (count: number) =>
    frame(
      "SETTINGS",
      0,
      0,
      Array.from(
        { length: count },
        (_, i) => [0, 4, ...uint32(65_535 + i % 2)],
      ).flat(),
    );
  const time = (settings: Uint8Array) => {
    const begun = performance.now();
    connection.receive(settings, 0);
    const took = performance.now() - begun;
    writeAll(connection);
    return took;
  };
  const least = (settings: Uint8Array) =>
    Math.min(...Array.from({ length: 20 }, () => time(settings)));
  assertLess(least(windows(2_730)), 2);
  assertEquals(connection.error, undefined);
});

Deno.test("fields that have left HPACK's table, or never went in, are not kept", () => {
  const decoder = new HpackDecoder();
  const before = usedBytes();
  for (let i = 0; i < 30; i++) {
    // A literal that goes into the table, of 50 000 bytes.
    const size = [0x7f, 0xd1, 0x85, 0x03];
    const value = new Uint8Array(50_000).fill(97 + i % 26);
    const block = Uint8Array.from([0x40, 1, 97, ...size, ...value]);
    decoder.decode(block, 0, block.length, () => {});
  }
  assertLess(usedBytes() - before, 300_000);
  const isKept = () => decoder.decode(Uint8Array.of(0xbe), 0, 1, () => {});
  assertThrows(isKept, ConnectionError, "index 62 stands for no field");
});

Deno.test("a client that returns its windows frame by frame, after much was sent, is no flood", () => {
  const parts = Array.from({ length: 64 }, () => new Uint8Array(1 << 20));
  const connection = begun(parts);
  const room = uint32(2 ** 30);
  connection.receive(
    concat([
      settingsFrame({ INITIAL_WINDOW_SIZE: 2 ** 30 }),
      frame("WINDOW_UPDATE", 0, 0, room),
    ]),
    0,
  );
  begin(connection, 1);
  writeAll(connection);
  assertEquals(parts, []);
  const update = concat([
    frame("WINDOW_UPDATE", 0, 0, uint32(16_384)),
    frame("WINDOW_UPDATE", 0, 1, uint32(16_384)),
  ]);
  for (let i = 0; i < (64 << 20) / 16_384; i++) connection.receive(update, 0);
  assertEquals(connection.error, undefined);
});

Deno.test("streams that are begun and given up are counted for all connections that share the budget", () => {
  const resets = new TokenBucket(101, 1);
  const limits: string[] = [];
  const connections = [0, 1].map(() =>
    begun([], { resets, limit: (limit) => limits.push(limit) })
  );
  for (let id = 1; id < 102; id += 2) {
    for (const connection of connections) {
      begin(connection, id);
      connection.receive(frame("RST_STREAM", 0, id, uint32(8)), 0);
    }
  }
  assertEquals(
    connections.map(({ error }) => error?.message),
    [undefined, "too many streams were begun and given up"],
  );
  assertEquals(limits, ["resetsPerSecond"]);
});
