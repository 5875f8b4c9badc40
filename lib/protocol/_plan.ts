import type { View } from "../cache/mod.ts";
import type { Resource } from "../resource/mod.ts";
import type { Due } from "./_due.ts";
import { type Held, type Holdings, isHeld } from "./_holdings.ts";
import type { Wanted } from "./_wanted.ts";
import type { Lack, Responses } from "./response.ts";

/** What a client lacks, and the names among those that it asked for of which it is to be told that there are none. */
export interface Plan {
  readonly lack: Lack;
  readonly unknown: readonly string[];
  /** Whether it is yet to be found out if there is a resource of some name that was asked for. */
  readonly undecided?: boolean;
  /** A view that holds all that the client will, where it is shared with others that lack the same. */
  readonly whole?: View;
  /** What the client had of a name before. */
  readonly before: (name: string) => Held | undefined;
  /** Whether something that the view no longer has is left with the client. */
  readonly hasLeftovers: boolean;
}

/** What a plan is made from, and noted in as done. */
export interface PlanOptions {
  readonly wanted: Wanted;
  readonly holdings: Holdings;
  readonly due: Due;
  readonly responses: Responses;
  /** Whether what the view no longer has is to be removed from the client. */
  readonly removals: boolean;
  /** Whether the cache has something newer that waits, so that nobody may be told that there is no resource of a name. */
  readonly onHold: boolean;
}

const nothing: readonly string[] = [];

/** What a client lacks of a view that wants all of it. */
export function planWildcard(view: View, options: PlanOptions): Plan {
  const { holdings, due } = options;
  if (holdings.named.size === 0) {
    if (!holdings.base) return planAll(view, options);
    if (due.forced.size === 0) {
      return planStep(view, holdings.base, options);
    }
  }
  return planBeside(view, options);
}

/** What a client lacks that has all of an older view, and nothing else. */
function planStep(view: View, base: View, options: PlanOptions): Plan {
  const { holdings, responses, removals } = options;
  const before = (name: string) => base.resources.get(name);
  const lack = responses.lack(view, base);
  if (lack.removed.length > 0 && !removals) {
    const kept = responses.keeping(view, base);
    holdings.base = kept.view;
    const whole = kept.view;
    return {
      lack: kept.lack,
      unknown: nothing,
      whole,
      before,
      hasLeftovers: true,
    };
  }
  holdings.base = view;
  return { lack, unknown: nothing, whole: view, before, hasLeftovers: false };
}

/** What a client lacks that has nothing. */
function planAll(view: View, options: PlanOptions): Plan {
  const { wanted, holdings, due, responses } = options;
  const unknown: string[] = [];
  const undecided = new Set<string>();
  for (const name of wanted.names) {
    if (!isUnknown(view, name, undefined, options)) continue;
    if (isUndecided(view, name, options)) undecided.add(name);
    else unknown.push(name);
  }
  due.looked(undefined, undecided);
  holdings.base = view;
  const lack = unknown.length === 0
    ? responses.all(view)
    : { resources: [...view.resources.values()], removed: [] };
  const before = () => undefined;
  return { lack, unknown, whole: view, before, hasLeftovers: false };
}

/** What a client lacks that has something beside a view, or is to be sent what it has. */
function planBeside(view: View, options: PlanOptions): Plan {
  const { wanted, holdings, due, removals } = options;
  const { base, named } = holdings;
  const { forced } = due;
  if (!base && forced.size + wanted.names.size === 0 && isAll(named, view)) {
    // As when a client comes back, and nothing has changed.
    due.looked();
    holdings.replace(view, new Map());
    const lack = { resources: [], removed: [] };
    const before = (name: string) => view.resources.get(name);
    return { lack, unknown: nothing, before, hasLeftovers: false };
  }
  const resources: Resource[] = [];
  const removed: string[] = [];
  const unknown: string[] = [];
  const undecided = new Set<string>();
  const before = new Map<string, Held | undefined>();
  const leftovers = new Map<string, Held>();
  const names = new Set([
    ...base ? view.since(base) : view.resources.keys(),
    // Of names that were asked for under a wildcard from the start, nothing was said yet.
    ...base ? nothing : wanted.names,
    ...forced,
    ...named.keys(),
  ]);
  for (const name of names) {
    const resource = view.resources.get(name);
    const held = holdings.of(name);
    if (resource) {
      if (!forced.has(name) && isHeld(held, resource)) continue;
      resources.push(resource);
    } else if (held) {
      const stays = !removals || isYetToBeFound(view, name, wanted);
      if (stays) leftovers.set(name, held);
      else removed.push(name);
    } else if (isUnknown(view, name, held, options)) {
      if (isUndecided(view, name, options)) undecided.add(name);
      else unknown.push(name);
    }
    before.set(name, held);
  }
  due.looked(undefined, undecided);
  holdings.replace(view, leftovers);
  return {
    lack: { resources, removed },
    unknown,
    before: (name) =>
      before.has(name) ? before.get(name) : view.resources.get(name),
    hasLeftovers: leftovers.size > 0,
  };
}

/** Whether a client has just what a view has. */
function isAll(named: ReadonlyMap<string, Held>, view: View): boolean {
  if (named.size !== view.resources.size) return false;
  for (const [name, held] of named) {
    const resource = view.resources.get(name);
    if (!resource || !isHeld(held, resource)) return false;
  }
  return true;
}

/** What a client lacks of a view that wants some names of it. */
export function planNames(view: View, options: PlanOptions): Plan {
  const { wanted, holdings, due, removals } = options;
  const { forced } = due;
  const resources: Resource[] = [];
  const removed: string[] = [];
  const unknown: string[] = [];
  const before = new Map<string, Held | undefined>();
  const later = new Set<string>();
  let undecided = false;
  let hasLeftovers = false;
  const names = due.names === "all"
    ? allNames(view, wanted, holdings)
    : due.names;
  for (const name of names) {
    if (!wanted.covers(name)) continue;
    const resource = view.resources.get(name);
    const held = holdings.named.get(name);
    if (resource) {
      if (forced.has(name) || !isHeld(held, resource)) {
        resources.push(resource);
        before.set(name, held);
      }
    } else if (held) {
      // What is yet to be found may be there after all.
      if (!removals || isYetToBeFound(view, name, wanted)) {
        hasLeftovers = true;
        later.add(name);
        continue;
      }
      removed.push(name);
      before.set(name, held);
    } else if (wanted.collections.has(name)) {
      if (isUnknown(view, name, held, options)) {
        unknown.push(name);
        before.set(name, held);
      }
    } else if (isUndecided(view, name, options)) {
      undecided = true;
      later.add(name);
      continue;
    } else if (isUnknown(view, name, held, options)) {
      unknown.push(name);
      before.set(name, held);
    }
    holdings.set(name, resource ?? null);
  }
  due.looked(later);
  return {
    lack: { resources, removed },
    unknown,
    undecided,
    before: (name) =>
      before.has(name) ? before.get(name) : view.resources.get(name),
    hasLeftovers,
  };
}

/** All names whose state may matter to a client that asks for names. */
export function* allNames(
  view: View,
  wanted: Wanted,
  holdings: Holdings,
): Iterable<string> {
  yield* wanted.names;
  if (wanted.collections.size === 0) return;
  const members = new Set<string>();
  for (const glob of wanted.collections) {
    for (const name of view.collection(glob)) members.add(name);
  }
  for (const name of holdings.named.keys()) members.add(name);
  for (const name of members) {
    if (!wanted.names.has(name)) yield name;
  }
}

/** Whether a client is to be told that there is nothing by that name. */
function isUnknown(
  view: View,
  name: string,
  held: Held | undefined,
  { due }: PlanOptions,
): boolean {
  if (view.resources.has(name)) return false;
  if (held !== undefined && !due.forced.has(name)) return false;
  return view.collection(name).size === 0;
}

function isUndecided(
  view: View,
  name: string,
  { onHold }: PlanOptions,
): boolean {
  return onHold || view.isPending(name);
}

function isYetToBeFound(view: View, name: string, wanted: Wanted): boolean {
  return wanted.names.has(name) && view.isPending(name);
}
