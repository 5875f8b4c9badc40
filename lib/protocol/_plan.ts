import type { View } from "../cache/mod.ts";
import { Resource } from "../resource/mod.ts";
import type { Due } from "./_due.ts";
import { type Held, type Holdings, isHeld } from "./_holdings.ts";
import { type Reason, type Restraint, Withheld } from "./_restraint.ts";
import type { Wanted } from "./_wanted.ts";
import type { Lack, Responses } from "./response.ts";

/** What a client had of a name before a response. */
export type Before = (name: string) => Held | undefined;

/** What to send to a client next; it is noted in the holdings as sent. */
export interface Plan {
  /** What changes for the client. */
  readonly lack: Lack;
  /** Requested names that do not exist, of which the client was not told. */
  readonly unknown: readonly string[];
  /** Whether it is not known yet if a requested name exists. */
  readonly undecided?: boolean;
  /** The set that the client has afterwards, where it is shared with other streams. */
  readonly whole?: View;
  readonly before: Before;
  /** What was left out, and why. */
  readonly withheld: Withheld;
}

/** What a plan is made from. */
export interface PlanOptions {
  readonly wanted: Wanted;
  readonly holdings: Holdings;
  readonly due: Due;
  readonly responses: Responses;
  readonly restraint: Restraint;
  /** Whether a response lists everything that the client is to have. */
  readonly listsAll: boolean;
}

const nothing: readonly string[] = [];
const noLack: Lack = { resources: [], removed: [] };

/** What a client that requests everything lacks of a set. */
export function planWildcard(view: View, options: PlanOptions): Plan {
  const { holdings, due } = options;
  const { base, named } = holdings;
  if (named.size > 0 || due.forced.size > 0) return planBeside(view, options);
  return base ? planStep(view, base, options) : planAll(view, options);
}

/** What a client lacks that has all of an older set, and nothing else. */
function planStep(view: View, base: View, options: PlanOptions): Plan {
  const { holdings, responses, restraint } = options;
  const { allUpdates, allRemovals, update, removal } = restraint;
  const before = (name: string) => base.resources.get(name);
  const withheld = new Withheld();
  const lack = responses.lack(view, base);
  const { resources, removed } = lack;
  const plan = (view: View, lack: Lack): Plan => {
    holdings.base = view;
    return { lack, unknown: nothing, whole: view, before, withheld };
  };
  if (allUpdates && resources.length > 0) withheld.update(allUpdates);
  if (allRemovals && removed.length > 0) withheld.removal(allRemovals);
  if (!allUpdates && !update) {
    if (removed.length === 0) return plan(view, lack);
    if (allRemovals) {
      // All streams in this state share the set that results.
      const kept = responses.keeping(view, base);
      return plan(kept.view, kept.lack);
    }
    if (!removal) return plan(view, lack);
  }
  const changes = new Map<string, Resource | undefined>();
  for (const resource of resources) {
    const reason = allUpdates ?? update?.(resource);
    if (!reason) continue;
    withheld.update(reason);
    changes.set(resource.name, base.resources.get(resource.name));
  }
  for (const name of removed) {
    const reason = allRemovals ?? removal?.(name);
    if (!reason) continue;
    withheld.removal(reason);
    changes.set(name, base.resources.get(name));
  }
  if (changes.size === 0) return plan(view, lack);
  if (changes.size === resources.length + removed.length) {
    return plan(base, noLack);
  }
  const mixed = responses.substituted(view, changes);
  return plan(mixed, responses.lack(mixed, base));
}

/** What a client lacks that has nothing. */
function planAll(view: View, options: PlanOptions): Plan {
  const { wanted, holdings, due, responses, restraint } = options;
  const unknown: string[] = [];
  const undecided = new Set<string>();
  for (const name of wanted.names) {
    if (!isUnknown(view, name, undefined, options)) continue;
    if (view.isPending(name)) undecided.add(name);
    else unknown.push(name);
  }
  const withheld = new Withheld();
  const changes = new Map<string, undefined>();
  const { allUpdates, update } = restraint;
  if (allUpdates || update) {
    for (const resource of view.resources.values()) {
      const reason = allUpdates ?? update?.(resource);
      if (!reason) continue;
      withheld.update(reason);
      changes.set(resource.name, undefined);
      // The client waits to hear of what it requests by name.
      if (wanted.names.has(resource.name)) undecided.add(resource.name);
    }
  }
  const before = () => undefined;
  if (changes.size > 0 && changes.size === view.resources.size) {
    // A client is told that there is nothing only if it is sent nothing later.
    if (withheld.passes) {
      return { lack: noLack, unknown: nothing, before, withheld };
    }
  }
  due.looked(undefined, undecided);
  const whole = changes.size > 0 ? responses.substituted(view, changes) : view;
  holdings.base = whole;
  const lack = unknown.length === 0
    ? responses.all(whole)
    : { resources: [...whole.resources.values()], removed: [] };
  return { lack, unknown, whole, before, withheld };
}

/** What a client lacks that has something beside a set, or is to be sent what it has. */
function planBeside(view: View, options: PlanOptions): Plan {
  const { wanted, holdings, due, restraint, responses } = options;
  const { base, named } = holdings;
  const { forced } = due;
  const withheld = new Withheld();
  if (!base && forced.size + wanted.names.size === 0 && isAll(named, view)) {
    // As when a client comes back, and nothing has changed.
    due.looked();
    holdings.replace(view, new Map());
    const before = (name: string) => view.resources.get(name);
    return { lack: noLack, unknown: nothing, before, withheld };
  }
  const { allUpdates, update, substitute } = restraint;
  const resources: Resource[] = [];
  const removed: string[] = [];
  const unknown: string[] = [];
  const stillForced = new Set<string>();
  const before = new Map<string, Held | undefined>();
  const beside = new Map<string, Held>();
  const changes = new Map<string, Resource | undefined>();
  const names = new Set([
    ...base ? view.since(base) : view.resources.keys(),
    // Of names that were asked for under a wildcard from the start, nothing was said yet.
    ...base ? nothing : wanted.names,
    ...forced.keys(),
    ...named.keys(),
  ]);
  const keep = (name: string, held: Held | undefined) => {
    const resource = view.resources.get(name);
    if (resource && isHeld(held, resource)) return;
    if (held instanceof Resource) changes.set(name, held);
    else {
      if (resource) changes.set(name, undefined);
      if (held) beside.set(name, held);
    }
  };
  for (const name of names) {
    const resource = view.resources.get(name);
    const held = holdings.of(name);
    if (resource) {
      if (!forced.has(name) && isHeld(held, resource)) continue;
      const reason = allUpdates ?? update?.(resource);
      if (reason) {
        withheld.update(reason);
        keep(name, held);
        if (forced.has(name)) stillForced.add(name);
        continue;
      }
      resources.push(resource);
    } else if (held || due.isDoubted(name)) {
      const isUndecided = wanted.names.has(name) && view.isPending(name);
      const reason = isUndecided
        ? "undecided"
        : removalReason(name, held, restraint);
      if (reason) {
        withheld.removal(reason);
        keep(name, held);
        if (forced.has(name)) stillForced.add(name);
        continue;
      }
      removed.push(name);
    } else {
      const needed = view.isPending(name) ? undefined : substitute?.(name);
      if (typeof needed === "string") {
        withheld.update(needed);
        stillForced.add(name);
        continue;
      }
      if (needed) {
        resources.push(needed);
        changes.set(name, needed);
        withheld.removal("dependency_unacked");
      } else if (isUnknown(view, name, held, options)) {
        if (view.isPending(name)) stillForced.add(name);
        else unknown.push(name);
      }
    }
    before.set(name, held);
  }
  if (options.listsAll && resources.length + removed.length > 0) {
    dropListed(stillForced, view, options);
  }
  due.looked(undefined, stillForced);
  const whole = changes.size > 0 ? responses.substituted(view, changes) : view;
  holdings.replace(whole, beside);
  return {
    lack: { resources, removed },
    unknown,
    before: (name) =>
      before.has(name) ? before.get(name) : view.resources.get(name),
    withheld,
  };
}

/** Whether a client has just what a set has. */
function isAll(named: ReadonlyMap<string, Held>, view: View): boolean {
  if (named.size !== view.resources.size) return false;
  for (const [name, held] of named) {
    const resource = view.resources.get(name);
    if (!resource || !isHeld(held, resource)) return false;
  }
  return true;
}

/** What a client lacks that requests some names of a set. */
export function planNames(view: View, options: PlanOptions): Plan {
  const { wanted, holdings, due } = options;
  const resources: Resource[] = [];
  const removed: string[] = [];
  const unknown: string[] = [];
  const before = new Map<string, Held | undefined>();
  const later = new Set<string>();
  const stillForced = new Set<string>();
  const withheld = new Withheld();
  let undecided = false;
  const names = due.names === "all"
    ? new Set([...allNames(view, wanted, holdings), ...due.forced.keys()])
    : due.names;
  for (const name of names) {
    if (!wanted.covers(name)) continue;
    const held = holdings.named.get(name);
    const verdict = judge(view, name, held, options);
    switch (verdict.kind) {
      case "wait":
        if (verdict.removal) withheld.removal(verdict.reason);
        else if (verdict.reason === "undecided") undecided = true;
        else withheld.update(verdict.reason);
        later.add(name);
        if (due.forced.has(name)) stillForced.add(name);
        continue;
      case "send":
        resources.push(verdict.resource);
        before.set(name, held);
        holdings.set(name, verdict.resource);
        if (verdict.retained) {
          // It is removed once the client no longer needs it.
          withheld.removal("dependency_unacked");
          later.add(name);
        }
        continue;
      case "remove":
        removed.push(name);
        before.set(name, held);
        break;
      case "unknown":
        unknown.push(name);
        before.set(name, held);
        break;
    }
    holdings.set(name, view.resources.get(name) ?? null);
  }
  if (options.listsAll && resources.length + removed.length > 0) {
    dropListed(stillForced, view, options);
  }
  due.looked(later, stillForced);
  return {
    lack: { resources, removed },
    unknown,
    undecided,
    before: (name) =>
      before.has(name) ? before.get(name) : view.resources.get(name),
    withheld,
  };
}

/** What a client is to be told of one name. */
type Verdict =
  | { kind: "nothing" | "remove" | "unknown" }
  /** `retained` if the newest set does not have it. */
  | { kind: "send"; resource: Resource; retained?: boolean }
  | { kind: "wait"; reason: Reason; removal: boolean };

function judge(
  view: View,
  name: string,
  held: Held | undefined,
  options: PlanOptions,
): Verdict {
  const { wanted, due, restraint } = options;
  const { allUpdates, update } = restraint;
  const resource = view.resources.get(name);
  const isForced = due.forced.has(name);
  if (resource) {
    if (!isForced && isHeld(held, resource)) return { kind: "nothing" };
    const reason = allUpdates ?? update?.(resource);
    return reason
      ? { kind: "wait", reason, removal: false }
      : { kind: "send", resource };
  }
  if (held || due.isDoubted(name)) {
    const isUndecided = wanted.names.has(name) && view.isPending(name);
    const reason = isUndecided
      ? "undecided"
      : removalReason(name, held, restraint);
    if (!reason) return { kind: "remove" };
    // The client requests again what it needs until the removal.
    return isForced && !due.isDoubted(name) && held instanceof Resource
      ? { kind: "send", resource: held, retained: true }
      : { kind: "wait", reason, removal: true };
  }
  const isPending = view.isPending(name);
  const needed = isPending ? undefined : restraint.substitute?.(name);
  if (typeof needed === "string") {
    return { kind: "wait", reason: needed, removal: false };
  }
  if (needed) return { kind: "send", resource: needed, retained: true };
  // Of a member of a collection that the client was never sent, nothing is said.
  const isNews = wanted.names.has(name) &&
    isUnknown(view, name, held, options);
  if (!wanted.collections.has(name) && isPending) {
    return { kind: "wait", reason: "undecided", removal: false };
  }
  return { kind: isNews ? "unknown" : "nothing" };
}

/** Why a removal must wait. What a client may not have is removed at once, unless it NACKed that. */
function removalReason(
  name: string,
  held: Held | undefined,
  { allRemovals, removal }: Restraint,
): Reason | undefined {
  if (held) return allRemovals ?? removal?.(name);
  return removal?.(name) === "nacked" ? "nacked" : undefined;
}

/**
 * Takes out of the names that are still to be sent whatever the client has those of which a response that lists everything
 * leaves nothing to say: it holds what the client is to have of them, or leaves them out.
 */
function dropListed(names: Set<string>, view: View, options: PlanOptions) {
  const { holdings, due } = options;
  for (const name of names) {
    const resource = view.resources.get(name);
    const held = holdings.of(name);
    const isListed = resource && isHeld(held, resource);
    const isLeftOut = due.isDoubted(name) && !(held instanceof Resource);
    if (isListed || isLeftOut) names.delete(name);
  }
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
