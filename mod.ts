/**
 * An xDS control plane: caches of resources, and a server that keeps Envoys and proxyless gRPC clients up to date with
 * them, by state of the world and by delta, aggregated and by a service for each type.
 *
 * @module
 */
export {
  createResource,
  type EncodedResource,
  type Malformed,
  type Reference,
  type References,
  Resource,
  type ResourceOptions,
  shortName,
  TypeUrl,
  typeUrl,
} from "./lib/resource/mod.ts";
export {
  type Cache,
  type Client,
  type ClientStatus,
  createSnapshot,
  type Inconsistency,
  type Refusal,
  type Settlement,
  Snapshot,
  SnapshotCache,
  type SnapshotCacheOptions,
  type SnapshotChange,
  type SnapshotOptions,
  type Subscription,
  type TypeStatus,
  View,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from "./lib/cache/mod.ts";
export type { Protocol } from "./lib/protocol/mod.ts";
export {
  type ClientCertificate,
  type Limits,
  ListenError,
  type Observer,
  type Peer,
  peerKey,
  type RoutesOptions,
  serve,
  type ServeOptions,
  type ServerEvent,
  type StreamInfo,
  TlsError,
  type TlsOptions,
  xdsRoutes,
  type XdsServer,
} from "./lib/server/mod.ts";
