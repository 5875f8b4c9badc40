import type { Awaited, Blocked, BlockedReason } from "../cache/mod.ts";
import { traitsOf, TypeUrl } from "../resource/mod.ts";
import type { Reason, Restraint } from "./_restraint.ts";
import type { TypeState } from "./type_state.ts";

/** What a description is made of, beside the type and what restrains it. */
export interface BlockedContext {
  readonly types: readonly TypeState[];
  /** What the client has yet to request before the type goes on. */
  readonly awaited: () => Iterable<Awaited>;
}

/** The first of these that applies is told. */
const precedence: readonly BlockedReason[] = [
  "names_not_requested",
  "dependency_unacked",
  "dependency_nacked",
  "draining",
  "still_requested",
];

/** Says what of a type waits, and for what; undefined if nothing does. */
export function describeBlocked(
  state: TypeState,
  restraint: Restraint,
  context: BlockedContext,
): Blocked | undefined {
  const { updates, removals } = state.withheld;
  for (const reason of precedence) {
    if (updates.has(reason)) {
      return describe(state, restraint, context, reason, false);
    }
  }
  for (const reason of precedence) {
    if (removals.has(reason)) {
      return describe(state, restraint, context, reason, true);
    }
  }
  return undefined;
}

function describe(
  state: TypeState,
  restraint: Restraint,
  { types, awaited }: BlockedContext,
  reason: BlockedReason,
  removal: boolean,
): Blocked {
  const names = removal
    ? [...state.leftovers()].filter((name) =>
      (restraint.allRemovals ?? restraint.removal?.(name)) === reason
    )
    : [...state.lacking()]
      .filter((its) =>
        (restraint.allUpdates ?? restraint.update?.(its)) === reason
      )
      .map(({ name }) => name);
  const waitingFor = reason === "names_not_requested"
    ? [...awaited()]
    : [...answersAwaited(state, types, reason, removal)];
  return { reason, removal, names, waitingFor };
}

/** What the client has to answer, or has NACKed, before a type goes on. */
function* answersAwaited(
  { typeUrl }: TypeState,
  types: readonly TypeState[],
  reason: Reason,
  removal: boolean,
): Iterable<Awaited> {
  const isNack = reason === "dependency_nacked";
  if (!isNack && reason !== "dependency_unacked") return;
  const others: readonly string[] = removal
    ? traitsOf(typeUrl).dependents
    : [TypeUrl.Cluster, TypeUrl.ClusterLoadAssignment];
  for (const other of types) {
    if (!other.makesBeforeBreak || !others.includes(other.typeUrl)) continue;
    const { typeUrl, outstanding } = other;
    if (isNack) {
      const culprit = other.refusal ? other : culpritBehind(other, types);
      const refusal = culprit?.refusal;
      if (!culprit || !refusal) continue;
      yield { typeUrl: culprit.typeUrl, names: refusal.names, refusal };
    } else if (other.isInProgress) {
      yield { typeUrl, names: outstanding, refusal: undefined };
    }
  }
}

/** The type of which the client NACKed something that a type waits for, which waits itself. */
function culpritBehind(state: TypeState, types: readonly TypeState[]) {
  if (!state.withheld.updates.has("dependency_nacked")) return undefined;
  return types.find(({ typeUrl }) => typeUrl === TypeUrl.Cluster);
}
