import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { Resource } from "../resource/mod.ts";
import type { Clock } from "./clock.ts";
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
   * What it throws ends the client's stream with its message, and with its status if it is a {@linkcode RequestError}.
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
  /** Where the client stands with the resource of a name. */
  inspect?(name: string): ResourceState;
  /** What of the type is blocked now, and why; undefined if nothing is. */
  blocked?(): Blocked | undefined;
}

/** Where a client stands with one resource. */
export interface ResourceState {
  /**
   * - `"unsubscribed"`: it does not ask for it
   * - `"unsent"`: it asks for it, and was told nothing of it yet
   * - `"sent"`: it was sent it, or that it is gone, and has not answered
   * - `"accepted"`: it has it
   * - `"refused"`: it refused it, for what `refusal` says
   * - `"absent"`: it was told that there is none
   */
  readonly state:
    | "unsubscribed"
    | "unsent"
    | "sent"
    | "accepted"
    | "refused"
    | "absent";
  /** The version of the resource that it was sent last; undefined if it has none. */
  readonly version: string | undefined;
  /** The version of the resource that there is for it now; undefined if there is none. */
  readonly newest: string | undefined;
  /** The resource that it was sent last; undefined if it has none, or has it from before its stream. */
  readonly resource: Resource | undefined;
  /** What it has in place of what it refused; undefined if it has nothing, or refused nothing. */
  readonly standing?: Resource;
  /** Why it refused it. */
  readonly refusal: Refusal | undefined;
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
  /** The other end of its connection; undefined where there is none, as in a test. */
  readonly peer?: Peer;
  /** Who the server found it to be: what its `authenticate` returned, undefined without one. */
  readonly identity?: unknown;
}

/** The other end of a connection. */
export interface Peer {
  /** Its IP address. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** The certificate that it proved to have; undefined without mutual TLS. */
  readonly certificate: ClientCertificate | undefined;
}

/** A client's certificate, which the server has verified. */
export interface ClientCertificate {
  /** The subject's common name; empty if it has none. */
  readonly commonName: string;
  /** The subject's alternative names, as `URI:spiffe://…`, `DNS:…`, `email:…` or `IP Address:…`. */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the certificate, in hexadecimal digits separated by colons. */
  readonly fingerprint: string;
  /** When it expires, in milliseconds since 1970; undefined if that is not known. */
  readonly expires?: number;
}

/** What a cache tells of a watch. */
export interface WatchSink {
  /**
   * There is something new.
   *
   * @param view all there is for the client; undefined if there is nothing to say for now, and the client keeps what it
   * has
   * @param names which names may have changed since the last call, where the cache knows
   */
  changed(view: View | undefined, names?: ReadonlySet<string>): void;
  /** Resources that have a TTL are to be refreshed. */
  heartbeat?(): void;
  /** Nothing serves the type; the client is told that there is nothing of it. */
  unserved?(): void;
}

/** A watch that is under way. Disposing of it ends it. */
export interface Watch extends Disposable {
  /** How changes of the type are ordered with those of other types on an aggregated stream. Default: they are not. */
  readonly sequencing?: Sequencing;
  /**
   * Sets that were served before, newest first: a client that reconnects with the version of one of them is moved from
   * there to the newest, in ordered steps.
   */
  readonly history?: Iterable<View>;
  /** The client's subscription has changed. */
  subscribed?(): void;
  /** What became of what was published. */
  progress?(progress: Progress): void;
}

/** How changes are ordered on an aggregated stream. */
export interface Sequencing {
  /**
   * Whether a resource that refers to something new waits until the client has acknowledged that, and a resource that
   * nothing refers to any longer is removed last.
   */
  readonly makeBeforeBreak: boolean;
  /**
   * How long a change may wait for the client to request names that the client has not requested yet, in milliseconds. 0:
   * nothing waits for that.
   */
  readonly holdTimeout: number;
  /**
   * How long a client serves existing connections from a listener, or an extension's configuration, that was replaced or
   * removed, in milliseconds: what these refer to is removed that much later.
   */
  readonly drain: number;
  /** Tells the time for both. */
  readonly clock: Clock;
}

/** What became of what a cache published to a watch. */
export type Progress =
  /** A response made of the set was sent. */
  | { readonly kind: "sent"; readonly view: View }
  /** The client acknowledged a response that was made of the set. */
  | { readonly kind: "acked"; readonly view: View }
  /** The client refused something of a response that was made of the set, and will not act upon it. */
  | {
    readonly kind: "nacked";
    readonly view: View;
    readonly refusal: Refusal;
  }
  /**
   * The set is in force: the client has answered all that it was sent, and lacks nothing of the set but what `outcome`
   * says. Told again once what was drained is removed.
   */
  | {
    readonly kind: "settled";
    readonly view: View;
    readonly outcome: Outcome;
  };

/** How a client came to rest with a set. */
export interface Outcome {
  /** What the client refused of it. */
  readonly refusal?: Refusal;
  /** What it was not sent, since it depends on something of another type that the client refused. */
  readonly blocked?: Blocked;
  /** Whether the client also has nothing left that the set lacks. */
  readonly drained: boolean;
}

/**
 * Why a change is not sent.
 *
 * - `"names_not_requested"`: the client has yet to request names, or types, that belong to it; ends after a time
 * - `"dependency_unacked"`: the client has yet to acknowledge something of another type first
 * - `"dependency_nacked"`: the client refused something of another type that it depends on; ends when that is replaced
 * - `"draining"`: the client may serve existing connections with it for a time
 * - `"still_requested"`: a client that requests it by name has yet to stop; ends after a time
 */
export type BlockedReason =
  | "names_not_requested"
  | "dependency_unacked"
  | "dependency_nacked"
  | "draining"
  | "still_requested";

/** A change of one type that waits, and for what. */
export interface Blocked {
  /** Why. */
  readonly reason: BlockedReason;
  /** Whether these are to be removed; otherwise they are to be sent. */
  readonly removal: boolean;
  /** Names of the resources that wait. */
  readonly names: readonly string[];
  /** What they wait for; empty where that is time. */
  readonly waitingFor: readonly Awaited[];
}

/** What the client has yet to do before something else goes on. */
export interface Awaited {
  /** Its type. */
  readonly typeUrl: string;
  /** Names that the client has to request or to acknowledge; empty where they are not known yet. */
  readonly names: readonly string[];
  /** Why the client refused it, if it did; the wait lasts until that is replaced. */
  readonly refusal: Refusal | undefined;
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

/** gRPC status codes that a client can bring upon itself. */
export type FailureCode =
  | "invalid_argument"
  | "not_found"
  | "permission_denied"
  | "resource_exhausted"
  | "unauthenticated"
  | "unavailable";

/** An error of the client's: thrown by a cache, it ends the client's stream with that status and message. */
export class RequestError extends Error {
  /** The kind of error. */
  override readonly name = "RequestError";
  /** The gRPC status. */
  readonly code: FailureCode;

  /** Makes an error. */
  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
