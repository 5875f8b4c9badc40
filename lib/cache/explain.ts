import { type Resource, shortName } from "../resource/mod.ts";
import type { Client, Refusal, ResourceState } from "./cache.ts";
import type { TypeStatus } from "./snapshot_cache.ts";
import type { Quarantined } from "./validation.ts";

/** Why a client has a resource, or has it not. */
export interface Explanation {
  /**
   * - `"no snapshot"`: none is set for the key
   * - `"no client"`: none of the key is connected
   * - `"not in the snapshot"`, and the client was not sent it, or was told that it is gone
   * - `"quarantined"`: it breaks a rule of Envoy's protos, and there is no good form of it to serve
   * - `"not subscribed"`: the client does not ask for it
   * - `"held"`: it waits until the client has asked for the names in `waitingFor`
   * - `"waits for answers"`: it waits until the client has answered something of the types in `waitingFor`
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
    | "quarantined"
    | "not subscribed"
    | "held"
    | "waits for answers"
    | "pending"
    | "sent"
    | "refused"
    | "superseded"
    | "acknowledged";
  /** The client; undefined if none is connected. */
  readonly client: Client | undefined;
  /** The resource's version in the snapshot; undefined if it is not in it. */
  readonly version: string | undefined;
  /** The version that the client was sent last; undefined if it was sent none. */
  readonly sent: string | undefined;
  /** When the last response of the type was sent, in milliseconds since 1970; undefined if none was. */
  readonly sentAt: number | undefined;
  /** Names, or type URLs, that are waited for. */
  readonly waitingFor: readonly string[];
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
  readonly client: Client;
  /** Where the client stands with the type; undefined if it did not ask for it. */
  readonly type: TypeStatus | undefined;
  readonly state: ResourceState | undefined;
  readonly sentAt: number | undefined;
}

/** Says of a resource where no client can have it. */
export function explainAbsence(
  typeUrl: string,
  name: string,
  reason: "no snapshot" | "no client",
  version?: string,
): Explanation {
  const what = `${shortName(typeUrl)} ${JSON.stringify(name)}`;
  const why = reason === "no client"
    ? "no client of the key is connected"
    : "the key has no snapshot";
  return {
    reason,
    client: undefined,
    version,
    sent: undefined,
    sentAt: undefined,
    waitingFor: [],
    refusal: undefined,
    message: `${what}: ${why}`,
  };
}

/** Says why a client has a resource, or has it not. */
export function explain(facts: Facts): Explanation {
  const { typeUrl, name, resource, client, type, state, sentAt } = facts;
  const what = `${shortName(typeUrl)} ${JSON.stringify(name)}`;
  const who = `node ${JSON.stringify(client.node.id)}`;
  const version = resource?.version;
  const sent = state?.version;
  const say = (
    reason: Explanation["reason"],
    clause: string,
    more: Partial<Pick<Explanation, "waitingFor" | "refusal">> = {},
  ): Explanation => ({
    reason,
    client,
    version,
    sent,
    sentAt,
    waitingFor: more.waitingFor ?? [],
    refusal: more.refusal,
    message: `${what}: ${who} ${clause}`,
  });
  if (!type || !state || state.state === "unsubscribed") {
    return say("not subscribed", "has not asked for it");
  }
  const time = sentAt === undefined ? "" : ` at ${isoTime(sentAt)}`;
  if (state.state === "sent") {
    const sentAs = sent === undefined ? "that it is gone" : `version ${sent}`;
    return say("sent", `was sent ${sentAs}${time}, and has not answered`);
  }
  if (state.state === "refused" && (!resource || sent === version)) {
    const { refusal } = state;
    const clause = `refused version ${sent}: ${refusal?.message}`;
    return say("refused", clause, { refusal });
  }
  if (state.state === "accepted" && resource && sent === version) {
    return say("acknowledged", `has acknowledged version ${version}`);
  }
  const gone = resource ? "" : "; the snapshot no longer has it";
  const has = sent === undefined
    ? "has not been sent it"
    : `has version ${sent}`;
  if (!resource && state.state !== "accepted") {
    return say(
      "not in the snapshot",
      "cannot have it: it is not in the snapshot",
    );
  }
  if (type.state === "held") {
    const waitingFor = [...type.waitingFor];
    const clause = `${has}${gone}: it waits until the client asks for ${
      waitingFor.join(", ")
    }, too`;
    return say("held", clause, { waitingFor });
  }
  const blocked = type.blocked?.refusal;
  if (state.waitsFor.length > 0) {
    const waitingFor = state.waitsFor;
    const answers = waitingFor.map(shortName).join(" and ");
    const clause = `${has}${gone}: what is next waits for ${answers}${
      blocked ? `, of which it refused something: ${blocked.message}` : ""
    }`;
    return say("waits for answers", clause, { waitingFor, refusal: blocked });
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
  const isAbsent = !kept && known.reason === "not in the snapshot";
  const why = `${first.path ? `${first.path}: ` : ""}${first.message}`;
  return {
    ...known,
    reason: isAbsent ? "quarantined" : known.reason,
    quarantined,
    message: `${known.message}; version ${version} is quarantined: ${why}`,
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
