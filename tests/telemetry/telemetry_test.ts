import { create } from "@bufbuild/protobuf";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { assert, assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { telemetry } from "../../lib/telemetry/mod.ts";
import { createSnapshot, serve, SnapshotCache, TypeUrl } from "../../mod.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { Metrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";

Deno.test("what happens on the streams is counted and traced", async () => {
  const temporality = AggregationTemporality.CUMULATIVE;
  const metricExporter = new InMemoryMetricExporter(temporality);
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 600_000,
  });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(spans)],
  });
  /** The value, or how many values were recorded, of a metric, its attributes added up. */
  const metric = async (name: string) => {
    await meterProvider.forceFlush();
    const metrics = metricExporter.getMetrics().at(-1)!.scopeMetrics
      .flatMap(({ metrics }) => metrics);
    metricExporter.reset();
    const points = metrics.find(({ descriptor }) => descriptor.name === name)
      ?.dataPoints ?? [];
    return points.map(({ value }) =>
      typeof value === "number" ? value : (value as { count: number }).count
    ).reduce((sum, value) => sum + value, 0);
  };

  const cache = new SnapshotCache();
  const clusters = (altStatName: string) =>
    createSnapshot({
      resources: [create(ClusterSchema, { name: "a", altStatName })],
    });
  cache.set("edge", clusters("1"));
  {
    await using server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      observer: telemetry({ meterProvider, tracerProvider }),
    });
    using client = new GrpcClient(server.addr.port);
    const stream = client.sotw();
    const typeUrl = TypeUrl.Cluster;
    stream.send({ node: { id: "edge" }, typeUrl });
    const { nonce, versionInfo } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce, versionInfo });
    await cache.settled("edge");
    cache.set("edge", clusters("2"));
    const second = await stream.next();
    stream.send({
      typeUrl,
      responseNonce: second.nonce,
      errorDetail: {
        code: 3,
        message: 'bad: inline_string: "hunter2" is no certificate',
      },
    });
    assertEquals((await cache.settled("edge")).accepted, false);
    assertEquals(await metric("xds.server.active_streams"), 1);
    assertEquals(await metric("xds.server.active_clients"), 1);
    assertEquals(await metric("xds.server.active_subscriptions"), 1);
    assertEquals(await metric("xds.server.requests"), 3);
    assertEquals(await metric("xds.server.responses"), 2);
    assertEquals(await metric("xds.server.response.resources"), 2);
    assert(await metric("xds.server.response.size") > 100);
    assertEquals(await metric("xds.server.ack.duration"), 2);
    assertEquals(await metric("xds.server.nacks"), 1);
    stream.end();
    await stream.status;
    const isClosed = async () =>
      await metric("xds.server.active_streams") === 0;
    await until("the stream to be counted out", isClosed);
    assertEquals(await metric("xds.server.active_clients"), 0);
    assertEquals(await metric("xds.server.active_subscriptions"), 0);
    assertEquals(await metric("xds.server.stream.duration"), 1);
  }
  const told = spans.getFinishedSpans().map(({ name, status }) => [
    name,
    status.message,
  ]);
  assertEquals(told, [
    ["xds push Cluster", undefined],
    [
      "xds push Cluster",
      "bad: inline_string: [redacted] is no certificate",
    ],
    ["xds stream", undefined],
  ]);
  const [push, , stream] = spans.getFinishedSpans();
  assertEquals(push.attributes["xds.type"], "Cluster");
  assertEquals(push.parentSpanContext?.spanId, stream.spanContext().spanId);
  assertEquals(stream.attributes["xds.node.id"], "edge");
  await meterProvider.shutdown();
});

Deno.test("what several servers are told for one provider is added up", async () => {
  await using metrics = new Metrics();
  const cache = new SnapshotCache();
  cache.set("edge", createSnapshot({ resources: [] }));
  for (let i = 0; i < 2; i++) {
    await using server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      observer: telemetry({ meterProvider: metrics.provider }),
    });
    using client = new GrpcClient(server.addr.port);
    const stream = client.sotw();
    stream.send({ node: { id: "edge" }, typeUrl: TypeUrl.Cluster });
    await stream.next();
    stream.end();
    await stream.status;
  }
  for (const name of ["xds.server.requests", "xds.server.responses"]) {
    const points = await metrics.read(name);
    assertEquals(points.map(({ value }) => value), [2], name);
  }
});
