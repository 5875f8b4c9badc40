import { Code } from "@connectrpc/connect";
import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { BlockedReason, Peer, Refusal } from "../cache/mod.ts";
import { shortName } from "../resource/mod.ts";
import { safe, short } from "./_log_text.ts";
import type { BlockedEvent, ServerEvent } from "./events.ts";
import type { LogLevel, LogRecord } from "./log.ts";

/** How much an event of a stream matters. */
export function levelOf(event: ServerEvent): LogLevel {
  switch (event.kind) {
    case "nack":
    case "refuse":
    case "stall":
    case "not_requested":
    case "unserved":
      return "warn";
    case "limit":
      // To wait for one's turn is no fault of anybody's.
      return event.limit === "admissionsPerSecond" ? "info" : "warn";
    case "blocked":
      return event.waitingFor.some(({ refusal }) => refusal) ? "warn" : "debug";
    case "close":
      // A client that goes away without a word is an everyday thing.
      return event.code === 0 || event.code === Code.Canceled ? "info" : "warn";
    case "open":
    case "node":
      return "info";
    default:
      return "debug";
  }
}

/** What is kept of an event. */
export interface Settings {
  readonly names: number;
  readonly isSecret: (typeUrl: string) => boolean;
}

/** What a record says of an event, beside whom it is of. */
export type Fields =
  & Omit<
    Partial<LogRecord>,
    "level" | "message" | "event" | "stream" | "protocol" | "peer"
  >
  & { sentence: (who: string, type: string) => string };

/** What a record says of an event of a stream. */
export function describe(event: ServerEvent, settings: Settings): Fields {
  const listed = (names: Iterable<string>) =>
    [...names].slice(0, settings.names).map(short);
  const said = (message: string, typeUrl: string) =>
    settings.isSecret(typeUrl) ? "[redacted]" : safe(message);
  switch (event.kind) {
    case "open":
      return { sentence: (who) => `${who} opened a stream` };
    case "node":
      return {
        sentence: (who) => `${who} ${event.previous ? "is now it" : "is here"}`,
      };
    case "request": {
      const { nonce, names, bytes, error, typeUrl } = event;
      return {
        ...nonce && { nonce: short(nonce) },
        nameCount: names,
        bytes,
        ...error && { error: said(error.message, typeUrl) },
        sentence: (who, type) => `${who} sent a request for${type}`,
      };
    }
    case "subscribe": {
      const { wildcard, names } = event.subscription;
      return {
        wildcard,
        names: listed(names),
        nameCount: names.size,
        sentence: (who, type) => `${who} subscribed to${type}`,
      };
    }
    case "refuse": {
      const { cause } = event.error;
      return {
        status: statusName(event.code),
        error: safe(event.message),
        ...cause instanceof Error && { cause: cause.name },
        sentence: (who, type) =>
          `${who} was turned away${type && ` from${type}`}`,
      };
    }
    case "blocked":
      return blocked(event, listed, said);
    case "not_requested":
      return {
        names: listed(event.names),
        nameCount: event.names.length,
        sentence: (who, type) =>
          `${who} did not request${type} that it was expected to; nothing waits for that any longer`,
      };
    case "unserved":
      return {
        sentence: (who, type) =>
          `${who} requested${type}, which no cache serves`,
      };
    case "stall": {
      const { duration } = event;
      const { sentence, ...fields } = describe(event.event, settings);
      return {
        ...fields,
        duration,
        sentence: (who, type) =>
          `${sentence(who, type)}, for ${Math.round(duration)} ms now`,
      };
    }
    case "unblocked":
      return {
        duration: event.duration,
        reason: event.event.reason,
        sentence: (who, type) => `nothing of${type} is blocked for ${who}`,
      };
    case "send":
      return {
        ...response(event, listed),
        bytes: event.bytes,
        ...event.heartbeat && { heartbeat: true },
        sentence: (who, type) => `${who} was sent${type}`,
      };
    case "ack":
      return {
        ...response(event, listed),
        latency: event.latency,
        sentence: (who, type) => `${who} acknowledged${type}`,
      };
    case "nack": {
      const { version, nonce, latency, refusal, typeUrl } = event;
      const error = said(refusal.message, typeUrl);
      return {
        ...named(refusal, listed),
        version,
        nonce,
        latency,
        error,
        sentence: (who, type) =>
          `${who} refused${type}: ${JSON.stringify(error)}`,
      };
    }
    case "stale":
      return {
        nonce: short(event.nonce),
        sentence: (who, type) =>
          `${who} answered an earlier response of${type} than its last`,
      };
    case "limit": {
      const { limit, value, message } = event;
      return {
        limit,
        value,
        error: safe(message),
        sentence: (who) => `${who} reached the limit of ${limit}, ${value}`,
      };
    }
    case "close": {
      const { duration, code, message, error } = event;
      const cause = error?.cause;
      const status = statusName(code);
      return {
        duration,
        status,
        ...message && { error: safe(withCause(code, message, cause)) },
        ...cause instanceof Error && { cause: cause.name },
        sentence: (who) => `the stream of ${who} ended: ${status}`,
      };
    }
  }
}

/** gRPC's code of what went wrong in the server itself, of which the client is not told what. */
const INTERNAL = 13;

function withCause(code: number, message: string, cause: unknown): string {
  return code === INTERNAL && cause instanceof Error
    ? `${message}: ${cause.message}`
    : message;
}

type Listed = (names: Iterable<string>) => string[];

function blocked(
  event: BlockedEvent,
  listed: Listed,
  said: (message: string, typeUrl: string) => string,
): Fields {
  const { reason, names, removal, waitingFor } = event;
  const nacked = waitingFor.find(({ refusal }) => refusal);
  const types = waitingFor.map(({ typeUrl }) => typeUrl);
  const verb = removal ? "keeps" : "is not sent";
  const until = blockedUntil(reason, types.map(shortName).join(", "));
  return {
    reason,
    names: listed(names),
    nameCount: names.length,
    waitingFor: types,
    ...nacked?.refusal &&
      { error: said(nacked.refusal.message, nacked.typeUrl) },
    sentence: (who, type) => `${who} ${verb} some${type} until ${until}`,
  };
}

function blockedUntil(reason: BlockedReason, types: string): string {
  switch (reason) {
    case "names_not_requested":
      return `it requests more of ${types}`;
    case "dependency_unacked":
      return `it has acknowledged ${types}`;
    case "dependency_nacked":
      return `what it refused of ${types} is replaced`;
    case "draining":
      return "existing connections are drained";
    case "still_requested":
      return "it no longer requests them";
  }
}

function response(
  event: {
    version: string;
    nonce: string;
    names: readonly string[];
    removed: readonly string[];
  },
  listed: Listed,
) {
  const { version, nonce, removed } = event;
  return {
    version,
    nonce,
    ...named(event, listed),
    ...removed.length > 0 && { removed: listed(removed) },
  };
}

function named({ names }: Pick<Refusal, "names">, listed: Listed) {
  return { names: listed(names), nameCount: names.length };
}

/** The node that an event is of; undefined if none is known. */
export function nodeOf(event: ServerEvent): Node | undefined {
  if ("client" in event && event.client) return event.client.node;
  if ("node" in event && event.node) return event.node;
  return event.stream?.client?.node;
}

/** The address of the other end of a connection. */
export function addressOf({ hostname, port }: Peer): string {
  if (hostname === "") return "unknown";
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/** `PERMISSION_DENIED` of 7. */
function statusName(code: number): string {
  if (code === 0) return "OK";
  const name: string | undefined = Code[code];
  return name?.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase() ??
    String(code);
}
