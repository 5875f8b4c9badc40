import type { Blocked } from "../cache/mod.ts";
import type { Awaited, Wait } from "./events.ts";
import { dependentsOf, prerequisitesOf } from "./order.ts";
import type { TypeState } from "./type_state.ts";

/** The types of a stream. */
type Types = readonly TypeState[];

/** Make: whether the client has taken what comes before a type, which is what the type refers to. */
export function isMade(state: TypeState, types: Types): boolean {
  return others(state, prerequisitesOf, types).every((other) =>
    other.isQuiet && !needsRefused(state, other) &&
    (!other.expected || other.expected.names(types).length === 0)
  );
}

/** Before break: whether the client has taken, of the types that refer to a type, all that no longer does. */
export function mayBreak(state: TypeState, types: Types): boolean {
  return others(state, dependentsOf, types).every((other) =>
    other.isQuiet && !other.refusal
  );
}

/** Whether no request is under way any longer to what is to be removed of a type. */
export function isDrained({ drain }: TypeState): boolean {
  return drain === "none" || drain === "done";
}

/** Why a type that waits will do so until something that was refused is replaced; undefined if it may yet go on. */
export function blockedBy(state: TypeState, types: Types): Blocked | undefined {
  const unmade = unmadeBy(state, types);
  if (unmade || !state.hasLeftovers) return unmade;
  for (const other of others(state, dependentsOf, types)) {
    const { typeUrl, refusal } = other;
    const why = refusal ? { typeUrl, refusal } : unmadeBy(other, types);
    if (why) return why;
  }
  return undefined;
}

/** Type URLs of what a type may wait for. */
export function waitsFor(state: TypeState, types: Types): string[] {
  if (state.isQuiet && !state.hasLeftovers) return [];
  const relations = state.hasLeftovers
    ? [prerequisitesOf, dependentsOf]
    : [prerequisitesOf];
  return relations
    .flatMap((relation) => others(state, relation, types))
    .filter((other) => isUntaken(other, types) || other.refusal)
    .map(({ typeUrl }) => typeUrl);
}

/** What waits of a type, and for what; undefined if nothing does. */
export function waitOf(state: TypeState, types: Types): Wait | undefined {
  const removal = isMade(state, types);
  if (removal) {
    const goesOn = isDrained(state) && mayBreak(state, types);
    if (!state.hasLeftovers || goesOn) return undefined;
  }
  const names = removal
    ? [...state.leftovers()]
    : [...state.lacking()].map(({ name }) => name);
  if (names.length === 0) return undefined;
  const awaited = removal
    ? others(state, dependentsOf, types).filter((other) =>
      !other.isQuiet || other.refusal
    )
    : others(state, prerequisitesOf, types).filter((other) =>
      isUntaken(other, types) || needsRefused(state, other)
    );
  const waitingFor = awaited.map((other) => awaitedOf(other, types));
  return { removal, names, waitingFor };
}

function awaitedOf(state: TypeState, types: Types): Awaited {
  const { typeUrl, refusal, outstanding } = state;
  if (!isUntaken(state, types)) {
    return { typeUrl, names: refusal?.names ?? [], refusal };
  }
  const names = [...outstanding, ...state.expected?.names(types) ?? []];
  return { typeUrl, names, refusal: undefined };
}

/** Whether the client has yet to take something of a type: what it was sent, is about to be sent, or is to ask for. */
function isUntaken(state: TypeState, types: Types): boolean {
  return !state.isQuiet || (state.expected?.names(types).length ?? 0) > 0;
}

function unmadeBy(state: TypeState, types: Types): Blocked | undefined {
  for (const other of others(state, prerequisitesOf, types)) {
    const { typeUrl, refusal } = other;
    if (refusal && needsRefused(state, other)) return { typeUrl, refusal };
  }
  return undefined;
}

/** Whether what a client lacks of a type refers to something that it refused, and of which it has no older version. */
function needsRefused(state: TypeState, other: TypeState): boolean {
  if (!other.refusal) return false;
  for (const resource of state.lacking()) {
    const needs = resource.references.references.some(({ typeUrl, name }) =>
      typeUrl === other.typeUrl && other.isWithout(name)
    );
    if (needs) return true;
  }
  return false;
}

/** Those of the types that stand in a relation to a type which take part in make before break, as it does. */
function others(
  state: TypeState,
  relation: (typeUrl: string) => readonly string[],
  types: Types,
): Types {
  if (!state.makeBeforeBreak) return [];
  const related = relation(state.typeUrl);
  if (related.length === 0) return [];
  return types.filter((other) =>
    other.makeBeforeBreak && related.includes(other.typeUrl)
  );
}
