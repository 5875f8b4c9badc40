import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { Resource } from "../resource/mod.ts";
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
  /** Why it refused it. */
  readonly refusal: Refusal | undefined;
  /** Make before break: type URLs of which it has to acknowledge something first, before more is said of this one. */
  readonly waitsFor: readonly string[];
  /** Make before break: what it refused of these; more is said of this one once that is replaced. */
  readonly blocked?: Blocked;
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
  /**
   * There is something new, but it waits until the client has asked for these names, too. Until then nobody may be told
   * that a name does not exist.
   */
  held?(names: ReadonlySet<string>): void;
  /** Resources that have a TTL are to be refreshed. */
  heartbeat?(): void;
}

/** A watch that is under way. Disposing of it ends it. */
export interface Watch extends Disposable {
  /**
   * Whether the type takes part in make before break on an aggregated stream: what refers to something new waits until
   * that was acknowledged, and what nothing refers to any longer is removed last. Default: false.
   */
  readonly makeBeforeBreak?: boolean;
  /**
   * Make before break: something may be removed once `done` was called, since requests that were under way have ended.
   * Disposing of what it returns calls it off. Default: it may at once.
   */
  readonly drain?: (done: () => void) => Disposable;
  /** The client's subscription has changed. */
  subscribed?(): void;
  /** A response was sent, with the newest of the view. */
  sent?(view: View): void;
  /** The client refused something of what was sent, and will not act upon it. */
  refused?(refusal: Refusal): void;
  /** The client has answered all that it was sent, and lacks nothing of the view but what it refused or `outcome` says. */
  settled?(view: View, outcome: Outcome): void;
}

/** How a client came to rest with a view. */
export interface Outcome {
  /** What the client refused of it. */
  readonly refusal?: Refusal;
  /** What it was not sent, since it depends on something of another type that the client refused. */
  readonly blocked?: Blocked;
}

/** Why something is not sent: it depends on what the client refused. */
export interface Blocked {
  /** The type of what was refused. */
  readonly typeUrl: string;
  /** What was refused, and why. */
  readonly refusal: Refusal;
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
