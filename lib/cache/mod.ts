/** What there is to serve, and to whom. */
export type {
  Cache,
  Client,
  Refusal,
  Watch,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
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
export { sameContent, View } from "./view.ts";
