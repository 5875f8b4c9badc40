/** A request and a response on a connection of HTTP/2: what `node_test.ts` bundles, to run it where there is no Deno. */
import {
  Connection,
  headerBlock,
  type StreamHandler,
} from "../../lib/http2/mod.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/** A GET of "/", whose authority is in Huffman's code: the example of RFC 7541, C.4.1, and `:scheme` and `:path` in it. */
const HEADERS = [
  ...[0, 0, 17, 1, 5, 0, 0, 0, 1],
  ...[0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a],
  ...[0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff],
];

/** Returns who was asked for what, and how many bytes came of it. */
export function exchange(): string[] {
  const told: string[] = [];
  const connection = new Connection(
    {
      streamsPerConnection: 10,
      handshakeTimeout: 1_000,
      idleTimeout: Infinity,
      keepalive: { interval: 1_000, timeout: 1_000 },
      maxConnectionAge: Infinity,
      maxConnectionAgeGrace: Infinity,
    },
    {
      wake() {},
      limit: (limit) => told.push(limit),
      open(stream, { method, authority, path }) {
        told.push(`${method} ${authority} ${path}`);
        let body: Uint8Array | undefined = new TextEncoder().encode("hello");
        const handler: StreamHandler = {
          data() {},
          end() {
            stream.respond(headerBlock([[":status", "200"], ["a", "b"]]));
            stream.finish();
          },
          pull() {
            const part = body;
            body = undefined;
            return part;
          },
          close: (code) => told.push(`closed ${code}`),
        };
        stream.handler = handler;
      },
    },
    0,
  );
  connection.receive(new TextEncoder().encode(PREFACE), 0);
  connection.receive(Uint8Array.from([...SETTINGS, ...HEADERS]), 0);
  const written = new Uint8Array(1_000);
  const size = connection.write(written, 0);
  told.push(`${size} bytes, ${connection.streams} streams`);
  return told;
}
