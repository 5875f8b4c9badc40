import type { Resource } from "../resource/mod.ts";

/** The xDS protocol variant that a client model speaks. */
export type ModelProtocol = "sotw" | "delta";

/** A response as a client model receives it. */
export interface ModelResponse {
  /** The type of its resources. */
  readonly typeUrl: string;
  /** `version_info` or `system_version_info`. */
  readonly version: string;
  /** Its nonce. */
  readonly nonce: string;
  /** Its resources. */
  readonly resources: readonly Resource[];
  /** Delta: names of resources that do not exist. */
  readonly removed: readonly string[];
  /** State of the world: names in `resource_errors`, which are requested and do not exist. Default: none. */
  readonly missing?: readonly string[];
}

/** A request that a client model sends. */
export interface ModelRequest {
  /** The requested type. */
  readonly typeUrl: string;
  /** The nonce of the response that it answers; empty if there was none on this stream. */
  readonly nonce: string;
  /** The message of a NACK. */
  readonly error: string | undefined;
  /** State of the world: the last accepted version. */
  readonly version: string;
  /** State of the world: all subscribed names. */
  readonly names: readonly string[];
  /** Delta: names to subscribe to. */
  readonly subscribe: readonly string[];
  /** Delta: names to unsubscribe from. */
  readonly unsubscribe: readonly string[];
  /** Delta: `initial_resource_versions`. */
  readonly versions: ReadonlyMap<string, string>;
}

/** Why a client model rejects a resource. */
export interface Rejection {
  /** The reason, as it appears in the NACK. */
  readonly message: string;
  /** Whether it violates a proto validation rule, so that Envoy applies nothing of the response. Default: false. */
  readonly violatesRule?: boolean;
}

/** Decides whether a client model rejects a resource; undefined: it is valid. */
export type Rejects = (resource: Resource) => Rejection | undefined;

/** An error with which a client model answers a response. */
export class RejectedError extends Error {
  /** Its name. */
  override readonly name = "RejectedError";
}

/** A request with defaults for everything but the given parts. */
export function modelRequest(
  parts: Partial<ModelRequest> & { typeUrl: string },
): ModelRequest {
  return {
    nonce: "",
    error: undefined,
    version: "",
    names: [],
    subscribe: [],
    unsubscribe: [],
    versions: new Map(),
    ...parts,
  };
}
