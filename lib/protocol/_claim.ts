import type { View } from "../cache/mod.ts";
import { versionOf } from "./_holdings.ts";

/** The version that a client says it has of what it asked for when it opened its subscription. */
export interface Claim {
  readonly version: string;
  readonly wildcard: boolean;
  readonly names: ReadonlySet<string>;
  /** Whether it asked for all by naming nothing, and so never named anything. */
  readonly legacy: boolean;
}

/**
 * What a client has that says it has a version, if that can mean but one thing: names of which it has what a view has, or
 * all of the view. Undefined if the version proves nothing.
 *
 * @param trustsVersion whether the version is taken for what the client has even where it says nothing of names
 */
export function provenBy(
  { version, wildcard, names, legacy }: Claim,
  view: View,
  trustsVersion: boolean,
): "all" | Iterable<string> | undefined {
  if (wildcard) {
    // A caller's version may be what the client was sent when it asked for names.
    const isProof = !view.versionGiven || legacy || trustsVersion;
    return isProof && version === view.version ? "all" : undefined;
  }
  if (view.versionGiven && !trustsVersion) {
    // It says nothing of what the client had.
    return undefined;
  }
  // The version of some names is that of just what there is of them.
  const all = new Set(names);
  for (const name of names) {
    for (const member of view.collection(name)) all.add(member);
  }
  if (version === versionOfNames(view, all)) return all;
  // It may have asked for what does not exist only after it was sent the version.
  const existing = [...all].filter((name) => view.resources.has(name));
  return version === versionOfNames(view, existing) ? existing : undefined;
}

/** The version that a client has of some names. A caller's version is followed by what tells which names it is of. */
export function versionOfNames(view: View, names: Iterable<string>): string {
  const own = versionOf(view, names);
  return view.versionGiven ? `${view.version}+${own}` : own;
}
