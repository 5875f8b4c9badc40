import type { View } from "../cache/mod.ts";
import { Resource, traitsOf, TypeUrl } from "../resource/mod.ts";
import type { Ledger } from "./_ledger.ts";
import type { Plan } from "./_plan.ts";
import type { Protocol, Response, Responses } from "./response.ts";

/** What a response is about, whom it is for, and what makes it. */
export interface ComposeOptions {
  readonly typeUrl: string;
  readonly view: View;
  readonly protocol: Protocol;
  readonly responses: Responses;
  /** What the client wants, and has; once it took the response. */
  readonly ledger: Ledger;
  /** Whether a caller's version is to tell which names it is of, since a poll has nothing else to say that with. */
  readonly namesVersion: boolean;
  /** The serial number of what it was sent last, which this one's is to be above. */
  readonly above: number;
}

const nothing: readonly string[] = [];

/** The response that a plan makes; undefined if that has nothing to say, unless it must. */
export function compose(
  options: ComposeOptions,
  plan: Plan,
  mustAnswer: boolean,
): Response | undefined {
  return options.protocol === "delta"
    ? composeDelta(options, plan, mustAnswer)
    : composeSotw(options, plan, mustAnswer);
}

/**
 * A response that renews what has a TTL; with all that the client has, where one that holds less is taken for less.
 * Undefined if nothing has one.
 */
export function composeHeartbeat(
  options: ComposeOptions,
): Response | undefined {
  const { typeUrl, view, protocol, responses, ledger, above } = options;
  const expiring = [...expiringOf(options)];
  if (expiring.length === 0) return undefined;
  const isSotw = protocol === "sotw";
  // Envoy drops all clusters and listeners that are not in a state-of-the-world heartbeat.
  const resources = isSotw && traitsOf(typeUrl).composition !== "partial"
    ? standingOf(options)
    : expiring;
  // With another version than it has, Envoy takes a heartbeat for news.
  const version = isSotw ? ledger.holdings.accepted : view.version;
  return responses.heartbeat({ typeUrl, view, version, resources }, above);
}

function composeDelta(
  { typeUrl, view, responses, above }: ComposeOptions,
  { lack, unknown }: Plan,
  mustAnswer: boolean,
): Response | undefined {
  // Envoy's VHDS waits for a resource of each name that it asked for: one without a body, where there is none.
  const missing = typeUrl === TypeUrl.VirtualHost ? unknown : nothing;
  const content = unknown.length > missing.length
    ? { ...lack, removed: [...lack.removed, ...unknown] }
    : lack;
  const says = content.resources.length + content.removed.length +
    missing.length;
  if (says === 0 && !mustAnswer) return undefined;
  const { version } = view;
  return responses.part(
    { typeUrl, view, version, lack: content, missing },
    above,
  );
}

function composeSotw(
  options: ComposeOptions,
  { lack, unknown, whole }: Plan,
  mustAnswer: boolean,
): Response | undefined {
  const { typeUrl, view, responses, ledger, above } = options;
  const { composition } = traitsOf(typeUrl);
  const full = composition === "full";
  // A full response says that something is gone by leaving it out, any other by an error.
  const gone = full
    ? nothing
    : lack.removed.filter((name) => ledger.wanted.names.has(name));
  const missing = gone.length > 0 ? [...unknown, ...gone] : unknown;
  // Nobody reads that a secret is missing.
  const errors = traitsOf(typeUrl).secret ? 0 : missing.length;
  const says = lack.resources.length + errors +
    (full ? lack.removed.length : 0);
  if (says === 0 && !mustAnswer) return undefined;
  const listsAll = full ||
    (composition === "complete" && lack.resources.length > 0);
  if (whole && listsAll && missing.length === 0) {
    return responses.whole(typeUrl, whole, above);
  }
  const resources = listsAll ? everything(view, ledger) : lack.resources;
  const version = versionOf(whole ?? view, options);
  return responses.part(
    { typeUrl, view, version, lack: { resources, removed: nothing }, missing },
    above,
  );
}

/** The version of what the client has after it accepts a response. */
function versionOf(
  view: View,
  { ledger, namesVersion }: ComposeOptions,
): string {
  const { wanted, holdings } = ledger;
  if (!wanted.wildcard) {
    if (!view.versionGiven) return holdings.version;
    return namesVersion ? `${view.version}+${holdings.version}` : view.version;
  }
  // That of a whole set takes all of it to find out.
  const set = holdings.base ?? view;
  // It has more than the set, and so not what the set's version stands for.
  return holdings.named.size > 0 ? `${set.version}+kept` : set.version;
}

/** All that the client is to have: what it wants of the set, and what it keeps meanwhile. */
function everything(view: View, { wanted, holdings }: Ledger): Resource[] {
  const base = holdings.base ?? view;
  const resources = wanted.wildcard ? [...base.resources.values()] : [];
  for (const held of holdings.named.values()) {
    if (held instanceof Resource) resources.push(held);
  }
  return resources;
}

/** All that the client has; the same object for all streams that have just a set. */
function standingOf(
  { view, responses, ledger }: ComposeOptions,
): readonly Resource[] {
  const { wanted, holdings } = ledger;
  const base = holdings.base ?? view;
  return wanted.wildcard && holdings.named.size === 0
    ? responses.all(base).resources
    : everything(base, ledger);
}

/** What the client has that has a TTL. */
function* expiringOf({ view, ledger }: ComposeOptions): Iterable<Resource> {
  const { wanted, holdings } = ledger;
  const { base, named } = holdings;
  if (base) yield* base.expiring.filter(({ name }) => wanted.covers(name));
  for (const [name, held] of named) {
    const resource = held instanceof Resource
      ? held
      : held === null
      ? undefined
      : view.resources.get(name);
    if (resource?.ttl !== undefined && wanted.covers(name)) yield resource;
  }
}
