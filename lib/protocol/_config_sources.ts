import { Resource, TypeUrl } from "../resource/mod.ts";
import type { Before } from "./_plan.ts";

/** Types that an Envoy requests again, without saying so, where the config source differs. */
const shared: readonly string[] = [
  TypeUrl.Secret,
  TypeUrl.TypedExtensionConfig,
  TypeUrl.RouteConfiguration,
];

const PLAIN = "";

/**
 * By which config sources a client has requested secrets, extension configs and routes. An Envoy has one subscription for each
 * name and source; where a listener or cluster refers to a name by a source that is new, it needs what it has once more.
 */
export class ConfigSources {
  /** By type and name; what is not in it was requested by the plain aggregated stream, or not at all. */
  readonly #known = new Map<string, Set<string>>();

  /** What is requested by a source that is new, of what resources that were sent refer to. */
  *changed(
    resources: readonly Resource[],
    before: Before,
  ): Iterable<{ typeUrl: string; name: string }> {
    for (const resource of resources) {
      for (const reference of resource.references.references) {
        const { typeUrl, name, source = PLAIN } = reference;
        if (!shared.includes(typeUrl)) continue;
        const key = `${typeUrl} ${name}`;
        const known = this.#known.get(key);
        const old = sourcesOf(before(resource.name), typeUrl, name);
        const isNew = old.length > 0
          ? !old.includes(source)
          : known
          ? !known.has(source)
          : source !== PLAIN;
        if (source !== PLAIN || known) {
          this.#known.set(key, (known ?? new Set<string>()).add(source));
        }
        if (isNew) yield { typeUrl, name };
      }
    }
  }
}

function sourcesOf(held: unknown, typeUrl: string, name: string): string[] {
  if (!(held instanceof Resource)) return [];
  return held.references.references
    .filter((its) => its.typeUrl === typeUrl && its.name === name)
    .map(({ source = PLAIN }) => source);
}
