/** On its own, to be loaded when it is needed. */
export { loadRegistry, UnknownTypesError } from "@xds/envoy/registry";
