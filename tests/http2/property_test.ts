import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  Connection,
  type ConnectionHandler,
  type Stream,
} from "../../lib/http2/mod.ts";
import {
  ACK,
  concat,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  Frames,
  PREFACE,
  requestBlock,
  settingsFrame,
  uint32,
} from "./_wire.ts";

const options = {
  streamsPerConnection: 100,
  handshakeTimeout: 1_000,
  idleTimeout: Infinity,
  keepalive: { interval: Infinity, timeout: 1_000 },
  maxConnectionAge: Infinity,
  maxConnectionAgeGrace: Infinity,
};
/** The same each time, as all of the gate's tests. */
const seed = 7541;
const begin = concat([PREFACE, settingsFrame(), frame("SETTINGS", ACK, 0)]);

/** A server that sends back what it is sent, and writes down what it is told. */
function echo(): { connection: Connection; told: string[] } {
  const told: string[] = [];
  const handler: ConnectionHandler = {
    wake() {},
    limit: (limit) => told.push(`limit ${limit}`),
    open(stream, { path }) {
      const { id } = stream;
      told.push(`open ${id} ${path}`);
      const parts: Uint8Array[] = [];
      stream.respond(requestBlock());
      stream.handler = {
        data(bytes, start, end) {
          const part = bytes.slice(start, end);
          told.push(`data ${id} ${part}`);
          parts.push(part);
          stream.consume(part.length);
          stream.wake();
        },
        end() {
          told.push(`end ${id}`);
          stream.finish();
        },
        pull: () => parts.shift(),
        close: (code) => told.push(`close ${id} ${code}`),
      };
    },
  };
  return { connection: new Connection(options, handler, 0), told };
}

function drain(connection: Connection): Uint8Array {
  const written: Uint8Array[] = [];
  while (connection.hasOutput) {
    const buffer = new Uint8Array(50_000);
    const size = connection.write(buffer, 0);
    if (size === 0) break;
    written.push(buffer.subarray(0, size));
  }
  return concat(written);
}

const streamId = fc.integer({ min: 0, max: 12 });
const clientFrame: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(streamId, fc.boolean()).map(([id, isEnd]) =>
      frame(
        "HEADERS",
        END_HEADERS | (isEnd ? END_STREAM : 0),
        id | 1,
        requestBlock(),
      )
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(
      streamId,
      fc.boolean(),
      fc.uint8Array({ maxLength: 40 }),
    )
      .map(([id, isEnd, bytes]) =>
        frame("DATA", isEnd ? END_STREAM : 0, id | 1, bytes)
      ),
  },
  fc.tuple(streamId, fc.integer({ min: 0, max: 2 ** 31 - 1 })).map((
    [id, size],
  ) => frame("WINDOW_UPDATE", 0, id, uint32(size))),
  streamId.map((id) => frame("RST_STREAM", 0, id | 1, uint32(8))),
  fc.constant(frame("PING", 0, 0, new Uint8Array(8))),
  fc.integer({ min: 0, max: 2 ** 20 }).map((size) =>
    settingsFrame({ INITIAL_WINDOW_SIZE: size })
  ),
);
const anyFrame = fc.tuple(
  fc.integer({ min: 0, max: 12 }),
  fc.integer({ min: 0, max: 255 }),
  streamId,
  fc.uint8Array({ maxLength: 60 }),
).map(([type, flags, id, payload]) => frame(type, flags, id, payload));

Deno.test("how what comes is cut changes nothing", () => {
  const frames = fc.array(
    fc.oneof({ weight: 9, arbitrary: clientFrame }, anyFrame),
    { maxLength: 30 },
  );
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
  fc.assert(
    fc.property(frames, cuts, (frames, cuts) => {
      const bytes = concat([begin, ...frames]);
      const whole = echo();
      whole.connection.receive(bytes, 0);
      const cut = echo();
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = at + cuts[i % cuts.length];
        // What was taken may be written over.
        const part = bytes.slice(at, end);
        cut.connection.receive(part, 0);
        part.fill(0);
        at = end;
      }
      assertEquals(cut.told, whole.told);
      assertEquals(drain(cut.connection), drain(whole.connection));
    }),
    { numRuns: 500, seed },
  );
});

Deno.test("nothing that comes makes it throw, and what it sends is whole frames", () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  const parts = fc.array(fc.oneof(clientFrame, anyFrame, bytes), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(parts, fc.boolean(), (parts, isBegun) => {
      const { connection, told } = echo();
      if (isBegun) connection.receive(begin, 0);
      const frames = new Frames();
      let last: Frame | undefined;
      for (const part of parts) {
        connection.receive(part, 0);
        for (const frame of frames.take(drain(connection))) last = frame;
      }
      if (!connection.error) return;
      assertEquals(last?.name, "GOAWAY");
      assert(connection.isDone);
      const count = (what: string) =>
        told.filter((line) => line.startsWith(what)).length;
      assertEquals(count("open"), count("close"));
    }),
    { numRuns: 1_000, seed },
  );
});

/** What a client may do about what it is sent. */
type Step =
  | { kind: "body"; stream: number; size: number }
  | { kind: "widen"; stream: number; size: number }
  | { kind: "initial"; size: number }
  | { kind: "write"; size: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("body" as const),
    stream: fc.integer({ min: 0, max: 3 }),
    size: fc.integer({ min: 0, max: 60_000 }),
  }),
  fc.record({
    kind: fc.constant("widen" as const),
    stream: fc.integer({ min: -1, max: 3 }),
    size: fc.integer({ min: 1, max: 50_000 }),
  }),
  fc.record({
    kind: fc.constant("initial" as const),
    size: fc.integer({ min: 0, max: 100_000 }),
  }),
  fc.record({
    kind: fc.constant("write" as const),
    size: fc.integer({ min: 1, max: 40_000 }),
  }),
);

Deno.test("windows are kept to whatever they do, and all is sent in the end", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const opened: { stream: Stream; parts: Uint8Array[] }[] = [];
      const connection = new Connection(options, {
        wake() {},
        limit() {},
        open(stream) {
          const parts: Uint8Array[] = [];
          opened.push({ stream, parts });
          stream.handler = {
            data() {},
            end() {},
            pull: () => parts.shift(),
            close() {},
          };
        },
      }, 0);
      connection.receive(begin, 0);
      for (const id of [1, 3, 5, 7]) {
        const flags = END_HEADERS | END_STREAM;
        connection.receive(frame("HEADERS", flags, id, requestBlock()), 0);
      }
      const windows = [65_535, 65_535, 65_535, 65_535];
      let [all, initial] = [65_535, 65_535];
      const expected: number[][] = [[], [], [], []];
      const received: number[][] = [[], [], [], []];
      const frames = new Frames();
      const write = (size: number) => {
        const buffer = new Uint8Array(size);
        const written = connection.write(buffer, 0);
        for (
          const { name, streamId, payload } of frames.take(
            buffer.subarray(0, written),
          )
        ) {
          if (name !== "DATA") continue;
          const stream = (streamId - 1) / 2;
          windows[stream] -= payload.length;
          all -= payload.length;
          assertLessOrEqual(0, windows[stream]);
          assertLessOrEqual(0, all);
          received[stream].push(...payload);
        }
        return written;
      };
      const widen = (stream: number, size: number) => {
        if (stream < 0) all += size;
        else windows[stream] += size;
        const id = stream < 0 ? 0 : stream * 2 + 1;
        connection.receive(frame("WINDOW_UPDATE", 0, id, uint32(size)), 0);
      };
      let serial = 0;
      for (const step of steps) {
        if (step.kind === "body") {
          const part = new Uint8Array(step.size).fill(++serial);
          expected[step.stream].push(...part);
          opened[step.stream].parts.push(part);
          opened[step.stream].stream.wake();
        } else if (step.kind === "widen") widen(step.stream, step.size);
        else if (step.kind === "initial") {
          for (const i of windows.keys()) windows[i] += step.size - initial;
          initial = step.size;
          const settings = { INITIAL_WINDOW_SIZE: step.size };
          connection.receive(settingsFrame(settings), 0);
        } else write(step.size);
      }
      for (const { stream } of opened) stream.finish();
      for (const stream of [-1, 0, 1, 2, 3]) widen(stream, 10_000_000);
      while (write(30_000) > 0);
      assertEquals(
        received.map((bytes) => bytes.length),
        expected.map((bytes) => bytes.length),
      );
      for (const i of expected.keys()) {
        assert(expected[i].every((byte, at) => byte === received[i][at]));
      }
      assertEquals(connection.streams, 0);
    }),
    { numRuns: 200, seed },
  );
});
