import { fromBinary } from "@bufbuild/protobuf";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { createResource, shortName, TypeUrl } from "../../lib/resource/mod.ts";
import type { HeldResource, TestResponse } from "../../lib/testing/mod.ts";
import type { ContentKey } from "./_told.ts";

/** What a resource holds, by which two of them are the same. */
export function keyOf({ typeUrl, name, bytes, ttl }: HeldResource): ContentKey {
  return createResource({ typeUrl, name, bytes, ttl }).version;
}

/** Types that clients ask for since others refer to them. */
export const followed: readonly string[] = [
  TypeUrl.ClusterLoadAssignment,
  TypeUrl.RouteConfiguration,
];

/** Clusters that routes lead to. */
export function clustersOf({ bytes }: HeldResource): string[] {
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, bytes);
  return virtualHosts.map(({ name }) => name);
}

/** Names of other resources in a resource: endpoints of a cluster, routes of a listener. */
export function references({ typeUrl, name, bytes }: HeldResource): string[] {
  const { references } = createResource({ typeUrl, name, bytes }).references;
  return references.flatMap((its) =>
    followed.includes(its.typeUrl) ? [its.name] : []
  );
}

/** Names of which a response says something new. */
export function mentioned({ names, removed, missing }: TestResponse): string[] {
  return [...names, ...removed, ...missing];
}

/** A response in a line. */
export function shown(response: TestResponse): string {
  const { typeUrl, nonce, names, removed, missing, refreshed } = response;
  const parts = [
    ...names,
    ...removed.map((name) => `-${name}`),
    ...missing.map((name) => `?${name}`),
    ...refreshed.map((name) => `~${name}`),
  ];
  return `response ${nonce} of ${shortName(typeUrl)} [${parts.join(" ")}]`;
}
