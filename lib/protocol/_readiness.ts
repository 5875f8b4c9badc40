import { covers } from "../cache/mod.ts";
import { type Resource, traitsOf, TypeUrl } from "../resource/mod.ts";
import type { Expectations } from "./_expectations.ts";
import type { Reason } from "./_restraint.ts";
import type { TypeState } from "./type_state.ts";

type Find = (typeUrl: string) => TypeState | undefined;
type Judge = (resource: Resource) => Reason | undefined;

/** Whether a client has what a resource sends traffic to. */
export class Readiness {
  readonly #find: Find;
  readonly #expectations: Expectations;
  readonly #awaitsClusters: () => boolean;

  /** @param awaitsClusters whether the client has yet to request clusters, which it has some of */
  constructor(
    find: Find,
    expectations: Expectations,
    awaitsClusters: () => boolean,
  ) {
    this.#find = find;
    this.#expectations = expectations;
    this.#awaitsClusters = awaitsClusters;
  }

  /** Tells why a resource of a type has to wait; undefined if none of the type has. */
  of(state: TypeState): Judge | undefined {
    if (!state.makesBeforeBreak) return undefined;
    if (state.typeUrl === TypeUrl.Cluster) return this.#aggregates(state);
    if (!traitsOf(state.typeUrl).routes) return undefined;
    const clusters = this.#find(TypeUrl.Cluster);
    if (!clusters) {
      if (!this.#awaitsClusters()) return undefined;
      return (resource) => {
        const [cluster] = this.#clustersOf(resource);
        return cluster === undefined ? undefined : "names_not_requested";
      };
    }
    if (!clusters.makesBeforeBreak) return undefined;
    const endpoints = this.#find(TypeUrl.ClusterLoadAssignment);
    const isAtRest = (other: TypeState | undefined) =>
      !other || (!other.isInProgress && !other.refusal);
    if (
      isAtRest(clusters) && isAtRest(endpoints) &&
      !this.#expectations.concerns(TypeUrl.ClusterLoadAssignment)
    ) return undefined;
    const known = new Map<string, Reason | undefined>();
    const judge = (name: string) => {
      if (!known.has(name)) {
        known.set(name, this.#cluster(name, clusters, endpoints));
      }
      return known.get(name);
    };
    return (resource) => {
      // A listener that was sent serves nothing until it has its routes; of a cluster that these lack, requests fail.
      const isNeeded = state.typeUrl !== TypeUrl.Listener &&
        !state.has(resource.name);
      for (const name of this.#clustersOf(resource)) {
        const reason = judge(name);
        if (reason === "dependency_nacked" && isNeeded) continue;
        if (reason) return reason;
      }
      return undefined;
    };
  }

  /** A cluster that the client has is changed to an aggregate of others once it has these. */
  #aggregates(clusters: TypeState): Judge {
    const endpoints = this.#find(TypeUrl.ClusterLoadAssignment);
    return (cluster) => {
      for (const { typeUrl, name } of cluster.references.references) {
        if (typeUrl !== TypeUrl.Cluster || name === cluster.name) continue;
        if (!clusters.has(cluster.name)) return undefined;
        const reason = this.#cluster(name, clusters, endpoints);
        if (reason) return reason;
      }
      return undefined;
    };
  }

  /** Clusters that a resource sends traffic to, by itself or by routes that the client does not have yet. */
  *#clustersOf(resource: Resource): Iterable<string> {
    for (const reference of resource.references.references) {
      const { typeUrl, name, onDemand } = reference;
      if (typeUrl === TypeUrl.Cluster) yield name;
      if (onDemand || !traitsOf(typeUrl).routes) continue;
      const routes = this.#find(typeUrl);
      if (!routes || routes.has(name)) continue;
      const nested = routes.view?.resources.get(name);
      for (const { typeUrl, name } of nested?.references.references ?? []) {
        if (typeUrl === TypeUrl.Cluster) yield name;
      }
    }
  }

  /** Why nothing may be sent that sends traffic to a cluster; undefined if it may. */
  #cluster(
    name: string,
    clusters: TypeState,
    endpoints: TypeState | undefined,
  ): Reason | undefined {
    const cluster = clusters.view?.resources.get(name);
    // What is not to be had is not waited for; nor is what the client requests only once it has routes to it.
    if (!cluster || !covers(clusters.subscription, name)) return undefined;
    if (clusters.nackedWithoutOlder(cluster)) return "dependency_nacked";
    if (!clusters.isAcked(cluster)) return reasonOf(clusters);
    if (!endpoints?.makesBeforeBreak) return undefined;
    for (const { typeUrl, name } of cluster.references.references) {
      if (typeUrl !== TypeUrl.ClusterLoadAssignment) continue;
      const assignment = endpoints.view?.resources.get(name);
      if (!assignment) continue;
      if (!covers(endpoints.subscription, name)) {
        if (this.#expectations.expects(endpoints, name)) {
          return "names_not_requested";
        }
      } else if (
        !endpoints.nackedWithoutOlder(assignment) &&
        !endpoints.isAcked(assignment)
      ) return reasonOf(endpoints);
    }
    return undefined;
  }
}

/** Why the client has not acknowledged something of a type: it has yet to, or what it NACKed holds that up. */
function reasonOf({ isInProgress, withheld }: TypeState): Reason {
  const isNacked = !isInProgress && withheld.updates.has("dependency_nacked");
  return isNacked ? "dependency_nacked" : "dependency_unacked";
}
