import type { SmallWorld } from "./_explorer.ts";

/** How the worlds of an exploration are chosen. */
export interface Choice {
  readonly seed: number;
  /** How many sets follow each other. */
  readonly sets: number;
  readonly disconnects: number;
  /** Whether the client rejects one resource of one set. */
  readonly nack: boolean;
}

/** Every consistent set of at most two clusters, two listeners and two routes, of some kinds each. */
export function allSets(): string[] {
  const sets = new Set<string>();
  for (const a of ["", "a", "a:v=2", "a:static", "a:tls=s"]) {
    for (const b of ["", "b", "b:tls=s"]) {
      for (
        const l of ["", "l:inline=", "l:rds=r", "l:rds=q", "l:tls=s:rds=r"]
      ) {
        for (const k of ["", "k:rds=q", "k:rds=r"]) {
          for (const turned of [false, true]) {
            sets.add(consistent({ a, b, l, k, turned }));
          }
        }
      }
    }
  }
  return [...sets];
}

interface Kinds {
  readonly a: string;
  readonly b: string;
  readonly l: string;
  readonly k: string;
  /** Whether the routes lead the other way round. */
  readonly turned: boolean;
}

function consistent({ a, b, l, k, turned }: Kinds): string {
  const clusters = [a, b].filter((text) => text);
  const names = clusters.map(nameOf);
  const [first, last] = turned ? names.toReversed() : names;
  const listeners = names.length === 0
    ? []
    : [l.endsWith("=") ? l + first : l, k].filter((text) => text);
  const uses = (name: string) =>
    listeners.some((text) => text.includes(`rds=${name}`));
  const routes = [
    ...uses("r") ? [`r:to=${first}`] : [],
    ...uses("q") ? [`q:to=${last ?? first}`] : [],
  ];
  const endpoints = clusters.filter((text) => !text.includes("static"))
    .map(nameOf);
  const hasSecret = [...clusters, ...listeners]
    .some((text) => text.includes("tls=s"));
  return [
    ["Cluster", ...clusters],
    ["Endpoints", ...endpoints],
    ["Listener", ...listeners],
    ["Route", ...routes],
    ["Secret", ...hasSecret ? ["s"] : []],
  ].filter(({ length }) => length > 1).map((words) => words.join(" "))
    .join(" ");
}

function nameOf(text: string): string {
  return text.split(":")[0];
}

/** Random worlds, the same ones for the same seed. */
export function* smallWorlds(choice: Choice): Iterable<SmallWorld> {
  const random = generator(choice.seed);
  const all = allSets();
  for (;;) {
    const sets = Array.from(
      { length: choice.sets },
      () => all[random(all.length)],
    );
    if (choice.nack) {
      const at = random(sets.length);
      sets[at] = withBad(sets[at], random);
    }
    const { disconnects } = choice;
    for (const protocol of ["sotw", "delta"] as const) {
      yield { protocol, cache: "ads", sets, disconnects };
    }
  }
}

/** The same set with one cluster, listener or route that the client rejects. */
function withBad(set: string, random: (below: number) => number): string {
  const words = set.split(" ");
  const candidates: number[] = [];
  let type = "";
  words.forEach((word, index) => {
    if (/^[A-Z]/.test(word)) type = word;
    else if (["Cluster", "Listener", "Route"].includes(type)) {
      candidates.push(index);
    }
  });
  if (candidates.length === 0) return set;
  const at = candidates[random(candidates.length)];
  return words.map((word, index) => index === at ? `${word}:bad` : word)
    .join(" ");
}

/** Numbers below a bound, by a linear congruence. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
