import { type Resource, TypeUrl } from "../resource/mod.ts";
import type { Mux } from "./_mux.ts";
import type { Rejects } from "./model.ts";

/** What the parts of an Envoy model share. */
export interface World {
  readonly mux: Mux;
  readonly rejects: Rejects;
  /** How long a watch waits for its first resource, in milliseconds. */
  readonly fetchTimeout: number;
  /** How long a replaced listener serves existing connections, in milliseconds. */
  readonly drainTime: number;
  now(): number;
  /** Returns a number that was not returned before. */
  serial(): number;
}

/** Names of a type that a resource refers to, without those that are fetched on demand. */
export function namesIn(resource: Resource, typeUrl: string): string[] {
  const { references } = resource.references;
  const names = references
    .filter((its) => its.typeUrl === typeUrl && !its.onDemand)
    .map(({ name }) => name);
  return [...new Set(names)];
}

/** Types of resources that several others may share one subscription to. */
const shared: readonly string[] = [
  TypeUrl.Secret,
  TypeUrl.RouteConfiguration,
  TypeUrl.TypedExtensionConfig,
];

/** A subscription that users of one resource from one source share. */
export interface ProviderKey {
  readonly typeUrl: string;
  readonly name: string;
  readonly source: string;
}

/** The shared subscriptions that a resource needs. */
export function providersOf(resource: Resource): ProviderKey[] {
  return resource.references.references
    .filter(({ typeUrl, onDemand }) => shared.includes(typeUrl) && !onDemand)
    .map(({ typeUrl, name, source = "" }) => ({ typeUrl, name, source }));
}

/** Identifies a shared subscription. */
export function keyOf({ typeUrl, name, source }: ProviderKey): string {
  return [typeUrl, name, source].join("\n");
}
