/**
 * An xDS control plane: caches of resources, and a server that keeps Envoys and proxyless gRPC clients up to date with
 * them, by state of the world and by delta, aggregated and by a service for each type.
 *
 * @module
 */
export * from "./lib/resource/mod.ts";
export * from "./lib/cache/mod.ts";
export * from "./lib/server/mod.ts";
