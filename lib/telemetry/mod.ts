/**
 * Metrics and traces of a server, by OpenTelemetry's API. Where they go is for the program to say, by the providers that
 * it registers or gives.
 *
 * @module
 */
export {
  type Telemetry,
  telemetry,
  type TelemetryOptions,
} from "./telemetry.ts";
