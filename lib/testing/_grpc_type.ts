import type { Resource } from "../resource/mod.ts";
import {
  type ModelProtocol,
  type ModelRequest,
  modelRequest,
  type ModelResponse,
} from "./model.ts";

/** A subscription of a gRPC client to one name. */
export interface Subscription {
  /** Null: it does not exist. Undefined: that is not known yet. */
  resource: Resource | null | undefined;
  /** When to take it for missing, if nothing is known of it until then. */
  deadline: number | undefined;
  /** When to unsubscribe; undefined while something uses it. */
  unsubscribeAt: number | undefined;
}

/** What a gRPC client knows of one type. */
export interface GrpcType {
  subscriptions: Map<string, Subscription>;
  version: string;
  nonce: string;
  /** Whether something was requested on this stream. */
  isOpen: boolean;
}

/** A type of which nothing is known. */
export function emptyType(): GrpcType {
  return { subscriptions: new Map(), version: "", nonce: "", isOpen: false };
}

/** What a request adds to, or drops from, a subscription. */
export interface Changes {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
}

/** The first request of a type on a stream. */
export function openingRequest(
  typeUrl: string,
  type: GrpcType,
): ModelRequest {
  const names = [...type.subscriptions.keys()].sort();
  type.nonce = "";
  type.isOpen = true;
  const versions = new Map<string, string>();
  for (const [name, { resource }] of type.subscriptions) {
    if (resource) versions.set(name, resource.version);
  }
  const { version } = type;
  return modelRequest({ typeUrl, version, names, subscribe: names, versions });
}

/** A request that changes a subscription. */
export function changingRequest(
  protocol: ModelProtocol,
  typeUrl: string,
  type: GrpcType,
  { subscribe, unsubscribe }: Changes,
): ModelRequest {
  if (!type.isOpen) return openingRequest(typeUrl, type);
  if (protocol === "delta") {
    return modelRequest({ typeUrl, subscribe, unsubscribe });
  }
  return answer(protocol, typeUrl, type, undefined);
}

/** A request that acknowledges a response, or rejects it with an error. */
export function answer(
  protocol: ModelProtocol,
  typeUrl: string,
  type: GrpcType,
  error: string | undefined,
): ModelRequest {
  const { nonce, version } = type;
  if (protocol === "delta") return modelRequest({ typeUrl, nonce, error });
  const names = [...type.subscriptions.keys()].sort();
  return modelRequest({ typeUrl, nonce, version, names, error });
}

/** Notes what a response says, and returns the names that it says do not exist, of those that existed. */
export function take(
  type: GrpcType,
  response: ModelResponse,
  valid: readonly Resource[],
  isFull: boolean,
): string[] {
  const gone: string[] = [];
  for (const resource of valid) {
    const its = type.subscriptions.get(resource.name);
    if (!its) continue;
    its.resource = resource;
    its.deadline = undefined;
  }
  const present = new Set(response.resources.map(({ name }) => name));
  const missing = isFull
    ? [...type.subscriptions.keys()].filter((name) => !present.has(name))
    : response.removed;
  for (const name of missing) {
    const its = type.subscriptions.get(name);
    if (!its) continue;
    if (its.resource) gone.push(name);
    // A name that was requested after the server had decided is not missing.
    if (its.resource !== undefined || !isFull) {
      its.resource = null;
      its.deadline = undefined;
    }
  }
  return gone;
}
