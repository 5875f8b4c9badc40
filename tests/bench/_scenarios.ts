import { churnCase } from "./_churn.ts";
import { connectCase, stormCase } from "./_connect.ts";
import { perSlowClient, perStream } from "./_memory.ts";
import type { Clients, Effort, Samples, Side } from "./_measure.ts";
import { roundsCase } from "./_rounds.ts";
import { setCase } from "./_set.ts";
import { bare, observed, ours, theirs } from "./_sides.ts";
import { type Column, columns } from "./_table.ts";
import { TypeUrl } from "../../mod.ts";

/** A row of a table, and how it is measured. */
export interface Scenario {
  name: string;
  /** Who is measured: us and whom we are compared with. */
  sides: readonly [Side, Side];
  measure(sides: readonly Side[], effort: Effort): Promise<Samples>;
}

/** A table. */
export interface Table {
  title: string;
  columns: readonly Column[];
  rows: readonly Scenario[];
}

const both = [ours, theirs] as const;
const protocols = ["sotw", "delta"] as const;
type Protocol = (typeof protocols)[number];

function all(
  name: (protocol: Protocol) => string,
  measure: (protocol: Protocol) => Scenario["measure"],
): Scenario[] {
  return protocols.map((protocol) => ({
    name: name(protocol),
    sides: both,
    measure: measure(protocol),
  }));
}

function clusters(
  protocol: Protocol,
  streams: number,
  expect: number,
): Clients {
  const subscriptions = [{ type: TypeUrl.Cluster, expect }];
  return { protocol, streams, subscriptions };
}

function endpoints(
  protocol: Protocol,
  streams: number,
  count: number,
  of = 0,
): Clients {
  const type = TypeUrl.ClusterLoadAssignment;
  const subscriptions = [
    { type, prefix: "cluster-", count, of, expect: count },
  ];
  return { protocol, streams, subscriptions };
}

/** A new version of all clusters, for everybody. */
export function fanOut(protocol: Protocol, streams: number, count: number) {
  const snapshot = { do: "snapshot", content: { Cluster: count } };
  return {
    setup: [snapshot],
    clients: clusters(protocol, streams, count),
    push: snapshot,
    responses: streams,
  };
}

const sizes = [500, 2_000].flatMap((streams) =>
  [1, 100, 1_000].map((count) => ({ streams, count }))
);

const fanOuts: Scenario[] = [
  ...sizes.flatMap(({ streams, count }) =>
    all(
      (protocol) => `${protocol}, ${streams} streams × ${count} clusters`,
      (protocol) => roundsCase(fanOut(protocol, streams, count)),
    )
  ),
  ...[1, 100, 1_000].map((count): Scenario => ({
    name:
      `sotw, 500 streams × ${count} clusters, *beside \`node:http2\` alone*`,
    sides: [ours, bare],
    measure: roundsCase(fanOut("sotw", 500, count)),
  })),
];

const growth = [100, 1_000, 5_000].flatMap((streams) =>
  all(
    (protocol) =>
      `${protocol}, ${streams} streams × 100 clusters, CPU a stream in µs`,
    (protocol) =>
      roundsCase(fanOut(protocol, streams, 100), (sample) => ({
        ...sample,
        cpu: sample.cpu! * 1_000 / streams,
      })),
  )
);

const observers: Scenario[] = ([
  ["no observer, *beside the same*", ours],
  ["`telemetry()`, no provider", observed("telemetry")],
  ["`telemetry()`, OpenTelemetry's SDK for metrics", observed("metrics")],
  ["… for metrics and traces", observed("traces")],
] as const).map(([name, side]) => ({
  name,
  sides: [side, ours],
  measure: roundsCase(fanOut("sotw", 500, 100)),
}));

const MANY = 10_000;

const smallChanges: Scenario[] = [
  ...all(
    (protocol) => `${protocol}, SnapshotCache`,
    (protocol) =>
      roundsCase({
        setup: [{ do: "snapshot", content: { Cluster: MANY } }],
        clients: clusters(protocol, 500, MANY),
        push: { do: "change", type: "Cluster", from: 7, count: 1 },
        responses: 500,
      }),
  ),
  ...all(
    (protocol) => `${protocol}, LinearCache`,
    (protocol) =>
      roundsCase({
        setup: [{ do: "linear", type: "Cluster", count: MANY }],
        clients: clusters(protocol, 500, MANY),
        push: { do: "update", type: "Cluster", from: 7, count: 1 },
        responses: 500,
      }),
  ),
];

/** Changes that nobody asked for are so cheap that many are measured at a time. */
const AT_A_TIME = 1_000;

const unrelated: Scenario[] = [
  { name: "none", from: MANY, count: 1, responses: 0, times: AT_A_TIME },
  {
    name: "none, resources made before",
    from: MANY,
    count: 1,
    responses: 0,
    times: AT_A_TIME,
    made: true,
  },
  { name: "one", from: 7, count: 1, responses: 1, times: 1 },
  { name: "all", from: 0, count: MANY, responses: 1_000, times: 1 },
].flatMap(({ name, from, count, responses, times, made }) =>
  all(
    (protocol) => `${protocol}, concerns ${name}`,
    (protocol) => {
      const type = "ClusterLoadAssignment";
      const rounds = {
        setup: [{ do: "linear", type, count: MANY }],
        clients: endpoints(protocol, 1_000, 10, MANY),
        push: { do: "update", type, from, count, times, made },
        responses,
      };
      return roundsCase(rounds, (sample) => ({
        ...sample,
        cpu: sample.cpu! / times,
      }));
    },
  )
);

const groups = all(
  (protocol) => `${protocol}, 1000 keys × 100 clusters`,
  (protocol) =>
    roundsCase({
      setup: [{ do: "snapshot", content: { Cluster: 100 }, keys: 1_000 }],
      clients: { ...clusters(protocol, 1_000, 100), node: "" },
      push: { do: "snapshot", content: { Cluster: 100 } },
      responses: 1_000,
    }),
);

const slow = all(
  (protocol) => `${protocol}, 500 streams × 1000 clusters`,
  (protocol) => {
    const { clients, ...rest } = fanOut(protocol, 500, 1_000);
    return roundsCase({ ...rest, clients: { ...clients, slow: 1 } });
  },
);

const connects: Scenario[] = [
  ...protocols.flatMap((protocol) =>
    (["at once", "after a restart", "after they were cut off"] as const).map((
      when,
    ) => ({
      name: `${protocol}, 1000 streams × 4 types, ${when}`,
      sides: both,
      measure: stormCase(protocol, when),
    }))
  ),
  {
    name: "sotw, 500 streams × 1000 clusters",
    sides: both,
    measure: connectCase(
      [{ do: "snapshot", content: { Cluster: 1_000 } }],
      clusters("sotw", 500, 1_000),
    ),
  },
  {
    name: "delta, 500 streams × 10000 clusters",
    sides: both,
    measure: connectCase(
      [{ do: "snapshot", content: { Cluster: MANY } }],
      clusters("delta", 500, MANY),
    ),
  },
];

const memory: Scenario[] = [
  ...all(
    (protocol) => `${protocol}, a stream at rest, of 5000`,
    (protocol) => perStream(clusters(protocol, 5_000, 1)),
  ),
  ...all(
    (protocol) =>
      `${protocol}, a client that does not read 1000 clusters, of 200`,
    (protocol) => perSlowClient(clusters(protocol, 10, 1_000), 200),
  ),
];

const set: Scenario[] = [
  {
    name: "10 000 clusters, built and set anew",
    sides: both,
    measure: setCase({ do: "snapshot", content: { Cluster: MANY } }, true),
  },
  {
    name: "10 000 clusters, built before, set anew",
    sides: both,
    measure: setCase(
      { do: "snapshot", content: { Cluster: MANY }, prebuilt: true },
      false,
    ),
  },
  {
    name: "one of 10 000 clusters",
    sides: both,
    measure: setCase(
      { do: "change", type: "Cluster", from: 7, count: 1 },
      false,
    ),
  },
];

const churn = all(
  (protocol) => `${protocol}, 500 streams × 100 endpoints`,
  (protocol) => churnCase(endpoints(protocol, 500, 100)),
);

/** All tables, in order. */
export const tables: readonly Table[] = [
  { title: "Fan-out: a new version of all", columns, rows: fanOuts },
  {
    title: "Small change: 1 of 10 000 clusters, wildcard, 500 streams",
    columns,
    rows: smallChanges,
  },
  {
    title:
      "Many unrelated: 1 000 streams of 10 names of 10 000 endpoints, LinearCache",
    columns,
    rows: unrelated,
  },
  {
    title: "Endpoint churn: 100 changes a second for 10 s",
    columns: [
      ...columns.slice(0, 1),
      { title: "typically late, ms", key: "late", unit: 1, compared: true },
      { title: "at most late, ms", key: "latest", unit: 1, compared: true },
      { title: "responses", key: "responses", unit: 1, compared: true },
      ...columns.slice(2),
    ],
    rows: churn,
  },
  { title: "Connecting, to first full configuration", columns, rows: connects },
  { title: "Many groups: a set of every key", columns, rows: groups },
  {
    title: "Setting, without clients",
    columns: columns.slice(0, 4),
    rows: set,
  },
  { title: "One client more, that does not read", columns, rows: slow },
  {
    title: "Memory",
    columns: [{ title: "KB", key: "rss", unit: 1_000, compared: true }],
    rows: memory,
  },
  { title: "Growth", columns, rows: growth },
  {
    title: "Telemetry: 500 streams × 100 clusters anew, beside no observer",
    columns: columns.slice(0, 3),
    rows: observers,
  },
];
