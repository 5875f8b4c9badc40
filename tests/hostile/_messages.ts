/** Requests that cost more than they should. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { TypeUrl } from "../../mod.ts";
import {
  bytesField,
  entries,
  message,
  repeated,
} from "../protocol/_request_bytes.ts";

/** A little less than what both servers take. */
export const SIZE = 4 * 1024 * 1024 - 1_000;
export const node = { id: "evil" };
const typeUrl = TypeUrl.Cluster;
const type = bytesField(4, new TextEncoder().encode(typeUrl));
const deltaType = bytesField(2, new TextEncoder().encode(typeUrl));

/** What a request may say beside its type. */
interface Sotw {
  node?: { id: string };
  resourceNames?: string[];
  responseNonce?: string;
}

export function sotw(init: Sotw = {}): Uint8Array {
  const request = { node, typeUrl, ...init };
  return toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, request),
  );
}

/** What a delta request may say beside its type. */
interface Delta {
  node?: { id: string };
  resourceNamesSubscribe?: string[];
}

export function delta(init: Delta = {}): Uint8Array {
  const request = { node, typeUrl, ...init };
  return toBinary(
    DeltaDiscoveryRequestSchema,
    create(DeltaDiscoveryRequestSchema, request),
  );
}

/** A first request whose node is filled with a field. */
function nodeOf(field: ArrayLike<number>): Uint8Array {
  const id = bytesField(1, new TextEncoder().encode("evil"));
  return message(bytesField(2, message(id, field)), type);
}

/** Names that are not known from before. */
export function names(count: number, seed: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${seed}-${i}`);
}

const parameters = Array.from({ length: 1_000 }, (_, i) => `${1_000 - i}=1`);

/** Requests of state of the world, by what they are of. */
export const requests: Record<string, () => Uint8Array> = {
  "listening addresses": () => nodeOf(repeated([0x5a, 0], SIZE)),
  "empty fields of a node": () => nodeOf(repeated([0x7a, 0], SIZE)),
  "keys of metadata": () => nodeOf(bytesField(3, entries(250_000))),
  "client features": () => nodeOf(repeated([0x52, 0], SIZE)),
  "empty names": () => message(sotw(), repeated([0x1a, 0], SIZE - 100)),
  "names with context parameters": () =>
    sotw({
      resourceNames: Array.from(
        { length: 500 },
        (_, i) => `xdstp://a/t/${i}?${parameters.join("&")}`,
      ),
    }),
  "a name of 3 MB": () => sotw({ resourceNames: ["x".repeat(3_000_000)] }),
};

/** Delta requests, by what they are of. */
export const deltaRequests: Record<string, () => Uint8Array> = {
  "empty subscriptions": () =>
    message(delta(), repeated([0x1a, 0], SIZE - 100)),
  "versions that a client has": () =>
    message(
      bytesField(1, bytesField(1, new TextEncoder().encode("evil"))),
      deltaType,
      repeated([0x2a, 0], SIZE - 100),
    ),
};
