/** What there is to serve, and to whom. */
export {
  type Awaited,
  type Blocked,
  type BlockedReason,
  type Cache,
  type Client,
  type ClientCertificate,
  type FailureCode,
  type Outcome,
  type Peer,
  type Progress,
  type Refusal,
  RequestError,
  type ResourceState,
  type Sequencing,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from "./cache.ts";
export { type Clock, systemClock } from "./clock.ts";
export type { CacheEvent, CacheObserver, ChangeEvent } from "./events.ts";
export type { Explanation } from "./explain.ts";
export { LinearCache, updateAll } from "./linear_cache.ts";
export type { LinearCacheOptions, LinearChange } from "./linear_options.ts";
export { MuxCache, type MuxCacheOptions } from "./mux_cache.ts";
export {
  OnDemandCache,
  type OnDemandCacheOptions,
  type OnDemandRequest,
  type Resolver,
} from "./on_demand_cache.ts";
export {
  type CheckOptions,
  createSnapshot,
  type Inconsistency,
  Snapshot,
  type SnapshotChange,
  type SnapshotOptions,
} from "./snapshot.ts";
export { SnapshotCache, type SnapshotCacheOptions } from "./snapshot_cache.ts";
export type { CacheStats, Countable, TypeStats } from "./stats.ts";
export type {
  ClientStatus,
  Rollback,
  Settlement,
  TypeStatus,
} from "./status.ts";
export { covers, type Subscription } from "./subscription.ts";
export { sameContent, View, type ViewOptions } from "./view.ts";
export type { Quarantined, Validation } from "./validation.ts";
