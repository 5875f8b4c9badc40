/** What there is to serve, and to whom. */
export {
  type Blocked,
  type Cache,
  type Client,
  type ClientCertificate,
  type FailureCode,
  type Outcome,
  type Peer,
  type Refusal,
  RequestError,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from "./cache.ts";
export { type Clock, systemClock } from "./clock.ts";
export {
  createSnapshot,
  type Inconsistency,
  Snapshot,
  type SnapshotChange,
  type SnapshotOptions,
} from "./snapshot.ts";
export {
  type ClientStatus,
  type Settlement,
  SnapshotCache,
  type SnapshotCacheOptions,
  type TypeStatus,
} from "./snapshot_cache.ts";
export { covers, type Subscription } from "./subscription.ts";
export { sameContent, View, type ViewOptions } from "./view.ts";
