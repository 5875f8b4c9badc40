import { equals } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { type Node, NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import type { Client, Peer, Subscription } from "../cache/mod.ts";
import type { StreamAction } from "../protocol/mod.ts";
import { shortName } from "../resource/mod.ts";
import { asked, failure } from "./_status.ts";
import type { Access } from "./access.ts";

/** A decision that takes time: it resolves if the client may go on, and rejects with a `ConnectError` if not. */
export type Decision = Promise<void>;

/** What a client asks: to be that node, and, with a subscription, to have it of a type. */
export interface Question {
  readonly node: Node;
  readonly typeUrl: string | undefined;
  readonly subscription: Subscription | undefined;
}

/** Whether a node is another than a client is so far. */
export function isOther(node: Node, client: Client | undefined): boolean {
  return !client || !equals(NodeSchema, node, client.node);
}

/**
 * What is to be decided before one of the actions that a request brought about is carried out; undefined if nothing is.
 *
 * @param client what is known of the client so far
 */
export function questionOf(
  action: StreamAction,
  actions: readonly StreamAction[],
  client: Client | undefined,
): Question | undefined {
  if (action.kind === "open") {
    // Before anybody is told of a node that the client may not be.
    const watch = actions.find((other) => other.kind === "watch");
    return watch && { ...watch, node: action.node };
  }
  if (action.kind === "watch" || action.kind === "subscribe") {
    return client && { ...action, node: client.node };
  }
  return action.kind === "node" && isOther(action.node, client)
    ? { node: action.node, typeUrl: undefined, subscription: undefined }
    : undefined;
}

/**
 * What one stream was granted. Its methods return undefined if the client may go on, throw a `ConnectError` if it may
 * not, and return a promise if that is yet to be decided. What was granted is not decided again.
 */
export class Grants implements Disposable {
  /** Who opened the stream. */
  identity: unknown;
  readonly #access: Access;
  readonly #peer: Peer;
  readonly #end = new AbortController();
  readonly #granted = new Map<string, Subscription>();
  #node: Node | undefined;

  constructor(access: Access, peer: Peer) {
    this.#access = access;
    this.#peer = peer;
  }

  /** Decides who the client is. */
  authenticate(headers: Headers): Decision | undefined {
    const access = this.#access;
    if (!access.authenticate) return undefined;
    const { signal } = this.#end;
    const refused = (cause?: unknown) =>
      asked(cause) ?? failure(
        "unauthenticated",
        "the client is not authenticated: this server asks for a certificate or token that it accepts",
        cause,
      );
    return decide(
      () => access.authenticate!(this.#peer, headers, { signal }),
      (identity) => {
        if (identity === undefined || identity === null) throw refused();
        this.identity = identity;
      },
      refused,
    );
  }

  /** Decides whether the client may have what it asks. */
  decide({ node, typeUrl, subscription }: Question): Decision | undefined {
    return typeUrl === undefined || !subscription
      ? this.#readmit(node)
      : this.#admit(node, typeUrl, subscription);
  }

  #admit(
    node: Node,
    typeUrl: string,
    { wildcard, names }: Subscription,
  ): Decision | undefined {
    const before = this.#granted.get(typeUrl);
    const subscription = { wildcard, names };
    const more = before
      ? new Set([...names].filter((name) => !before.names.has(name)))
      : names;
    if (before && more.size === 0 && (!wildcard || before.wildcard)) {
      this.#granted.set(typeUrl, subscription);
      return undefined;
    }
    return this.#authorize(node, typeUrl, subscription, more);
  }

  /** Decides whether the client may go on with all that it was granted, as another node. */
  #readmit(node: Node): Decision | undefined {
    if (node === this.#node) return undefined;
    const decisions = [...this.#granted].map(([typeUrl, subscription]) => {
      try {
        const { names } = subscription;
        return this.#authorize(node, typeUrl, subscription, names);
      } catch (refusal) {
        return Promise.reject(refusal);
      }
    });
    if (decisions.every((decision) => !decision)) return undefined;
    return Promise.all(decisions).then(() => {});
  }

  #authorize(
    node: Node,
    typeUrl: string,
    subscription: Subscription,
    names: ReadonlySet<string>,
  ): Decision | undefined {
    const access = this.#access;
    if (!access.authorize) return undefined;
    const refused = (cause?: unknown) =>
      asked(cause) ?? failure(
        "permission_denied",
        `node ${JSON.stringify(node.id)} may not have ${shortName(typeUrl)} [${
          shown(subscription, names)
        }]`,
        cause,
      );
    const request = {
      identity: this.identity,
      node,
      peer: this.#peer,
      typeUrl,
      subscription,
      names,
      signal: this.#end.signal,
    };
    return decide(
      () => access.authorize!(request),
      (allowed) => {
        if (allowed !== true) throw refused();
        this.#granted.set(typeUrl, subscription);
        this.#node = node;
      },
      refused,
    );
  }

  /** The stream has ended: nothing needs to be decided any longer. */
  [Symbol.dispose]() {
    this.#end.abort();
  }
}

function decide<T>(
  call: () => T | PromiseLike<T>,
  take: (result: T) => void,
  refused: (cause: unknown) => ConnectError,
): Decision | undefined {
  let result: T | PromiseLike<T>;
  try {
    result = call();
  } catch (cause) {
    throw refused(cause);
  }
  if (!isPromiseLike(result)) {
    take(result);
    return undefined;
  }
  return Promise.resolve(result).then(take, (cause) => {
    throw refused(cause);
  });
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | undefined | null)?.then ===
    "function";
}

const SHOWN = 5;

function shown({ wildcard }: Subscription, names: ReadonlySet<string>): string {
  const all = [...wildcard ? ["*"] : [], ...names];
  const more = all.length > SHOWN ? `, … (${all.length})` : "";
  return all.slice(0, SHOWN).join(", ") + more;
}
