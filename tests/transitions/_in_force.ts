import type { Envoy } from "../support/envoy.ts";
import { pem } from "../support/certs.ts";
import { CERTIFICATES, edsName, isEds, type Ports } from "./_snapshot.ts";
import type { World } from "./_world.ts";

/** The parts of Envoy's configuration dump that are looked at. */
interface Dump {
  dynamic_active_clusters?: { cluster: Stamped & { name: string } }[];
  dynamic_listeners?: {
    name: string;
    active_state?: { listener: Stamped & { filter_chains: Chain[] } };
  }[];
  dynamic_route_configs?: { route_config: Routes }[];
  dynamic_active_secrets?: { name: string; secret: Secret }[];
  ecds_filters?: { ecds_filter: Filter }[];
  dynamic_endpoint_configs?: { endpoint_config: Endpoints }[];
}

interface Stamped {
  metadata?: { filter_metadata: { stamp: { round: number } } };
}

interface Chain {
  name?: string;
}

interface Routes {
  name: string;
  virtual_hosts: { name: string }[];
}

interface Filter {
  name: string;
  typed_config: {
    mutations: {
      response_mutations: { append: { header: { value: string } } }[];
    };
  };
}

interface Secret {
  tls_certificate?: { certificate_chain: { inline_string: string } };
}

interface Endpoints {
  cluster_name: string;
  endpoints?: {
    lb_endpoints?: {
      endpoint: { address: { socket_address: { port_value: number } } };
    }[];
  }[];
}

/** What of a world Envoy does not have in force yet; undefined if it has everything. Clusters that it has beside do not count. */
export async function missingFrom(
  envoy: Envoy,
  world: World,
  ports: Ports,
): Promise<string | undefined> {
  const text = await envoy.admin("/config_dump?include_eds");
  const dump: Dump = {};
  for (const part of JSON.parse(text).configs as Dump[]) {
    Object.assign(dump, part);
  }
  return missingCluster(dump, world) ?? missingEndpoints(dump, world, ports) ??
    missingRoutes(dump, world) ?? missingListener(dump, world) ??
    missingSecret(dump, world) ?? missingFilter(dump, world);
}

/** The clusters that Envoy has from the control plane. */
export async function clusterNames(envoy: Envoy): Promise<string[]> {
  const page = "/config_dump?resource=dynamic_active_clusters";
  const { configs = [] } = JSON.parse(await envoy.admin(page)) as {
    configs?: { cluster: { name: string } }[];
  };
  return configs.map(({ cluster }) => cluster.name).sort();
}

function stampOf({ metadata }: Stamped): number | undefined {
  return metadata?.filter_metadata.stamp.round;
}

function missingCluster(dump: Dump, world: World): string | undefined {
  const stamps = new Map(
    dump.dynamic_active_clusters?.map(({ cluster }) =>
      [cluster.name, stampOf(cluster)] as const
    ),
  );
  for (const [name, { stamp }] of world.clusters) {
    if (stamps.get(name) !== stamp) return `cluster ${name} of round ${stamp}`;
  }
  return undefined;
}

function missingEndpoints(
  dump: Dump,
  world: World,
  ports: Ports,
): string | undefined {
  const found = new Set(
    dump.dynamic_endpoint_configs?.map(({ endpoint_config }) => {
      const { cluster_name, endpoints = [] } = endpoint_config;
      const all = endpoints.flatMap(({ lb_endpoints = [] }) => lb_endpoints);
      const list = all.map(({ endpoint }) =>
        endpoint.address.socket_address.port_value
      );
      return `${cluster_name}: ${list.sort()}`;
    }),
  );
  for (const [name, spec] of world.clusters) {
    if (!isEds(spec)) continue;
    const list = spec.upstreams.map((upstream) => ports.upstreams[upstream]);
    const expected = `${edsName(name, spec)}: ${list.sort()}`;
    if (!found.has(expected)) return `endpoints ${expected}`;
  }
  return undefined;
}

function missingRoutes(dump: Dump, { routes }: World): string | undefined {
  if (routes.name === undefined) return undefined;
  const found = dump.dynamic_route_configs?.find(({ route_config }) =>
    route_config.name === routes.name
  );
  if (found?.route_config.virtual_hosts[0].name === `stamp-${routes.stamp}`) {
    return undefined;
  }
  return `routes ${routes.name} of round ${routes.stamp}`;
}

function missingListener(dump: Dump, world: World): string | undefined {
  const active = new Map(
    dump.dynamic_listeners?.flatMap(({ name, active_state }) =>
      active_state ? [[name, active_state.listener] as const] : []
    ),
  );
  const web = active.get("web");
  const [chain] = web?.filter_chains ?? [];
  if (
    !web || stampOf(web) !== world.listener ||
    chain.name !== `stamp-${world.chain}`
  ) return `listener web of rounds ${world.listener} and ${world.chain}`;
  active.delete("web");
  const { tls } = world;
  if (tls) {
    const found = active.get(tls.name);
    if (!found || stampOf(found) !== tls.stamp) {
      return `listener ${tls.name} of round ${tls.stamp}`;
    }
    active.delete(tls.name);
  }
  if (active.size > 0) return `the removal of listener ${[...active.keys()]}`;
  return undefined;
}

function missingFilter(dump: Dump, { filter }: World): string | undefined {
  if (!filter) return undefined;
  const found = dump.ecds_filters?.some(({ ecds_filter }) => {
    const { name, typed_config } = ecds_filter;
    const [{ append }] = typed_config.mutations.response_mutations;
    return name === filter.name && append.header.value === `${filter.stamp}`;
  });
  return found ? undefined : `filter ${filter.name} of round ${filter.stamp}`;
}

function missingSecret(dump: Dump, { tls }: World): string | undefined {
  if (!tls) return undefined;
  const expected = pem(`${CERTIFICATES[tls.certificate]}.pem`);
  const found = dump.dynamic_active_secrets?.some(({ name, secret }) =>
    name === tls.secret &&
    secret.tls_certificate?.certificate_chain.inline_string === expected
  );
  return found ? undefined : `secret ${tls.secret}`;
}
