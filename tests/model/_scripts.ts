import fc from "fast-check";
import { type CacheName, cacheNames } from "./_caches.ts";

/** Options of random scripts. */
export interface ScriptKind {
  readonly protocol: "sotw" | "delta";
  readonly cache: CacheName;
  readonly client: "envoy" | "grpc" | "envoy bootstrap";
  /** Whether connections end, and servers restart. */
  readonly disconnects: boolean;
  /** Whether the client rejects some resources. */
  readonly nacks: boolean;
}

/** All kinds of scripts. */
export function scriptKinds(): ScriptKind[] {
  const choices = [false, true];
  return (["sotw", "delta"] as const).flatMap((protocol) =>
    cacheNames.flatMap((cache) =>
      choices.flatMap((disconnects) =>
        choices.flatMap((nacks) =>
          (["envoy", "grpc", "envoy bootstrap"] as const).map((client) => (
            { protocol, cache, client, disconnects, nacks }
          ))
        )
      )
    )
  );
}

type Text = fc.Arbitrary<string>;

const { constantFrom, oneof, record, tuple } = fc;

const clusterNames = ["a", "b", "c"];
const routeNames = ["r", "q"];
/** Two of them have one address. */
const listenerNames = {
  envoy: ["l:port=1000", "m:port=1000", "k"],
  grpc: ["l", "k"],
};

function version(weight: number): Text {
  return oneof(
    { weight, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: constantFrom(":v=2", ":v=3") },
  );
}

function badness(nacks: boolean): Text {
  if (!nacks) return fc.constant("");
  return oneof(
    { weight: 9, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: constantFrom(":bad", ":bad", ":bad-rule") },
  );
}

/** Numbers that choose among what there is. */
const picks = fc.array(fc.nat(11), { minLength: 1, maxLength: 2 });

const clusterKinds = {
  envoy: [
    "",
    "",
    "",
    ":static",
    ":eds=shared",
    ":of",
    ":tls=s",
    ":static:tls=s",
    ":tls=t",
  ],
  grpc: ["", "", "", ":eds=shared", ":of"],
};
function nameOf(client: ScriptKind["client"]): "envoy" | "grpc" {
  return client === "grpc" ? "grpc" : "envoy";
}

const listenerExtras = {
  envoy: ["", "", "", ":tls=s", ":tls=t", ":ecds=f"],
  grpc: [""],
};

function clusters({ client, nacks }: ScriptKind) {
  return fc.array(
    record({
      name: constantFrom(...clusterNames),
      kind: constantFrom(...clusterKinds[nameOf(client)]),
      version: version(4),
      bad: badness(nacks),
      picks,
    }),
    { maxLength: 4 },
  );
}

function routes(nacks: boolean) {
  return fc.array(
    record({
      name: constantFrom(...routeNames),
      version: version(4),
      bad: badness(nacks),
      picks,
    }),
    { maxLength: 2 },
  );
}

function listeners({ client, nacks }: ScriptKind) {
  return fc.array(
    record({
      name: constantFrom(...listenerNames[nameOf(client)]),
      kind: constantFrom("rds", "rds", "inline"),
      more: constantFrom(...listenerExtras[nameOf(client)]),
      source: constantFrom("", "", "", ":wait=5"),
      version: version(4),
      bad: badness(nacks),
      picks,
    }),
    { maxLength: 2 },
  );
}

/** A consistent set of resources. */
export function sets(kind: ScriptKind): Text {
  const { nacks } = kind;
  return tuple(
    clusters(kind),
    routes(nacks),
    listeners(kind),
    fc.array(version(2), { minLength: 5, maxLength: 5 }),
    fc.array(
      oneof({ weight: 4, arbitrary: badness(nacks) }, {
        weight: 1,
        arbitrary: fc.constant("none"),
      }),
      { minLength: 4, maxLength: 4 },
    ),
  ).map(([clusters, routes, listeners, versions, flaws]) => {
    const own = byName(clusters);
    const leaves = own.filter(({ kind }) => kind !== ":of");
    const usable = own.filter(({ kind }) => kind !== ":of" || leaves.length);
    const all = usable.map(({ name }) => name);
    const clusterTexts = usable.map(({ name, kind, version, bad, picks }) => {
      const parts = pick(leaves.map(({ name }) => name), picks).join("+");
      return name + (kind === ":of" ? `:of=${parts}` : kind) + version + bad;
    });
    const routeTexts = all.length === 0
      ? []
      : byName(routes).map((its) =>
        `${its.name}:to=${
          pick(all, its.picks).join("+")
        }${its.version}${its.bad}`
      );
    const present = all.length === 0
      ? []
      : byName(routes).map(({ name }) => name);
    const ports = new Set<string>();
    const listenerTexts = byName(listeners).flatMap((its) => {
      const [, port] = its.name.split(":");
      if (port && ports.has(port)) return [];
      ports.add(port);
      const isInline = its.kind === "inline" || present.length === 0;
      if (isInline && all.length === 0) return [];
      const target = isInline
        ? `:inline=${pick(all, its.picks).join("+")}`
        : `:rds=${pick(present, its.picks)[0]}`;
      const { name, more, source, version, bad } = its;
      return [`${name}${target}${more}${source}${version}${bad}`];
    });
    const texts = [...clusterTexts, ...routeTexts, ...listenerTexts].join(" ");
    const has = (prop: string) => new RegExp(`:${prop}\\b`).test(texts);
    const endpoints = [
      ...usable.filter(({ kind }) => ["", ":tls=s", ":tls=t"].includes(kind))
        .map(({ name }, index) => name + versions[index % 2]),
      ...has("eds=shared") ? [`shared${versions[1]}`] : [],
    ].flatMap((text, index) => {
      const flaw = flaws[index % flaws.length];
      // Some are missing, where the cache puts empty ones in their place.
      if (flaw === "none") return kind.cache === "linear" ? [text] : [];
      return [text + flaw];
    });
    const secrets = ["s", "t"].filter((its) => has(`tls=${its}`))
      .map((name, index) => name + versions[2 + index]);
    return [
      section("Cluster", clusterTexts),
      section("Endpoints", endpoints),
      section("Listener", listenerTexts),
      section("Route", present.length > 0 ? routeTexts : []),
      section("Secret", secrets),
      section("Extension", has("ecds=f") ? [`f${versions[4]}`] : []),
    ].filter((text) => text).join(" ");
  });
}

function section(type: string, texts: readonly string[]): string {
  return texts.length > 0 ? `${type} ${texts.join(" ")}` : "";
}

function pick(names: readonly string[], picks: readonly number[]): string[] {
  return [...new Set(picks.map((index) => names[index % names.length]))];
}

function byName<T extends { name: string }>(all: readonly T[]): T[] {
  return [...new Map(all.map((its) => [its.name, its])).values()];
}

/** Random scripts: sets of resources, and messages that arrive in between. */
export function scripts(kind: ScriptKind): fc.Arbitrary<string[]> {
  const { disconnects } = kind;
  // Without an order, a listener may come before the clusters of its own routes, which Envoy rejects for good.
  const set = sets(kind).filter((text) =>
    kind.cache !== "default" || !text.includes(":inline")
  ).map((text) => `set ${text}`.trim());
  const command = oneof(
    { weight: 3, arbitrary: set },
    { weight: 8, arbitrary: fc.constant("request") },
    { weight: 8, arbitrary: fc.constant("response") },
    { weight: 1, arbitrary: constantFrom("stall", "flow") },
    { weight: 2, arbitrary: fc.constant("rest") },
    { weight: 1, arbitrary: constantFrom("advance 100", "advance 1000") },
    { weight: 1, arbitrary: fc.constant("drain") },
    ...disconnects
      ? [{
        weight: 2,
        arbitrary: constantFrom(
          "disconnect",
          "disconnect",
          "restart",
          "connect",
          "connect",
        ),
      }]
      : [],
  );
  return tuple(
    set,
    fc.array(command, { maxLength: 30, size: "max" }),
  ).map(([first, commands]) => [
    `options ${kind.protocol} ${kind.cache} ${kind.client}`,
    first,
    "connect",
    ...commands,
    "rest",
    "drain",
  ]);
}
