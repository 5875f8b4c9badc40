import { collectionOf } from "../resource/mod.ts";

/**
 * What one client wants of one type. Whether it is a wildcard is state of its own, not guessed from an empty list.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
 */
export interface Subscription {
  /** True if everything of the type is wanted. */
  readonly wildcard: boolean;
  /**
   * Names asked for explicitly, which a wildcard may stand beside; `xdstp://…/*` among them is a glob collection. A set
   * is never written to: a changed subscription has another one.
   */
  readonly names: ReadonlySet<string>;
}

/** True if a subscription asks for a resource of that name. */
export function covers(subscription: Subscription, name: string): boolean {
  if (subscription.wildcard || subscription.names.has(name)) return true;
  const collection = collectionOf(name);
  return collection !== undefined && subscription.names.has(collection);
}
