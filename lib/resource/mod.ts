/** A resource: its name, type URL, version, bytes and references. */
export { emptyEndpoints } from "./empty_endpoints.ts";
export {
  createResource,
  type EncodedResource,
  Resource,
  type ResourceOptions,
  toResource,
} from "./resource.ts";
export {
  findReferences,
  findTypes,
  type Malformed,
  type Reference,
  type References,
  type TypeUse,
} from "./references.ts";
export {
  type Composition,
  type ResourceTypeTraits,
  traitsOf,
} from "./resource_types.ts";
export { shortName, typeName, TypeUrl, typeUrl } from "./type_url.ts";
export { canonicalName, collectionOf, isCollection } from "./xdstp.ts";
export type { Violation } from "./rules/mod.ts";
export { validateResource } from "./validate.ts";
export {
  describe,
  requireValid,
  type ResourceViolation,
  ValidationError,
} from "./validation_error.ts";
