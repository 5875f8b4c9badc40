import type { Snapshot } from "./snapshot.ts";
import { covers } from "./subscription.ts";
import type { TypeWatch } from "./_type_watch.ts";

const nothing: ReadonlySet<string> = new Set();

/** Names of a watch's type that the client will ask for because of resources it asked for, but has not yet. */
export function missingNames(
  snapshot: Snapshot,
  watch: TypeWatch,
  watches: ReadonlyMap<string, TypeWatch>,
): ReadonlySet<string> {
  const { names, wildcard } = watch.subscription;
  if (wildcard) return nothing;
  let missing: Set<string> | undefined;
  for (const [name, referrers] of snapshot.required(watch.typeUrl)) {
    if (names.has(name)) continue;
    const wanted = referrers.some((referrer) => {
      const parent = watches.get(referrer.typeUrl);
      return parent !== undefined &&
        covers(parent.subscription, referrer.name) &&
        !parent.refused(referrer);
    });
    if (wanted) (missing ??= new Set()).add(name);
  }
  return missing ?? nothing;
}
