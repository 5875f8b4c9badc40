import type { Violation } from "../../mod.ts";
import { bases } from "./_bases.ts";
import { envoyTypes, Judge, resourceOf } from "./_envoy.ts";
import { type Mutation, mutations } from "./_mutations.ts";

/** What we make of a resource, and what Envoy does. */
export interface Verdicts {
  readonly mutation: Mutation;
  /** What we find wrong with it. */
  readonly violations: readonly Violation[];
  /** Why Envoy refuses it; undefined if it does not. */
  readonly refusal: string | undefined;
}

/**
 * Asks a real Envoy about resources of which one field was changed, and compares.
 *
 * @param every asks about each so many of them only
 */
export async function compare(every = 1): Promise<Verdicts[]> {
  const registry = await envoyTypes();
  const cases = bases.flatMap((base) => mutations(base, registry))
    .filter((_, index) => index % every === 0);
  await using judge = await Judge.start(registry);
  const verdicts: Verdicts[] = [];
  for (const mutation of cases) {
    const { base, json, label } = mutation;
    const resource = resourceOf({ ...base, json }, registry);
    try {
      const refusal = await judge.ask(resource);
      verdicts.push({ mutation, violations: resource.violations, refusal });
    } catch (cause) {
      throw new Error(`no answer of Envoy's about ${label}`, { cause });
    }
  }
  return verdicts;
}

/** Verdicts, told apart. */
export interface Agreement {
  readonly bothAccept: Verdicts[];
  readonly bothRefuse: Verdicts[];
  /** What Envoy refuses for reasons of its own, which no rule says. */
  readonly onlyEnvoyRefuses: Verdicts[];
  readonly onlyWeRefuse: Verdicts[];
}

/** Tells verdicts apart. */
export function agreement(verdicts: readonly Verdicts[]): Agreement {
  const of = (ours: boolean, envoys: boolean) =>
    verdicts.filter(({ violations, refusal }) =>
      violations.length > 0 === ours && (refusal !== undefined) === envoys
    );
  return {
    bothAccept: of(false, false),
    bothRefuse: of(true, true),
    onlyEnvoyRefuses: of(false, true),
    onlyWeRefuse: of(true, false),
  };
}

/** Envoy says no more than this of a resource, and of a long one not why it refuses it. */
export function isCutShort({ refusal }: Verdicts): boolean {
  return refusal?.endsWith("...(truncated)") ?? false;
}

/** Whether Envoy's reason to refuse a resource is one of ours, to the letter. */
export function saysTheSame({ violations, refusal }: Verdicts): boolean {
  return violations.some(({ message }) => refusal!.includes(message));
}

/** Whether Envoy refuses a resource for a rule of its protos, rather than for a reason of its own. */
export function isRule({ refusal }: Verdicts): boolean {
  return refusal?.includes("Proto constraint validation failed") ?? false;
}
