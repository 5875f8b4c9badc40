/**
 * A control plane whose metrics Prometheus can scrape, on port 9464 unless another is given:
 *
 * deno run --allow-net --allow-env examples/metrics.ts [xds-port] [metrics-port]
 *
 * @module
 */
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { createSnapshot, serve, SnapshotCache } from "@xds/control-plane";
import { telemetry } from "@xds/control-plane/telemetry";

const [port = 18_000, metricsPort = 9464] = Deno.args.map(Number);

const exporter = new PrometheusExporter({ port: metricsPort });
const meterProvider = new MeterProvider({ readers: [exporter] });

const cache = new SnapshotCache({ ads: true });
cache.set("test-id", createSnapshot({ resources: [] }));
const server = await serve({
  cache,
  hostname: "127.0.0.1",
  port,
  observer: telemetry({ meterProvider }),
});
console.log(
  `xDS on 127.0.0.1:${server.addr.port}, metrics on http://127.0.0.1:${metricsPort}/metrics`,
);
