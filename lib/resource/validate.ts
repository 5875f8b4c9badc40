import type { Message } from "@bufbuild/protobuf";
import { type Resource, toResource } from "./resource.ts";
import type { Violation } from "./rules/mod.ts";

/**
 * Finds what a resource breaks of the rules that Envoy's protos have for their fields (`validate.rules`), and for which
 * Envoy would refuse it: in the resource, in the messages in it, and in what its `Any`s hold. Empty if it breaks none.
 * An `Any` of a type that Envoy's API does not have is passed over.
 *
 * @example
 * ```ts
 * import { validateResource } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 * import { assertEquals } from "@std/assert";
 *
 * const users = create(ClusterSchema, { name: "users", connectTimeout: { seconds: 0n } });
 * assertEquals(validateResource(users), [{
 *   path: "connect_timeout",
 *   rule: "duration.gt",
 *   message: "value must be greater than 0s",
 * }]);
 * ```
 *
 * @throws {TypeError} as `createResource` does, for a message
 */
export function validateResource(
  resource: Resource | Message,
): readonly Violation[] {
  return toResource(resource).violations;
}
