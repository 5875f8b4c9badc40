import type { Attributes } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";

/** Keeps what is counted, to be read by a test. */
export class Metrics implements AsyncDisposable {
  readonly #exporter = new InMemoryMetricExporter(
    AggregationTemporality.CUMULATIVE,
  );
  /** What counts. */
  readonly provider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({
        exporter: this.#exporter,
        exportIntervalMillis: 600_000,
      }),
    ],
  });

  /** What a counter stands at, by its attributes. */
  async read(
    name: string,
  ): Promise<{ attributes: Attributes; value: unknown }[]> {
    await this.provider.forceFlush();
    const metrics = this.#exporter.getMetrics().at(-1)?.scopeMetrics
      .flatMap(({ metrics }) => metrics);
    this.#exporter.reset();
    return metrics?.find(({ descriptor }) => descriptor.name === name)
      ?.dataPoints.map(({ attributes, value }) => ({ attributes, value })) ??
      [];
  }

  async [Symbol.asyncDispose]() {
    await this.provider.shutdown();
  }
}
