import { Code } from "@connectrpc/connect";
import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { Peer, Refusal } from "../cache/mod.ts";
import { shortName, TypeUrl } from "../resource/mod.ts";
import { clipped } from "./_status.ts";
import { withoutSecrets } from "./_secrets.ts";
import type { Observer, ServerEvent } from "./events.ts";

/** How much an event matters; well-kept loggers have a method of each name. */
export type LogLevel = "debug" | "info" | "warn";

/**
 * What is logged of an event: plain data, of which `JSON.stringify` makes one line. Fields that an event has nothing for
 * are left out.
 */
export interface LogRecord {
  /** Refusals and limits are `"warn"`, streams that come, wait, go or change `"info"`, all else `"debug"`. */
  level: LogLevel;
  /** The event in a sentence, of the fields below. */
  message: string;
  /** The event's kind. */
  event: ServerEvent["kind"];
  /** The number of the stream; left out, as all that is the stream's, where a limit is a connection's. */
  stream?: number;
  /** The stream's protocol, `"sotw"` or `"delta"`. */
  protocol?: string;
  /** Address and port of the other end of the connection. */
  peer: string;
  /** Id of the client's node. Before `authorize` has granted it, it is what the client claims. */
  node?: string;
  /** The node's cluster. */
  cluster?: string;
  /** The type URL. */
  type?: string;
  /** The response's version. */
  version?: string;
  /** The response's nonce. */
  nonce?: string;
  /** Names that the event is about, the first of them. */
  names?: string[];
  /** How many these are, or how many names a request has. */
  nameCount?: number;
  /** Names that a delta response says are gone, the first of them. */
  removed?: string[];
  /** Whether a subscription is a wildcard. */
  wildcard?: boolean;
  /** Types that are waited for. */
  waitingFor?: string[];
  /** Whether a response is a heartbeat. */
  heartbeat?: boolean;
  /** Size of the message, in bytes. */
  bytes?: number;
  /** Milliseconds from a response to its answer. */
  latency?: number;
  /** Milliseconds that a stream lasted. */
  duration?: number;
  /** The limit that was reached. */
  limit?: string;
  /** What that limit is. */
  value?: number;
  /** The gRPC status, as `"PERMISSION_DENIED"`. */
  status?: string;
  /** Why a client refused a response, or was refused, or which limit it reached. Without secrets. */
  error?: string;
  /** The name of the error that was thrown, as `"TypeError"`, where there is one; its text may quote a token. */
  cause?: string;
}

/** Options of {@linkcode logObserver}. */
export interface LogObserverOptions {
  /** Events below this level make no record. Default: `"debug"`, that is, all make one. */
  level?: LogLevel;
  /** How many names a record lists. Default: 20. */
  names?: number;
  /**
   * Types of which nothing that a client quotes may be logged: of a NACK, just that there was one. Default: Secret.
   */
  isSecret?: (typeUrl: string) => boolean;
}

/** Length of a text, beyond which it is cut: a node's id may be as long as a request. */
const MAX_TEXT = 1_000;
/** Length of a text, beyond which it is cut before it is searched for secrets. */
const MAX_SEARCHED = 4_000;

const levels: readonly LogLevel[] = ["debug", "info", "warn"];

/**
 * An observer that makes a record of each event, for a logger of your choice.
 *
 * The content of resources, the headers of requests (and so tokens), the metadata of nodes and identities are in no
 * record. Where a client quotes content in a NACK, it is left out whole for types that are secrets, and else private
 * keys, inline data, bearer tokens and JSON Web Tokens in it are replaced by `[redacted]`.
 *
 * @param write called with each record, synchronously
 *
 * @example A line of JSON each
 * ```ts
 * import { logObserver, serve, SnapshotCache } from "@xds/control-plane";
 *
 * const observer = logObserver((record) => console.log(JSON.stringify(record)));
 * await using server = await serve({ cache: new SnapshotCache(), hostname: "127.0.0.1", port: 0, observer });
 * ```
 *
 * @example With a logger. pino takes `logger[level](fields, message)`; LogTape, for which a message is a template,
 * `logger[level]("{message}", { message, ...fields })`
 * ```ts
 * import { logObserver } from "@xds/control-plane";
 *
 * const logger = console;
 * const observer = logObserver(({ level, message, ...fields }) => logger[level](message, fields));
 * ```
 */
export function logObserver(
  write: (record: LogRecord) => void,
  options: LogObserverOptions = {},
): Observer {
  const least = levels.indexOf(options.level ?? "debug");
  const { names = 20, isSecret = (typeUrl) => typeUrl === TypeUrl.Secret } =
    options;
  return (event) => {
    const level = levelOf(event);
    if (levels.indexOf(level) < least) return;
    const { sentence, ...fields } = describe(event, { names, isSecret });
    const { stream } = event;
    const node = nodeOf(event);
    const record: LogRecord = {
      level,
      message: "",
      event: event.kind,
      ...stream && { stream: stream.id, protocol: stream.protocol },
      peer: addressOf(event.kind === "limit" ? event.peer : event.stream.peer),
    };
    if (node?.id) record.node = clipped(node.id, MAX_TEXT);
    if (node?.cluster) record.cluster = clipped(node.cluster, MAX_TEXT);
    if ("typeUrl" in event && event.typeUrl) {
      record.type = clipped(event.typeUrl, MAX_TEXT);
    }
    Object.assign(record, fields);
    const who = record.node === undefined
      ? record.peer
      : JSON.stringify(record.node);
    const type = record.type ? ` ${shortName(record.type)}` : "";
    record.message = sentence(who, type);
    write(record);
  };
}

function levelOf(event: ServerEvent): LogLevel {
  switch (event.kind) {
    case "nack":
    case "refuse":
      return "warn";
    case "limit":
      // To wait for one's turn is no fault of anybody's.
      return event.limit === "admissionsPerSecond" ? "info" : "warn";
    case "wait":
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

interface Settings {
  readonly names: number;
  readonly isSecret: (typeUrl: string) => boolean;
}

type Fields =
  & Omit<
    Partial<LogRecord>,
    "level" | "message" | "event" | "stream" | "protocol" | "peer"
  >
  & { sentence: (who: string, type: string) => string };

function describe(event: ServerEvent, settings: Settings): Fields {
  const listed = (names: Iterable<string>) =>
    [...names].slice(0, settings.names).map((name) => clipped(name, MAX_TEXT));
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
        ...nonce && { nonce: clipped(nonce, MAX_TEXT) },
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
    case "hold":
      return {
        names: listed(event.waitingFor),
        nameCount: event.waitingFor.size,
        sentence: (who, type) =>
          `${who} is not sent${type} until it asks for some more names`,
      };
    case "wait": {
      const { names, removal, waitingFor } = event;
      const refused = waitingFor.find(({ refusal }) => refusal);
      const types = waitingFor.map(({ typeUrl }) => typeUrl);
      const verb = removal ? "keeps" : "is not sent";
      return {
        names: listed(names),
        nameCount: names.length,
        waitingFor: types,
        ...refused?.refusal &&
          { error: said(refused.refusal.message, refused.typeUrl) },
        sentence: (who, type) =>
          `${who} ${verb} some${type} until it has acknowledged ${
            types.map(shortName).join(", ")
          }`,
      };
    }
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
        nonce: clipped(event.nonce, MAX_TEXT),
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
        ...message && { error: safe(message) },
        ...cause instanceof Error && { cause: cause.name },
        sentence: (who) => `the stream of ${who} ended: ${status}`,
      };
    }
  }
}

function safe(message: string): string {
  return clipped(withoutSecrets(clipped(message, MAX_SEARCHED)), MAX_TEXT);
}

type Listed = (names: Iterable<string>) => string[];

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

function nodeOf(event: ServerEvent): Node | undefined {
  if ("client" in event && event.client) return event.client.node;
  if ("node" in event && event.node) return event.node;
  return event.stream?.client?.node;
}

function addressOf({ hostname, port }: Peer): string {
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
