import { describe, type Resource, type Violation } from "../resource/mod.ts";

/**
 * What a cache does with a resource that breaks a rule of Envoy's protos:
 * - `"error"`: it throws a `ValidationError`, and nothing is changed
 * - `"quarantine"`: it serves the resource's last good form, or none if there was none, and all the rest; what was left
 *   out is reported
 * - `"off"`: it serves it, for clients to refuse
 */
export type Validation = "error" | "quarantine" | "off";

/** A resource that is not served, since it breaks rules of Envoy's protos. */
export interface Quarantined {
  /** The resource. */
  readonly resource: Resource;
  /** What is wrong with it. */
  readonly violations: readonly Violation[];
  /** Its last good form, which is served for it; undefined if there was none. */
  readonly kept: Resource | undefined;
}

/** Says in a line what is quarantined, and why. */
function describeQuarantine(quarantined: Quarantined): string {
  const { resource, violations: [first, ...more], kept } = quarantined;
  const served = kept ? "its last good form is served" : "it is left out";
  const others = more.length > 0 ? `, and ${more.length} more` : "";
  return `${describe(resource, first)}${others}: ${served}`;
}

/** Prints what is quarantined; `where` says for whom, if that is not everybody. */
export function printQuarantined(
  quarantined: readonly Quarantined[],
  where = "",
) {
  for (const one of quarantined) {
    console.error(`xds: quarantined${where}: ${describeQuarantine(one)}`);
  }
}

/** What is not in quarantine already. */
export function news(
  before: readonly Quarantined[],
  now: readonly Quarantined[],
): readonly Quarantined[] {
  return now.filter(({ resource }) =>
    !before.some((known) =>
      known.resource.typeUrl === resource.typeUrl &&
      known.resource.name === resource.name &&
      known.resource.version === resource.version
    )
  );
}
