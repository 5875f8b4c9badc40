/** The rules that Envoy's protos have for their fields, and what a resource breaks of them. */
export { findViolations } from "./find.ts";
export type { Violation } from "./violation.ts";
