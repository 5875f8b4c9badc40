/**
 * A control plane whose metrics Prometheus can scrape, on port 9464 unless another is given:
 *
 * deno run --allow-net --allow-env examples/metrics.ts [xds-port] [metrics-port]
 *
 * @module
 */
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { create } from "@bufbuild/protobuf";
import { createSnapshot, serve, SnapshotCache } from "@xds/control-plane";
import { telemetry } from "@xds/control-plane/telemetry";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";

const [port = 18_000, metricsPort = 9464] = Deno.args.map(Number);

const exporter = new PrometheusExporter({ port: metricsPort });
const meterProvider = new MeterProvider({ readers: [exporter] });

const observer = telemetry({ meterProvider });
const cache = new SnapshotCache({ ads: true, observer });
observer.count({ snapshots: cache });
cache.set(
  "test-id",
  createSnapshot({ resources: [create(ClusterSchema, { name: "users" })] }),
);
const server = await serve({
  cache,
  hostname: "127.0.0.1",
  port,
  observer,
});
console.log(
  `xDS on 127.0.0.1:${server.addr.port}, metrics on http://127.0.0.1:${metricsPort}/metrics`,
);
