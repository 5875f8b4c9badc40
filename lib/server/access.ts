import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { Peer, Subscription } from "../cache/mod.ts";

/** Who may connect, and what they may have. */
export interface Access<Identity = unknown> {
  /**
   * Says who opened a stream, once for each, before anything that the client sends is looked at. What it returns becomes
   * {@linkcode Client.identity}, is passed to `authorize`, and may be what `nodeKey` goes by.
   *
   * The stream ends with `UNAUTHENTICATED` if it returns or resolves to undefined or null, or throws; a
   * {@linkcode RequestError} that it throws sets the status and the message. The message of any other error is not sent
   * to the client, but is told to observers.
   *
   * @param peer the other end of the connection, with the certificate that it proved to have under mutual TLS
   * @param headers the stream's request headers, such as `authorization`
   * @param options.signal aborted when the stream ends before it is decided, which it does after `limits.decisionTimeout`
   */
  authenticate?(
    peer: Peer,
    headers: Headers,
    options: { signal: AbortSignal },
  ): Identity | undefined | null | PromiseLike<Identity | undefined | null>;
  /**
   * Says whether a client may have what it asks for: called when it first asks for a type, when it asks for more of it,
   * and, when its node changes, for all that it asks for. Until it is decided the stream stands still: later requests
   * wait, and nothing is sent.
   *
   * Only `true` lets the request pass. All else ends the stream with `PERMISSION_DENIED`, or, for a
   * {@linkcode RequestError} that is thrown, with its status and message. The message of any other error is not sent to
   * the client, but is told to observers.
   *
   * On an aggregated stream that ends what the client gets of other types, too, and it will ask again when it has
   * reconnected. Where a client is to go on without what it may not have, leave that out of what the cache serves it.
   */
  authorize?(
    request: AuthorizationRequest<Identity>,
  ): boolean | PromiseLike<boolean>;
}

/** What a client asks for, and who it is. */
export interface AuthorizationRequest<Identity = unknown> {
  /** What `authenticate` returned; undefined without it. */
  readonly identity: Identity;
  /** What the client says of itself. Whether it may, is to be decided here: anybody can write any node id. */
  readonly node: Node;
  /** The other end of the connection. */
  readonly peer: Peer;
  /** The type that is asked for. */
  readonly typeUrl: string;
  /** All that the client will be asking for of the type, with what it was granted before. */
  readonly subscription: Subscription;
  /**
   * Names in it that were not granted before, `xdstp://…/*` for a collection among them. Empty if nothing but the
   * wildcard is new, or if the client so far asks for nothing.
   */
  readonly names: ReadonlySet<string>;
  /** Aborted when the stream ends before it is decided, which it does after `limits.decisionTimeout`. */
  readonly signal: AbortSignal;
}
