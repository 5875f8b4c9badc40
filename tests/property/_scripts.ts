import fc from "fast-check";

/** What a script is made of. */
export interface Kind {
  /** The cache, as scripts write it. */
  readonly cache: string;
  /** Whether clients do as Envoy does, and ask for what refers to each other. */
  readonly follow?: boolean;
}

const { constantFrom, nat, oneof, record, tuple } = fc;
type Text = fc.Arbitrary<string>;

const clusters = ["a", "b", "c", "g:1", "g:2"];
const names = {
  Cluster: clusters,
  ClusterLoadAssignment: ["a", "b"],
  Listener: ["l", "m"],
  RouteConfiguration: ["r", "s"],
};
type Type = keyof typeof names;
const types = Object.keys(names) as Type[];

/** Some of a list's items, often several. */
function some(items: readonly string[]): fc.Arbitrary<string[]> {
  return fc.subarray([...items]);
}

/** Types whose heartbeats have no bodies in either protocol, and so say nothing that was said before. */
const refreshed: readonly Type[] = ["ClusterLoadAssignment"];

/** A resource that refers to nothing: `a`, `a=1`, now and then with a TTL. */
function plain(type: Type, name: string): Text {
  return tuple(nat(2), nat(5)).map(([content, ttl]) => {
    const hasTtl = ttl === 5 && refreshed.includes(type);
    return `${name}${content ? `=${content}` : ""}${hasTtl ? "~30" : ""}`;
  });
}

/** Changes of some types: `Cluster a=2 -b`. */
function changes(removals: boolean): Text {
  const ofType = (type: Type) =>
    tuple(
      ...names[type].map((name) =>
        oneof(
          { weight: 2, arbitrary: fc.constant("") },
          { weight: 2, arbitrary: plain(type, name) },
          {
            weight: removals ? 1 : 0,
            arbitrary: fc.constant(removals ? `-${name}` : ""),
          },
        )
      ),
    ).map((words) => [type, ...words.filter((word) => word)].join(" "));
  return oneof(
    { weight: 3, arbitrary: ofType("Cluster") },
    ...types.map((type) => ({ weight: 1, arbitrary: ofType(type) })),
  );
}

/** Everything there is, so that whatever is referred to is there. */
const consistent: Text = record({
  clusters: fc.subarray(["a", "b", "c"]),
  routes: fc.subarray(["r", "s"]),
  listeners: fc.subarray(["l", "m"]),
  picks: tuple(nat(2), nat(2), nat(2), nat(2), nat(2), nat(2), nat(2)),
}).map(({ clusters, routes, listeners, picks }) => {
  const pick = (items: readonly string[], at: number) =>
    items.length > 0 ? `->${items[at % items.length]}` : "";
  const versioned = (name: string, at: number) =>
    picks[at] ? `${name}=${picks[at]}` : name;
  return [
    "Cluster",
    ...clusters.map((name, at) => `${versioned(name, at)}->${name}`),
    "ClusterLoadAssignment",
    ...clusters.map((name, at) => versioned(name, (at + 1) % 3)),
    "Listener",
    ...listeners.map((name, at) => `${name}${pick(routes, picks[3 + at])}`),
    "RouteConfiguration",
    ...routes.map((name, at) => `${name}${pick(clusters, picks[5 + at])}`),
  ].join(" ");
});

/** Anything, whether it fits together or not. */
const anything: Text = tuple(changes(false), changes(false)).map(
  ([one, other]) =>
    one.split(" ")[0] === other.split(" ")[0] ? one : `${one} ${other}`,
);

function cacheCommands({ cache, follow }: Kind): Text {
  const node = oneof(
    { weight: 3, arbitrary: fc.constant("n1") },
    { weight: 1, arbitrary: fc.constant("n2") },
  );
  const snapshots = tuple(
    constantFrom("set", "with"),
    node,
    follow ? consistent : oneof(consistent, anything),
  ).map((words) => words.join(" "));
  const linear = oneof(
    { weight: 3, arbitrary: changes(true).map((its) => `update ${its}`) },
    { weight: 1, arbitrary: changes(false).map((its) => `replace ${its}`) },
  );
  const onDemand = oneof(
    { weight: 3, arbitrary: changes(true).map((its) => `find ${its}`) },
    { weight: 1, arbitrary: changes(true).map((its) => `find-quietly ${its}`) },
    {
      weight: 1,
      arbitrary: constantFrom(...clusters).map((its) => `invalidate ${its}`),
    },
    { weight: 1, arbitrary: fc.constant("answer") },
  );
  const [kind] = cache.split(" ");
  if (kind === "linear") return linear;
  if (kind === "on-demand") return onDemand;
  const deleted = node.map((its) => `delete ${its}`);
  const all = oneof(
    { weight: 8, arbitrary: snapshots },
    { weight: 1, arbitrary: deleted },
  );
  if (kind === "snapshot") return all;
  const other = changes(true).map((its) => `other ${its}`);
  return oneof(all, linear, onDemand, other);
}

/** What a client asks for. */
function requests({ follow }: Kind): Text {
  if (follow) {
    return constantFrom("subscribe Cluster", "subscribe Listener");
  }
  const ofType = (type: Type) => {
    const asked = type === "Cluster"
      ? [...names[type], "none", "g:*", "*"]
      : [...names[type], "none", "*"];
    const list = some(asked).map((its) => its.join(","));
    return tuple(
      constantFrom("subscribe", "subscribe", "unsubscribe"),
      oneof(
        { weight: 4, arbitrary: list },
        { weight: 1, arbitrary: constantFrom("", "*") },
      ),
    ).map(([verb, list]) => `${verb} ${type} ${list}`.trim());
  };
  return oneof(
    { weight: 4, arbitrary: ofType("Cluster") },
    ...types.map((type) => ({ weight: 1, arbitrary: ofType(type) })),
  );
}

function clientCommands(kind: Kind): Text {
  const does = oneof(
    { weight: 4, arbitrary: requests(kind) },
    { weight: 4, arbitrary: fc.constant("read") },
    { weight: 5, arbitrary: fc.constant("ack") },
    { weight: 2, arbitrary: constantFrom("nack", "nack-first") },
    { weight: 1, arbitrary: fc.constant("reconnect") },
  );
  return tuple(constantFrom(0, 0, 1), does).map((words) => words.join(" "));
}

/** Scripts of a cache and two clients. */
export function scripts(kind: Kind): fc.Arbitrary<string[]> {
  const client = tuple(
    constantFrom("sotw", "delta"),
    constantFrom("n1", "n1", "n2"),
    constantFrom("", "", kind.follow ? "" : "no-legacy-wildcard"),
  ).map(([protocol, node, option]) =>
    ["client", protocol, node, kind.follow ? "follow" : "", option]
      .filter((word) => word).join(" ")
  );
  const command = oneof(
    { weight: 4, arbitrary: cacheCommands(kind) },
    { weight: 9, arbitrary: clientCommands(kind) },
    { weight: 1, arbitrary: constantFrom("rest", "advance 20") },
  );
  // Those that follow ask for all at once, as Envoy does, so that what is referred to can be followed.
  const asks = kind.follow
    ? ["0 subscribe Cluster", "0 subscribe Listener"]
    : [];
  return tuple(
    client,
    client,
    fc.array(command, { maxLength: 24, size: "max" }),
  ).map(([one, other, commands]) => [
    `cache ${kind.cache}`,
    one,
    other,
    ...asks,
    ...commands,
  ]);
}
