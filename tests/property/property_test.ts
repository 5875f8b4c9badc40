import fc from "fast-check";
import { type Kind, scripts } from "./_scripts.ts";
import { World } from "./_world.ts";

/** Ten thousand in all, unless `PROPERTY_RUNS` says how many times as many. */
const factor = Number(Deno.env.get("PROPERTY_RUNS") ?? 1);
/** `PROPERTY_SEED` repeats the runs of a failure that named it, or makes others: `random` does each time. */
const wanted = Deno.env.get("PROPERTY_SEED") ?? "1";
const seed = wanted === "random" ? Date.now() % 2 ** 31 : Number(wanted);

const kinds: readonly (Kind & { runs: number })[] = [
  { cache: "snapshot", runs: 900 },
  { cache: "snapshot crowd", runs: 200 },
  { cache: "snapshot versioned", runs: 1_000 },
  { cache: "snapshot ads", runs: 1_000 },
  { cache: "snapshot ads", follow: true, runs: 1_500 },
  { cache: "snapshot ads versioned", follow: true, runs: 500 },
  { cache: "snapshot ads at-once", follow: true, runs: 500 },
  { cache: "linear", runs: 700 },
  { cache: "linear crowd", runs: 200 },
  { cache: "linear versioned", runs: 1_000 },
  { cache: "linear mbb", runs: 500 },
  { cache: "on-demand", runs: 1_000 },
  { cache: "mux", runs: 1_000 },
];

for (const { runs, ...kind } of kinds) {
  const clients = kind.follow ? "clients that do as Envoy does" : "any clients";
  Deno.test(`whatever happens, with cache ${kind.cache} and ${clients}`, () =>
    fc.assert(
      fc.asyncProperty(scripts(kind), (script) => new World().run(script)),
      { numRuns: Math.ceil(runs * factor), seed, asyncReporter: report },
    ));
}

/** Says what failed as a script, shrunk, that can be saved in `testdata/`. */
function report(
  details: fc.RunDetails<[string[]]>,
): Promise<void> {
  if (!details.failed) return Promise.resolve();
  const { counterexample, errorInstance, numRuns, numShrinks } = details;
  const reason = errorInstance instanceof Error
    ? errorInstance.stack
    : errorInstance;
  return Promise.reject(
    new Error(
      `after ${numRuns} runs and ${numShrinks} steps of shrinking, with PROPERTY_SEED=${seed}:\n\n` +
        `# ${(errorInstance as Error).message}\n${
          counterexample?.[0].join("\n")
        }\n\n${reason}`,
    ),
  );
}
