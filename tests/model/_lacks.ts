import { type Resource, shortName, TypeUrl } from "../../lib/resource/mod.ts";
import { EnvoyModel, type GrpcModel } from "../../lib/testing/mod.ts";

/** Types of resources that a client only has while something refers to them. */
const referred: readonly string[] = [
  TypeUrl.ClusterLoadAssignment,
  TypeUrl.RouteConfiguration,
  TypeUrl.Secret,
  TypeUrl.TypedExtensionConfig,
];

/**
 * What a client lacks of a set of resources, and with `isDrained` what it still has that is not in the set. Without what the
 * client rejects, and what depends on that.
 */
export function lacks(
  client: EnvoyModel | GrpcModel,
  newest: readonly Resource[],
  rejected: ReadonlySet<string>,
  isDrained: boolean,
  bootstrap: readonly Resource[] = [],
): string[] {
  const byKey = new Map(newest.map((its) => [key(its), its]));
  const isExcused = excuses(byKey, rejected);
  const problems: string[] = [];
  const has = (its: Resource) =>
    client.resources(its.typeUrl).get(its.name)?.version === its.version;
  const own = new Set(bootstrap.map(key));
  const seen = new Set<Resource>();
  const isEnvoy = client instanceof EnvoyModel;
  // A gRPC client finds the rest by itself.
  const roots = isEnvoy
    ? [TypeUrl.Cluster, TypeUrl.Listener]
    : [TypeUrl.Listener];
  const follows = isEnvoy ? referred : [...referred, TypeUrl.Cluster];
  const visit = (its: Resource, seen: Set<Resource>) => {
    if (seen.has(its)) return;
    seen.add(its);
    // What the bootstrap has wins.
    if (isExcused(its) || own.has(key(its))) return;
    if (!has(its)) problems.push(`no ${shown(its)}`);
    for (const { typeUrl, name } of its.references.references) {
      const other = byKey.get(`${typeUrl} ${name}`);
      if (follows.includes(typeUrl) && other) visit(other, seen);
    }
  };
  for (const typeUrl of roots) {
    for (const its of newest) if (its.typeUrl === typeUrl) visit(its, seen);
    if (!isDrained && typeUrl === TypeUrl.Cluster) continue;
    for (const its of client.resources(typeUrl).values()) {
      const isOwn = own.has(key(its));
      if (isOwn || byKey.has(key(its)) || rejected.size > 0) continue;
      problems.push(`still ${shown(its)}`);
    }
  }
  for (const text of isEnvoy ? client.warming : []) {
    if (rejected.size === 0) problems.push(`warming ${text}`);
  }
  return problems;
}

/** Decides what need not be there: what is rejected, and what refers to that or to nothing. */
function excuses(
  byKey: ReadonlyMap<string, Resource>,
  rejected: ReadonlySet<string>,
): (resource: Resource) => boolean {
  const known = new Map<Resource, boolean>();
  const isExcused = (its: Resource): boolean => {
    let excused = known.get(its);
    if (excused !== undefined) return excused;
    known.set(its, false);
    excused = rejected.has(its.name) ||
      its.references.references.some(({ typeUrl, name }) => {
        const other = byKey.get(`${typeUrl} ${name}`);
        return other !== undefined && isExcused(other);
      });
    known.set(its, excused);
    return excused;
  };
  return isExcused;
}

function key({ typeUrl, name }: Resource): string {
  return `${typeUrl} ${name}`;
}

function shown({ typeUrl, name, version }: Resource): string {
  return `${shortName(typeUrl)} ${name} (${version.slice(0, 6)})`;
}
