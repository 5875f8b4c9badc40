import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import { type Telemetry, telemetry } from "../../lib/telemetry/mod.ts";

/** What can be told of all that happens. */
export type Observed = "telemetry" | "metrics" | "traces";

/** Spans go nowhere, as they would after they were sent. */
const nowhere: SpanExporter = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
};

/** Telemetry: without a provider, or with OpenTelemetry's SDK for metrics, or for metrics and traces. */
export function observerFor(observed: Observed): Telemetry {
  const meterProvider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
        exportIntervalMillis: 1_000,
        exportTimeoutMillis: 1_000,
      }),
    ],
  });
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new BatchSpanProcessor(nowhere)],
  });
  switch (observed) {
    case "telemetry":
      return telemetry();
    case "metrics":
      return telemetry({ meterProvider });
    case "traces":
      return telemetry({ meterProvider, tracerProvider });
  }
}
