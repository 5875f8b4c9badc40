import { emptyEndpoints, type Resource, TypeUrl } from "../resource/mod.ts";
import type { Snapshot } from "./snapshot.ts";
import type { View } from "./view.ts";

const made = new WeakMap<View, WeakMap<View, View>>();

/**
 * What is served of snapshots. An Envoy waits up to its initial fetch timeout for the endpoints of a cluster, so that a
 * cluster whose endpoints a snapshot lacks is given none.
 */
export class Served {
  readonly #emptyEndpoints: boolean;

  constructor(emptyEndpoints: boolean) {
    this.#emptyEndpoints = emptyEndpoints;
  }

  /** The set of a type that is served of a snapshot; the same object each time. */
  view(snapshot: Snapshot, typeUrl: string): View {
    const view = snapshot.view(typeUrl);
    if (!this.#emptyEndpoints || typeUrl !== TypeUrl.ClusterLoadAssignment) {
      return view;
    }
    const clusters = snapshot.view(TypeUrl.Cluster);
    const byClusters = made.get(view) ?? new WeakMap<View, View>();
    made.set(view, byClusters);
    let served = byClusters.get(clusters);
    if (!served) {
      byClusters.set(clusters, served = withEmptyEndpoints(view, clusters));
    }
    return served;
  }
}

function withEmptyEndpoints(view: View, clusters: View): View {
  const missing = new Map<string, Resource>();
  for (const cluster of clusters.resources.values()) {
    for (const { typeUrl, name } of cluster.references.references) {
      if (typeUrl !== TypeUrl.ClusterLoadAssignment) continue;
      if (!view.resources.has(name)) missing.set(name, emptyEndpoints(name));
    }
  }
  return missing.size > 0 ? view.replacing(missing) : view;
}
