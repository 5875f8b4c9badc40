import { create, toBinary } from "@bufbuild/protobuf";
import type { Node } from "@xds/envoy/envoy/config/core/v3";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { StatusSchema } from "@xds/envoy/google/rpc";

const INVALID_ARGUMENT = 3;

/** A request's fields that are the same in both protocols. */
export interface Common {
  readonly typeUrl: string;
  readonly node: Node | undefined;
  readonly nonce?: string;
  readonly error?: string;
}

/** Encodes a `DiscoveryRequest`. */
export function encodeSotw(
  { typeUrl, node, nonce, error }: Common,
  resourceNames: string[],
  versionInfo: string,
): Uint8Array {
  const request = create(DiscoveryRequestSchema, {
    typeUrl,
    node,
    responseNonce: nonce,
    errorDetail: statusOf(error),
    resourceNames,
    versionInfo,
  });
  return toBinary(DiscoveryRequestSchema, request);
}

/** Encodes a `DeltaDiscoveryRequest`. */
export function encodeDelta(
  { typeUrl, node, nonce, error }: Common,
  changes: {
    subscribe?: string[];
    unsubscribe?: string[];
    versions?: Record<string, string>;
  },
): Uint8Array {
  const request = create(DeltaDiscoveryRequestSchema, {
    typeUrl,
    node,
    responseNonce: nonce,
    errorDetail: statusOf(error),
    resourceNamesSubscribe: changes.subscribe,
    resourceNamesUnsubscribe: changes.unsubscribe,
    initialResourceVersions: changes.versions,
  });
  return toBinary(DeltaDiscoveryRequestSchema, request);
}

function statusOf(message: string | undefined) {
  if (message === undefined) return undefined;
  return create(StatusSchema, { code: INVALID_ARGUMENT, message });
}
