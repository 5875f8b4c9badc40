import type { CacheEvent } from "../cache/mod.ts";
import { shortName, TypeUrl } from "../resource/mod.ts";
import { cacheLevel, cacheRecord } from "./_log_cache.ts";
import {
  addressOf,
  describe,
  levelOf,
  nodeOf,
  type Settings,
} from "./_log_stream.ts";
import { short } from "./_log_text.ts";
import type { ServerEvent } from "./events.ts";

/** How much an event matters; well-kept loggers have a method of each name. */
export type LogLevel = "debug" | "info" | "warn";

/**
 * What is logged of an event: plain data, of which `JSON.stringify` makes one line. Fields that an event has nothing for
 * are left out.
 */
export interface LogRecord {
  /**
   * What was refused, taken back or put into quarantine, limits and what waits for long are `"warn"`; streams that come, go
   * or change, and rollouts, `"info"`; all else `"debug"`.
   */
  level: LogLevel;
  /** The event in a sentence, of the fields below. */
  message: string;
  /** The event's kind. */
  event: ServerEvent["kind"] | CacheEvent["kind"];
  /** The number of the stream; left out, as all that is the stream's, where a limit is a connection's. */
  stream?: number;
  /** The stream's protocol, `"sotw"` or `"delta"`. */
  protocol?: string;
  /** Address and port of the other end of the connection; left out where a cache tells something. */
  peer?: string;
  /** The group's key, of a cache that has groups. */
  key?: string;
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
  /** Names that the event is about, or ids of nodes, the first of them. */
  names?: string[];
  /** How many these are, or how many names a request has. */
  nameCount?: number;
  /** Names that a delta response says are gone, the first of them. */
  removed?: string[];
  /** Whether a subscription is a wildcard. */
  wildcard?: boolean;
  /** Why something is blocked. */
  reason?: string;
  /** Types that are waited for. */
  waitingFor?: string[];
  /** Whether a response is a heartbeat. */
  heartbeat?: boolean;
  /** Size of the message, in bytes. */
  bytes?: number;
  /** Milliseconds from a response to its answer. */
  latency?: number;
  /** Which share of the clients a change has come to. */
  share?: number;
  /** How many clients a change concerns. */
  clients?: number;
  /** How many of them have answered it, where it was overtaken. */
  answered?: number;
  /** How many of them refused something. */
  refused?: number;
  /** Milliseconds that a stream lasted, something has been waiting, or a change has taken. */
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

const levels: readonly LogLevel[] = ["debug", "info", "warn"];

/**
 * An observer that makes a record of each event, for a logger of your choice: of a server's, and, given to a cache, of
 * the cache's.
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
): (event: ServerEvent | CacheEvent) => void {
  const least = levels.indexOf(options.level ?? "debug");
  const { names = 20, isSecret = (typeUrl) => typeUrl === TypeUrl.Secret } =
    options;
  const settings = { names, isSecret };
  return (event) => {
    const isCaches = "cache" in event;
    const level = isCaches ? cacheLevel(event) : levelOf(event);
    if (levels.indexOf(level) < least) return;
    write(
      isCaches
        ? cacheRecord(event, level, settings)
        : streamRecord(event, level, settings),
    );
  };
}

function streamRecord(
  event: ServerEvent,
  level: LogLevel,
  settings: Settings,
): LogRecord {
  const { sentence, ...fields } = describe(event, settings);
  const { stream } = event;
  const node = nodeOf(event);
  const record: LogRecord = {
    level,
    message: "",
    event: event.kind,
    ...stream && { stream: stream.id, protocol: stream.protocol },
    peer: addressOf(event.kind === "limit" ? event.peer : event.stream.peer),
  };
  if (node?.id) record.node = short(node.id);
  if (node?.cluster) record.cluster = short(node.cluster);
  if ("typeUrl" in event && event.typeUrl) record.type = short(event.typeUrl);
  Object.assign(record, fields);
  const who = record.node === undefined
    ? record.peer
    : JSON.stringify(record.node);
  const type = record.type ? ` ${shortName(record.type)}` : "";
  record.message = sentence(who ?? "", type);
  return record;
}
