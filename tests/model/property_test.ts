/**
 * Random changes at random moments, between a server and a model of an Envoy or of a gRPC client, in virtual time.
 */
import fc from "fast-check";
import { Counterexample, run } from "./_run.ts";
import { type ScriptKind, scriptKinds, scripts } from "./_scripts.ts";

/** How many times as many runs as usual. */
const factor = Number(Deno.env.get("PROPERTY_RUNS") ?? 1);
/** `PROPERTY_SEED` repeats the runs of a failure that named it, or makes others: `random` does each time. */
const wanted = Deno.env.get("PROPERTY_SEED") ?? "1";
const seed = wanted === "random" ? Date.now() % 2 ** 31 : Number(wanted);
const RUNS = 100;

/** Kinds that have counterexamples, which `open/` keeps. */
function isOpen({ client, protocol, cache, disconnects }: ScriptKind): boolean {
  return client === "grpc" && protocol === "sotw" && cache !== "default" &&
    disconnects;
}

for (const kind of scriptKinds().filter((kind) => !isOpen(kind))) {
  const { protocol, cache, client, disconnects, nacks } = kind;
  const more = [
    ...disconnects ? ["disconnects"] : [],
    ...nacks ? ["NACKs"] : [],
  ].join(" and ");
  const title = `a model of ${client} converges, ${protocol}, ${cache}` +
    (more && `, with ${more}`);
  Deno.test(title, () => check(kind));
}

function check(kind: ScriptKind) {
  fc.assert(
    fc.property(scripts(kind), (script) => {
      run(script);
    }),
    { numRuns: Math.ceil(RUNS * factor), seed, reporter: report },
  );
}

/** Says what failed as a script, shrunk, that can be saved in `testdata/`. */
function report(details: fc.RunDetails<[string[]]>) {
  if (!details.failed) return;
  const { counterexample, errorInstance, numRuns, numShrinks } = details;
  const error = errorInstance as Error;
  const conversation = error instanceof Counterexample
    ? error.conversation.join("\n")
    : error.stack;
  throw new Error(
    `after ${numRuns} runs and ${numShrinks} steps of shrinking, with PROPERTY_SEED=${seed}:\n\n` +
      `# ${error.message}\n${
        counterexample?.[0].join("\n")
      }\n\n${conversation}`,
  );
}
