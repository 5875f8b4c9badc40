import { type Resource, shortName } from "../resource/mod.ts";
import type { Blocked, Client, Refusal, ResourceState } from "./cache.ts";
import type { Quarantined } from "./validation.ts";

/** Why a client has a resource, or has it not. */
export interface Explanation {
  /**
   * - `"no snapshot"`: none is set for the key
   * - `"no client"`: none of the key is connected, or not the one that was asked about
   * - `"not in the snapshot"`, and the client was not sent it, or was told that it is gone
   * - `"not in the cache"`: the same, of a cache that has no snapshots
   * - `"looked up"`: an `OnDemandCache` does not know yet if there is one
   * - `"quarantined"`: it breaks a rule of Envoy's protos, and there is no good form of it to serve
   * - `"not subscribed"`: the client does not ask for it
   * - `"blocked"`: it waits for what `blocked` says
   * - `"pending"`: it is sent as soon as the client has read, or answered, what came before
   * - `"sent"`: sent and not answered
   * - `"refused"`: the client refused it, as `refusal` says
   * - `"superseded"`: the client has an older version, and is not sent the newer for now
   * - `"acknowledged"`: the client has it
   */
  readonly reason:
    | "no snapshot"
    | "no client"
    | "not in the snapshot"
    | "not in the cache"
    | "looked up"
    | "quarantined"
    | "not subscribed"
    | "blocked"
    | "pending"
    | "sent"
    | "refused"
    | "superseded"
    | "acknowledged";
  /** The client; undefined if none is connected and none was asked about. */
  readonly client: Client | undefined;
  /** The version of the resource that is served; undefined if there is none. */
  readonly version: string | undefined;
  /** The version that the client was sent last; undefined if it was sent none. */
  readonly sent: string | undefined;
  /** When the last response of the type was sent, in milliseconds since 1970; undefined if none was. */
  readonly sentAt: number | undefined;
  /** What it waits for; undefined if it does not. */
  readonly blocked: Blocked | undefined;
  /** Why the client refused it, or what it depends on. */
  readonly refusal: Refusal | undefined;
  /** What is not served, since it breaks a rule; the rest is about its last good form. Undefined if nothing is in quarantine. */
  readonly quarantined?: Quarantined;
  /** All of it in a sentence. */
  readonly message: string;
}

/** What is known of a resource and a client. */
export interface Facts {
  readonly typeUrl: string;
  readonly name: string;
  readonly resource: Resource | undefined;
  /** What has the resource, or has it not. */
  readonly where: "snapshot" | "cache";
  readonly client: Client;
  /** Undefined if the client does not ask for the type. */
  readonly state: ResourceState | undefined;
  readonly sentAt: number | undefined;
  /** What of the type waits, and for what. */
  readonly blocked?: Blocked;
  /** Whether it is not known yet if there is one. */
  readonly isPending?: boolean;
}

/** Says of a resource where no client can have it. */
export function explainAbsence(
  typeUrl: string,
  name: string,
  reason: "no snapshot" | "no client",
  { version, client, ofKey = true }: {
    version?: string;
    client?: Client;
    /** Whether the cache has groups. */
    ofKey?: boolean;
  } = {},
): Explanation {
  const what = `${shortName(typeUrl)} ${JSON.stringify(name)}`;
  const nobody = client
    ? `node ${JSON.stringify(client.node.id)} is not connected`
    : `no client${ofKey ? " of the key" : ""} is connected`;
  const why = reason === "no client" ? nobody : "the key has no snapshot";
  return {
    reason,
    client,
    version,
    sent: undefined,
    sentAt: undefined,
    blocked: undefined,
    refusal: undefined,
    message: `${what}: ${why}`,
  };
}

/** Says why a client has a resource, or has it not. */
export function explain(facts: Facts): Explanation {
  const { typeUrl, name, resource, where, client, state, sentAt } = facts;
  const { isPending = false } = facts;
  const what = `${shortName(typeUrl)} ${JSON.stringify(name)}`;
  const who = `node ${JSON.stringify(client.node.id)}`;
  const version = resource?.version;
  const sent = state?.version;
  const say = (
    reason: Explanation["reason"],
    clause: string,
    more: Partial<Pick<Explanation, "blocked" | "refusal">> = {},
  ): Explanation => ({
    reason,
    client,
    version,
    sent,
    sentAt,
    blocked: more.blocked,
    refusal: more.refusal,
    message: `${what}: ${who} ${clause}`,
  });
  if (!state || state.state === "unsubscribed") {
    return say("not subscribed", "has not asked for it");
  }
  const time = sentAt === undefined ? "" : ` at ${isoTime(sentAt)}`;
  if (state.state === "sent") {
    const sentAs = sent === undefined ? "that it is gone" : `version ${sent}`;
    return say("sent", `was sent ${sentAs}${time}, and has not answered`);
  }
  if (state.state === "refused") {
    const { refusal } = state;
    const what = sent === undefined ? "the removal" : `version ${sent}`;
    const clause = `refused ${what}: ${refusal?.message}`;
    return say("refused", clause, { refusal });
  }
  if (state.state === "accepted" && resource && sent === version) {
    return say("acknowledged", `has acknowledged version ${version}`);
  }
  const gone = resource ? "" : `; the ${where} no longer has it`;
  const has = sent === undefined
    ? "has not been sent it"
    : `has version ${sent}`;
  if (isPending && !resource) {
    return say("looked up", `${has}: it is not known yet if there is one`);
  }
  if (!resource && state.state !== "accepted") {
    return say(
      where === "snapshot" ? "not in the snapshot" : "not in the cache",
      `cannot have it: it is not in the ${where}`,
    );
  }
  const { blocked } = facts;
  if (blocked?.names.includes(name)) {
    const refusal = blocked.waitingFor.find(({ refusal }) => refusal)?.refusal;
    const clause = `${has}${gone}: ${whyBlocked(blocked)}`;
    return say("blocked", clause, { blocked, refusal });
  }
  if (sent !== undefined) {
    const next = resource
      ? `version ${version} supersedes it`
      : "it is removed";
    return say(
      "superseded",
      `${has}; ${next} as soon as the client reads and answers`,
    );
  }
  return say(
    "pending",
    "is about to be sent it, as soon as it reads and answers what came before",
  );
}

/** What is known of a resource, and that the newest form of it is in quarantine. */
export function explainQuarantine(
  known: Explanation,
  quarantined: Quarantined,
): Explanation {
  const { resource: { version }, violations: [first], kept } = quarantined;
  const isAbsent = !kept &&
    (known.reason === "not in the snapshot" ||
      known.reason === "not in the cache");
  const why = `${first.path ? `${first.path}: ` : ""}${first.message}`;
  return {
    ...known,
    reason: isAbsent ? "quarantined" : known.reason,
    quarantined,
    message: `${known.message}; version ${version} is quarantined: ${why}`,
  };
}

function whyBlocked({ reason, waitingFor }: Blocked): string {
  const names = waitingFor.flatMap(({ names }) => names);
  const types = waitingFor.map(({ typeUrl }) => shortName(typeUrl));
  const asked = names.length > 0 ? names : types;
  const refusal = waitingFor.find(({ refusal }) => refusal)?.refusal;
  switch (reason) {
    case "names_not_requested":
      return `it waits until the client requests ${asked.join(", ")}, too`;
    case "dependency_unacked":
      return `it waits until the client acknowledges ${types.join(" and ")}`;
    case "dependency_nacked":
      return `it depends on ${
        types.join(" and ")
      }, of which the client refused something: ${refusal?.message}`;
    case "draining":
      return "it is removed once existing connections are drained";
    case "still_requested":
      return "it is removed once the client no longer requests it";
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
