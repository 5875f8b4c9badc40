import { assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TypeUrl } from "../../mod.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("examples/metrics.ts has metrics that Prometheus can scrape", async () => {
  const example = new URL("../../examples/metrics.ts", import.meta.url);
  const [port, metricsPort] = [freePort(), freePort()];
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net",
      "--allow-env",
      fileURLToPath(example),
      String(port),
      String(metricsPort),
    ],
    stdout: "null",
  }).spawn();
  try {
    const scrape = async () =>
      await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    await until("the metrics to be served", scrape);
    using grpc = new GrpcClient(port);
    const stream = grpc.delta();
    const typeUrl = TypeUrl.Cluster;
    stream.send({ node: { id: "test-id" }, typeUrl });
    const { nonce } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce });
    const isCounted = async () =>
      (await scrape()).includes("xds_server_ack_duration_count");
    await until("the answer to be counted", isCounted);
    const metrics = await scrape();
    assertMatch(
      metrics,
      /^xds_cache_resources\{[^}]*xds_cache="snapshots"[^}]*\} 1$/m,
    );
    assertMatch(metrics, /^xds_server_active_clients\{[^}]*\} 1$/m);
    assertMatch(
      metrics,
      /^xds_server_responses_total\{[^}]*xds_type="Cluster"[^}]*\} 1$/m,
    );
  } finally {
    process.kill("SIGKILL");
    await process.status;
  }
});
