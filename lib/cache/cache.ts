import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { Subscription } from "./subscription.ts";
import type { View } from "./view.ts";

/**
 * Where a server finds what to serve. It says which resources there are; what each client lacks of them, and when it
 * is sent, is the protocol's to decide.
 *
 * @example A cache of one's own: the same clusters for everybody
 * ```ts
 * import { type Cache, createResource, View } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 *
 * const users = createResource(create(ClusterSchema, { name: "users" }));
 * const view = new View(new Map([[users.name, users]]));
 * const cache: Cache = {
 *   watch(request, sink) {
 *     sink.changed(request.typeUrl === users.typeUrl ? view : new View(new Map()));
 *     return { [Symbol.dispose]() {} };
 *   },
 * };
 * ```
 */
export interface Cache {
  /**
   * Starts watching one type for one client. The sink is called, at once or later, with what there is for the client,
   * and again whenever that changes, until the watch is disposed of.
   *
   * What it throws ends the client's stream with its message.
   */
  watch(request: WatchRequest, sink: WatchSink): Watch;
}

/** Who watches what. */
export interface WatchRequest {
  /** The client, the same object for all its watches on one stream. */
  readonly client: Client;
  /** The type that is watched. */
  readonly typeUrl: string;
  /** What the client wants of it: as of now, whenever it is read. */
  readonly subscription: Subscription;
}

/** A client, as long as its stream is open. */
export interface Client {
  /** Number of its stream, unique in the process. */
  readonly id: number;
  /**
   * What it said of itself, but for the list of its extensions ({@linkcode Node.extensions}), which for an Envoy is
   * larger than all the rest of a stream's state.
   */
  readonly node: Node;
}

/** What a cache tells of a watch. */
export interface WatchSink {
  /**
   * There is something new.
   *
   * @param view all there is for the client
   * @param names which names may have changed since the last call, where the cache knows
   */
  changed(view: View, names?: ReadonlySet<string>): void;
  /** There is something new, but it waits until the client has asked for these names, too. */
  held?(names: ReadonlySet<string>): void;
}

/** A watch that is under way. Disposing of it ends it. */
export interface Watch extends Disposable {
  /** The client's subscription has changed. */
  subscribed?(): void;
  /** A response was sent, with the newest of the view. */
  sent?(view: View): void;
  /** The client has answered all that it was sent, and lacks nothing of the view but what it refused. */
  settled?(view: View, refusal: Refusal | undefined): void;
}

/** A NACK: why a client refused a response. */
export interface Refusal {
  /** The version that was refused. */
  readonly version: string;
  /** The resources that were refused: those in the response that the message names, or all if it names none. */
  readonly names: readonly string[];
  /** The client's message. */
  readonly message: string;
}
