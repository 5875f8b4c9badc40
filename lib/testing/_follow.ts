import { findReferences, TypeUrl } from "../resource/mod.ts";
import type { HeldResource } from "./held.ts";
import type { Holdings } from "./_holdings.ts";

/** What a client of these resources asks for at once. */
export function* references(
  resources: Iterable<HeldResource>,
): Generator<{ typeUrl: string; name: string }> {
  for (const { typeUrl, bytes } of resources) {
    for (const reference of findReferences(typeUrl, bytes).references) {
      // Clusters that routes need a client has asked for all the same, as all of them or by itself.
      const isAsked = reference.typeUrl === TypeUrl.Cluster;
      if (!reference.onDemand && !isAsked) yield reference;
    }
  }
}

/** The names that are referred to, by type; of a type that no longer is, none. */
export function wantedNames(
  types: Iterable<Holdings>,
): Map<string, Set<string>> {
  const wanted = new Map<string, Set<string>>();
  const namesOf = (typeUrl: string) => {
    let names = wanted.get(typeUrl);
    if (!names) wanted.set(typeUrl, names = new Set());
    return names;
  };
  for (const { followed, typeUrl, resources } of types) {
    if (followed.size > 0) namesOf(typeUrl);
    for (const { typeUrl, name } of references(resources.values())) {
      namesOf(typeUrl).add(name);
    }
  }
  return wanted;
}
