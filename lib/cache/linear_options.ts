import type { Message } from "@bufbuild/protobuf";
import type { Resource } from "../resource/mod.ts";
import type { Clock } from "./clock.ts";
import type { CacheObserver } from "./events.ts";
import type { Quarantined, Validation } from "./validation.ts";

/** Options of a {@linkcode LinearCache}. */
export interface LinearCacheOptions<M extends Message = Message> {
  /**
   * What it has to begin with; an empty list says that there is nothing. Default: that is not known yet, and clients are
   * told nothing until the first change. So clients that reconnect to a server that starts keep what they have.
   */
  resources?: Iterable<M | Resource>;
  /**
   * Makes versions that are this prefix and a number that each change increases. The prefix must differ from one process
   * to the next, since a client that reconnects with the newest version is sent nothing. Default: versions are derived
   * from the content, so that they mean the same everywhere.
   */
  versionPrefix?: string;
  /** The name of a message. Default: its own, where its type is one of those in `TypeUrl`. */
  name?: (message: M) => string;
  /**
   * Whether, on an aggregated stream, changes of this type wait for those of the types that they refer to, and the other
   * way round for removals, as far as these take part, too. What routes send traffic to includes the endpoints that a
   * client has yet to ask for once it was sent a new cluster, so that all of them are to come by this stream.
   * Default: false.
   */
  makeBeforeBreak?: boolean;
  /**
   * How long a change may wait for a client to request names that it has not requested yet, in milliseconds.
   * Default: 1 000 with `makeBeforeBreak`.
   */
  holdTimeout?: number;
  /**
   * Of listeners and extension configs, with `makeBeforeBreak`: how long an Envoy serves existing connections from what was
   * changed or removed, in milliseconds. What only the old one refers to is removed that much later. Set it to a little
   * more than Envoy's `--drain-time-s`. Default: 605 000.
   */
  drain?: number;
  /**
   * How many older versions are kept, from which clients that reconnect with them are moved on in ordered steps.
   * Default: 5.
   */
  history?: number;
  /** What to do with resources that break a rule of Envoy's protos. Default: `"off"`. */
  validate?: Validation;
  /**
   * Told what a change put into quarantine, where `validate` is `"quarantine"`, and was not in it already. Default: it is
   * printed, unless there is an `observer`.
   */
  onQuarantine?: (quarantined: readonly Quarantined[]) => void;
  /**
   * Told of what becomes of changes: how far they have come, what is put into quarantine. Several are told one after the
   * other. Without one, how far a change has come is not looked for.
   */
  observer?: CacheObserver<undefined> | readonly CacheObserver<undefined>[];
  /**
   * How often resources that have a TTL are refreshed, in milliseconds, give or take a tenth. Default: a third of the
   * shortest TTL.
   */
  heartbeat?: number;
  /** What tells the time. Default: the system. */
  clock?: Clock;
}

/** A change that counts as one version. */
export interface LinearChange<M extends Message = Message> {
  /** Resources to add, or to put in place of those that have their names. */
  set?: Iterable<M | Resource>;
  /** Names of resources to remove. A name that is not there, or is set as well, is passed over. */
  delete?: Iterable<string>;
}
