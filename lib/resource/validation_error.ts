import type { Resource } from "./resource.ts";
import type { Violation } from "./rules/mod.ts";
import { shortName } from "./type_url.ts";

/** A {@linkcode Violation}, and whose it is. */
export interface ResourceViolation extends Violation {
  /** The resource. */
  readonly resource: Resource;
}

/** Resources that Envoy would refuse, since they break rules of its protos. */
export class ValidationError extends TypeError {
  /** The kind of error. */
  override readonly name = "ValidationError";
  /** What is wrong, in the order of the resources. */
  readonly violations: readonly ResourceViolation[];

  /** Thrown where `validate` is `"error"`. */
  constructor(violations: readonly ResourceViolation[]) {
    const lines = violations.map((violation) =>
      describe(violation.resource, violation)
    );
    super(
      lines.length === 1
        ? lines[0]
        : `what Envoy would refuse:\n  ${lines.join("\n  ")}`,
    );
    this.violations = violations;
  }
}

/**
 * Lets resources pass that break no rule.
 *
 * @throws {ValidationError} if one does
 */
export function requireValid(resources: Iterable<Resource>): void {
  const violations: ResourceViolation[] = [];
  for (const resource of resources) {
    for (const violation of resource.violations) {
      violations.push({ ...violation, resource });
    }
  }
  if (violations.length > 0) throw new ValidationError(violations);
}

/** Says in a line what is wrong with a resource. */
export function describe(
  { typeUrl, name }: Resource,
  { path, message, rule }: Violation,
): string {
  const what = `${shortName(typeUrl)} ${JSON.stringify(name)}`;
  return `${what}: ${path ? `${path}: ` : ""}${message} (${rule})`;
}
