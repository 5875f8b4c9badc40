import { TypeUrl } from "../../mod.ts";
import type { Clients } from "./_measure.ts";
import { type Effort, measureRounds, type Samples } from "./_rounds.ts";
import { ours, type Side, theirs } from "./_sides.ts";

/** A row of the table, and how it is measured. */
export interface Scenario {
  name: string;
  measure(effort: Effort): Promise<Samples>;
}

export const PROTOCOLS = ["sotw", "delta"] as const;
type Protocol = (typeof PROTOCOLS)[number];

const both: readonly Side[] = [ours, theirs];

function allClusters(
  protocol: Protocol,
  streams: number,
  expect: number,
): Clients {
  return {
    protocol,
    streams,
    subscriptions: [{ type: TypeUrl.Cluster, expect }],
  };
}

function* fanOut(): Iterable<Scenario> {
  for (const streams of [500, 2_000]) {
    for (const count of [1, 100, 1_000]) {
      for (const protocol of PROTOCOLS) {
        const snapshot = { do: "snapshot", content: { Cluster: count } };
        yield {
          name: `fan-out, ${protocol}, ${streams} × ${count} clusters`,
          measure: (effort) =>
            measureRounds(both, effort, {
              setup: [snapshot],
              clients: allClusters(protocol, streams, count),
              push: snapshot,
              responses: streams,
            }),
        };
      }
    }
  }
}

/** All of the table's rows, in order. */
export const scenarios: readonly Scenario[] = [
  ...fanOut(),
];
