import { assert, assertEquals, assertMatch } from "@std/assert";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import { serve, SnapshotCache } from "../../mod.ts";
import { request } from "node:http";
import { clusters, node } from "./_scene.ts";

const FETCH = "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters";

/** A unary call by Connect's protocol, in JSON, whose body is compressed already. */
function call(
  port: number,
  encoding: string,
  body: Uint8Array,
): Promise<{ status: number; encoding: string | undefined; body: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const asked = request({
      hostname: "127.0.0.1",
      port,
      path: FETCH,
      method: "POST",
      agent: false,
      headers: {
        "content-type": "application/json",
        "content-encoding": encoding,
        "accept-encoding": "gzip",
      },
    }, (response) => {
      const chunks: Uint8Array[] = [];
      response.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", async () =>
        resolve({
          status: response.statusCode!,
          encoding: response.headers["content-encoding"],
          body: await new Response(
            new Blob(chunks.map((c) => Uint8Array.from(c))),
          ).bytes(),
        }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

Deno.test("unary requests may come compressed, and are answered so; what is none, or too much, is refused", async () => {
  const cache = new SnapshotCache();
  cache.set(
    "node",
    clusters(...Array.from({ length: 200 }, (_, i) => `c${i}`)),
  );
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    rest: { port: 0 },
    limits: { messageBytes: 10_000 },
  });
  const { port } = server.restAddr!;
  const asked = new TextEncoder().encode(JSON.stringify({ node }));
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  for (
    const [encoding, body] of [
      ["gzip", gzipSync(asked)],
      ["br", brotliCompressSync(asked)],
    ] as const
  ) {
    const answer = await call(port, encoding, body);
    assertEquals(answer.status, 200);
    assertEquals(answer.encoding, "gzip");
    const { resources } = JSON.parse(text(gunzipSync(answer.body)));
    assertEquals(resources.length, 200);
  }
  const broken = await call(port, "gzip", asked);
  assertEquals(broken.status, 400);
  assertMatch(text(broken.body), /cannot be decompressed/);
  const bomb = await call(port, "gzip", gzipSync(new Uint8Array(1_000_000)));
  assertEquals(bomb.status, 429);
  assertMatch(text(bomb.body), /larger than 10000 bytes/);
  assert(gzipSync(new Uint8Array(1_000_000)).length < 10_000);
});
