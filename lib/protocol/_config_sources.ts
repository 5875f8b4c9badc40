import { Resource, TypeUrl } from "../resource/mod.ts";
import type { Sent, TypeState } from "./type_state.ts";

/** Types that an Envoy requests again, without saying so, where the config source is a new one. */
const shared: readonly string[] = [
  TypeUrl.Secret,
  TypeUrl.TypedExtensionConfig,
  TypeUrl.RouteConfiguration,
];

/** A resource that another refers to, and the config source by which it does. */
interface Use {
  readonly typeUrl: string;
  readonly name: string;
  readonly source?: string;
}

/** A use of which the client has a need only once it has the endpoints of what refers to it, or at once. */
interface NewUse extends Use {
  readonly awaitsEndpoints: boolean;
}

/**
 * What clusters and listeners that were sent refer to by a config source that nothing else of the client's uses: an Envoy
 * has one subscription for each name and source, so that it needs what it has once more.
 *
 * @param parents the types whose resources refer to such names
 */
export function* newlyUsed(
  { changed, before }: Sent,
  parents: readonly TypeState[],
): Iterable<NewUse> {
  let isChanged: ReadonlySet<Resource> | undefined;
  for (const resource of changed) {
    const old = before(resource.name);
    const awaitsEndpoints = resource.references.references.some((its) =>
      its.typeUrl === TypeUrl.ClusterLoadAssignment
    );
    for (const use of usesOf(resource)) {
      if (old instanceof Resource && hasUse(old, use)) continue;
      const others = isChanged ??= new Set(changed);
      if (!isUsed(use, parents, others)) yield { ...use, awaitsEndpoints };
    }
  }
}

function usesOf({ references }: Resource): readonly Use[] {
  return references.references.filter(({ typeUrl }) =>
    shared.includes(typeUrl)
  );
}

function hasUse(resource: Resource, use: Use): boolean {
  return resource.references.references.some(({ typeUrl, name, source }) =>
    typeUrl === use.typeUrl && name === use.name && source === use.source
  );
}

/** Whether something that the client has, and that is not being sent, uses the same name and source. */
function isUsed(
  use: Use,
  parents: readonly TypeState[],
  sent: ReadonlySet<Resource>,
): boolean {
  for (const parent of parents) {
    for (const resource of parent.view?.resources.values() ?? []) {
      if (sent.has(resource) || !hasUse(resource, use)) continue;
      if (parent.isAcked(resource)) return true;
    }
  }
  return false;
}
