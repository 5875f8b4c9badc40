import {
  type MeterProvider,
  metrics,
  trace,
  type TracerProvider,
} from "@opentelemetry/api";
import type { Observer } from "../server/mod.ts";
import { meterEvents } from "./_metrics.ts";
import { traceEvents } from "./_traces.ts";

/** Where telemetry goes. */
export interface TelemetryOptions {
  /** Takes the metrics. Default: the provider that is registered with OpenTelemetry's API. */
  meterProvider?: MeterProvider;
  /** Takes the spans. Default: the provider that is registered with OpenTelemetry's API. */
  tracerProvider?: TracerProvider;
}

const NAME = "@xds/control-plane";

/**
 * An observer that counts and traces what happens on the streams of a server.
 *
 * Metrics, with the attributes `xds.protocol` (`sotw` or `delta`) and, where there is one, `xds.type` (`Cluster`):
 * `xds.server.active_clients`, `.active_streams`, `.active_subscriptions`, `.stream.duration` (s), `.requests`,
 * `.responses`, `.response.resources`, `.response.size` (By), `.ack.duration` (s, a histogram), `.nacks`, `.holds`,
 * `.refused_clients`, `.limits` (with the attribute `xds.limit`, the limit's name in `Limits`) and `.stale_requests`. Spans: one for each stream, and in it one for each response until it is
 * answered.
 *
 * @example
 * ```ts
 * import { serve, SnapshotCache } from "@xds/control-plane";
 * import { telemetry } from "@xds/control-plane/telemetry";
 *
 * await using server = await serve({
 *   cache: new SnapshotCache(),
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   observer: telemetry(),
 * });
 * ```
 */
export function telemetry(options: TelemetryOptions = {}): Observer {
  const meter = (options.meterProvider ?? metrics).getMeter(NAME);
  const tracer = (options.tracerProvider ?? trace).getTracer(NAME);
  const count = meterEvents(meter);
  const follow = traceEvents(tracer);
  return (event) => {
    count(event);
    follow(event);
  };
}
