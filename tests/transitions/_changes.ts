import type { Random } from "./_random.ts";
import {
  CLUSTER_KINDS,
  type ClusterSpec,
  START,
  type TlsSpec,
  withoutUnused,
  type World,
} from "./_world.ts";

/** The names of clusters; few, so that they return while clients still have others of the same name. */
const NAMES = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];

/** A change of one kind; returns the same world if it does not apply. */
type Change = (world: World, random: Random, round: number) => World;

function randomCluster(
  random: Random,
  name: string,
  stamp: number,
): ClusterSpec {
  const kind = random.pick(CLUSTER_KINDS);
  // A logical DNS cluster has exactly one endpoint.
  const both = kind !== "logical_dns" && random.chance(0.3);
  const upstreams = both ? [0, 1] as const : [random.pick([0, 1] as const)];
  const service = kind === "eds_service" ? `${name}-at-${stamp}` : undefined;
  return { kind, stamp, upstreams, service };
}

function withCluster(world: World, name: string, spec: ClusterSpec): World {
  return { ...world, clusters: new Map(world.clusters).set(name, spec) };
}

/** A name that no cluster of the world has, if there is one. */
function freeName(world: World, random: Random): string | undefined {
  const free = NAMES.filter((name) => !world.clusters.has(name));
  return free.length > 0 ? random.pick(free) : undefined;
}

/** A new cluster; undefined if there are too many already. */
function withNewCluster(
  world: World,
  random: Random,
  round: number,
): [World, string] | undefined {
  const name = freeName(world, random);
  if (name === undefined) return undefined;
  return [withCluster(world, name, randomCluster(random, name, round)), name];
}

/** Routes, or the routes of a listener that has them within, change their stamp; so does that listener's chain. */
function withRoutes(
  world: World,
  round: number,
  routes: Partial<World["routes"]>,
): World {
  const next = { ...world.routes, ...routes, stamp: round };
  const isWithin = next.name === undefined;
  const isRenamed = next.name !== world.routes.name;
  const chain = isWithin || isRenamed ? round : world.chain;
  return { ...world, routes: next, chain };
}

const replaceTarget: Change = (world, random, round) => {
  const made = withNewCluster(world, random, round);
  if (!made) return world;
  return withRoutes(made[0], round, { clusters: [made[1]], mirror: undefined });
};

const replaceAll: Change = (world, random, round) => {
  const replaced = replaceTarget(world, random, round);
  if (replaced === world) return world;
  const unused = new Set<string>();
  const [target] = replaced.routes.clusters;
  const tls = world.tls && { ...world.tls, stamp: round, cluster: target };
  return { ...replaced, unused, tls };
};

const weigh: Change = (world, random, round) => {
  const made = withNewCluster(world, random, round);
  if (!made) return world;
  const { clusters } = world.routes;
  return withRoutes(made[0], round, {
    clusters: [random.pick(clusters), made[1]],
  });
};

const mirror: Change = (world, random, round) => {
  if (world.routes.mirror) {
    return withRoutes(world, round, { mirror: undefined });
  }
  const made = withNewCluster(world, random, round);
  return made ? withRoutes(made[0], round, { mirror: made[1] }) : world;
};

const aggregate: Change = (world, random, round) => {
  // An aggregate of aggregates has no endpoints, not even while a draining listener still uses it.
  const parts = [...world.clusters.keys()].filter((name) =>
    NAMES.includes(name)
  );
  const name = random.pick(["aggregate-0", "aggregate-1"]);
  if (parts.length === 0) return world;
  const children = [...new Set([random.pick(parts), random.pick(parts)])];
  const spec = { kind: "aggregate", stamp: round, upstreams: [], children };
  return withRoutes(withCluster(world, name, spec as ClusterSpec), round, {
    clusters: [name],
  });
};

/** A new cluster with the endpoints of another one. */
const shareEndpoints: Change = (world, random, round) => {
  const shared = [...world.clusters.values()].filter(({ service }) => service);
  const name = freeName(world, random);
  if (shared.length === 0 || name === undefined) return world;
  const spec = {
    ...random.pick(shared),
    stamp: round,
    authority: undefined,
  };
  return withRoutes(withCluster(world, name, spec), round, {
    clusters: [name],
  });
};

const retype: Change = (world, random, round) => {
  const [name, { authority }] = random.pick([...world.clusters]);
  const spec = { ...randomCluster(random, name, round), authority };
  return withCluster(world, name, spec);
};

const restamp: Change = (world, random, round) => {
  const [name, spec] = random.pick([...world.clusters]);
  return withCluster(world, name, { ...spec, stamp: round });
};

/** Other endpoints, and nothing else where they come by EDS. */
const moveEndpoints: Change = (world, random, round) => {
  const [name, spec] = random.pick([...world.clusters]);
  if (spec.kind === "aggregate") return world;
  const upstreams = spec.upstreams[0] === 0 ? [1] as const : [0] as const;
  const isEds = spec.kind === "eds" || spec.kind === "eds_service";
  const stamp = isEds ? spec.stamp : round;
  const moved = withCluster(world, name, { ...spec, stamp, upstreams });
  if (spec.service === undefined) return moved;
  const clusters = [...moved.clusters].map(([name, other]) =>
    other.service === spec.service
      ? [name, { ...other, upstreams }] as const
      : [name, other] as const
  );
  return { ...moved, clusters: new Map(clusters) };
};

const renameRoutes: Change = (world, _random, round) =>
  withRoutes(world, round, { name: `routes-${round}` });

const inlineRoutes: Change = (world, _random, round) =>
  withRoutes(world, round, { name: undefined });

const restampRoutes: Change = (world, _random, round) =>
  withRoutes(world, round, {});

const changeListener: Change = (world, _random, round) => ({
  ...world,
  listener: round,
});

const changeChain: Change = (world, _random, round) => ({
  ...world,
  chain: round,
});

const addUnused: Change = (world, random, round) => {
  const made = withNewCluster(world, random, round);
  if (!made) return world;
  return { ...made[0], unused: new Set(world.unused).add(made[1]) };
};

/** A cluster that needs a secret, too, to warm. */
const addSecured: Change = (world, random, round) => {
  // No cluster for requests has that name, which a draining listener may still send some to.
  const name = random.pick(["secured-0", "secured-1"]);
  const authority = random.pick(["ca-a", "ca-b"]);
  const spec = { ...randomCluster(random, name, round), authority };
  return {
    ...withCluster(world, name, spec),
    unused: new Set(world.unused).add(name),
  };
};

const dropUnused: Change = (world) => ({ ...world, unused: new Set() });

const toggleTls: Change = (world, random, round) => {
  if (world.tls) return { ...world, tls: undefined };
  const tls: TlsSpec = {
    name: `tls-${round}`,
    stamp: round,
    secret: random.pick(["cert-a", "cert-b"]),
    certificate: random.pick([0, 1]),
    timeout: 15,
    cluster: random.pick([...world.clusters.keys()]),
  };
  return { ...world, tls };
};

/** Changes the certificate, its name, its source, or replaces the listener by another on the same address. */
const changeTls: Change = (world, random, round) => {
  const { tls } = world;
  if (!tls) return world;
  const certificate = tls.certificate === 0 ? 1 : 0;
  const changes: Partial<TlsSpec>[] = [
    { certificate },
    { stamp: round, secret: tls.secret === "cert-a" ? "cert-b" : "cert-a" },
    { stamp: round, timeout: tls.timeout === 15 ? 16 : 15 },
    { stamp: round, name: `tls-${round}` },
  ];
  return { ...world, tls: { ...tls, ...random.pick(changes) } };
};

const toggleFilter: Change = (world, random, round) => {
  const name = random.pick(["filter-a", "filter-b"]);
  const filter = world.filter
    ? undefined
    : { name, stamp: round, timeout: random.pick([15, 16]) };
  return { ...world, filter, chain: round };
};

/** Changes the filter, its source, or replaces it by another. */
const changeFilter: Change = (world, random, round) => {
  const { filter } = world;
  if (!filter) return world;
  const other = filter.name === "filter-a" ? "filter-b" : "filter-a";
  switch (random.below(3)) {
    case 0:
      return { ...world, filter: { ...filter, stamp: round } };
    case 1: {
      const timeout = filter.timeout === 15 ? 16 : 15;
      return { ...world, chain: round, filter: { ...filter, timeout } };
    }
    default:
      return { ...world, chain: round, filter: { ...filter, name: other } };
  }
};

const CHANGES: Readonly<Record<string, Change>> = {
  replaceTarget,
  replaceAll,
  weigh,
  mirror,
  aggregate,
  shareEndpoints,
  retype,
  restamp,
  moveEndpoints,
  renameRoutes,
  inlineRoutes,
  restampRoutes,
  changeListener,
  changeChain,
  addUnused,
  addSecured,
  dropUnused,
  toggleTls,
  changeTls,
  toggleFilter,
  changeFilter,
};

/** A world and the changes that led to it. */
export interface Step {
  readonly world: World;
  readonly changes: readonly string[];
}

/** One to three random changes. One in ten goes back to the world before the last. */
export function change(
  worlds: readonly World[],
  random: Random,
  round: number,
): Step {
  if (worlds.length > 1 && random.chance(0.1)) {
    return { world: worlds.at(-2)!, changes: ["undo"] };
  }
  let world = worlds.at(-1) ?? START;
  const changes: string[] = [];
  for (let left = 1 + random.below(3); left > 0; left--) {
    const name = random.pick(Object.keys(CHANGES));
    // What a change gave up, the next one does not use.
    world = withoutUnused(CHANGES[name](world, random, round));
    changes.push(name);
  }
  return { world, changes };
}
