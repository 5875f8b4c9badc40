import type { Resource } from "../resource/mod.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Quarantined } from "./validation.ts";

/** What is served for a snapshot, and what is left out of it. */
export interface Sound {
  readonly snapshot: Snapshot;
  readonly quarantined: readonly Quarantined[];
}

/** What a snapshot was made of from which something was left out. */
export interface Unsound {
  /** As it was set. */
  readonly given: Snapshot;
  readonly quarantined: readonly Quarantined[];
}

/** By type URL and name; undefined for what is left out. */
type Changes = Map<string, Map<string, Resource | undefined>>;

/**
 * A snapshot with the last good forms, those of the one that was served before, in place of what breaks a rule. What
 * these refer to and the snapshot no longer has is kept, too.
 */
export function quarantine(given: Snapshot, served?: Snapshot): Sound {
  const quarantined = given.typeUrls.flatMap((typeUrl) =>
    given.view(typeUrl).invalid.map((resource): Quarantined => ({
      resource,
      violations: resource.violations,
      kept: served?.resources(typeUrl).get(resource.name),
    }))
  );
  if (quarantined.length === 0) return { snapshot: given, quarantined };
  const changes: Changes = new Map();
  const kept: Resource[] = [];
  const put = (typeUrl: string, name: string, resource?: Resource) => {
    const names = changes.get(typeUrl) ?? new Map();
    changes.set(typeUrl, names.set(name, resource));
    if (resource) kept.push(resource);
  };
  for (const { resource: { typeUrl, name }, kept } of quarantined) {
    put(typeUrl, name, kept);
  }
  for (const resource of kept) {
    for (const { typeUrl, name } of resource.references.references) {
      const isThere = given.resources(typeUrl).has(name) ||
        changes.get(typeUrl)?.has(name);
      const needed = served?.resources(typeUrl).get(name);
      if (!isThere && needed) put(typeUrl, name, needed);
    }
  }
  return { snapshot: given.replacing(changes), quarantined };
}
