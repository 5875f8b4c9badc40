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
  type Blocked,
  type Cache,
  type Client,
  type ClientCertificate,
  type ClientStatus,
  type Clock,
  createSnapshot,
  type FailureCode,
  type Inconsistency,
  type Outcome,
  type Peer,
  type Refusal,
  RequestError,
  type Settlement,
  Snapshot,
  SnapshotCache,
  type SnapshotCacheOptions,
  type SnapshotChange,
  type SnapshotOptions,
  type Subscription,
  type TypeStatus,
  View,
  type ViewOptions,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from "./lib/cache/mod.ts";
export type { Protocol } from "./lib/protocol/mod.ts";
export {
  type Limits,
  ListenError,
  type Observer,
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
