import {
  DEFAULT_MAX_NAMES,
  DEFAULT_MAX_TYPES,
  DEFAULT_NODE_BYTES,
} from "../protocol/mod.ts";
import { peerId } from "./_peers.ts";
import { clientMemory, connectionLimit } from "./_process.ts";
import type { Peer } from "../cache/mod.ts";

/**
 * What a client may take of a server. One that takes more is told so, with the status that is said here, and the observer
 * gets a `limit` event; all others are served on. `Infinity` lifts a limit, but for `streamsPerConnection`.
 *
 * Limits of streams hold for {@linkcode xdsRoutes}, too, and, where it is not said otherwise, for the requests of REST and
 * of the unary methods, each of which is a stream that is answered once; not for the status service (CSDS). Those of
 * connections, from `streamsPerConnection` on, are kept by {@linkcode serve} alone, and of these HTTP/1 has but
 * `handshakeTimeout`.
 */
export interface Limits {
  /**
   * Names that a stream may ask for of one type; one that asks for more ends with `RESOURCE_EXHAUSTED`. Default: 100 000.
   */
  names?: number;
  /** Types that a stream may ask for; one that asks for more ends with `RESOURCE_EXHAUSTED`. Default: 100. */
  types?: number;
  /** Size of a request, in bytes; a stream with a larger one ends with `RESOURCE_EXHAUSTED`. Default: 4 MiB. */
  messageBytes?: number;
  /**
   * Size of the node in a request, in bytes, without its extensions and listening addresses, which are skipped. A stream
   * with a larger one ends with `RESOURCE_EXHAUSTED`. Default: 128 KiB.
   */
  nodeBytes?: number;
  /**
   * Bytes that may be held on behalf of one stream: a message that has not come to its end, requests that wait, the node,
   * names, and responses that the client has not read. (One response alone is never too much.) When they are exceeded the
   * stream ends with `RESOURCE_EXHAUSTED`. Default: four times `messageBytes`, 16 MiB.
   */
  streamBytes?: number;
  /**
   * Bytes that may be held on behalf of one connection; when they are exceeded its stream that holds the most ends with
   * `RESOURCE_EXHAUSTED`. Default: four times `streamBytes`, 64 MiB.
   */
  connectionBytes?: number;
  /**
   * Bytes that may be held on behalf of one peer: the names in the client's certificate, or else its address. When they
   * are exceeded its largest stream ends with `RESOURCE_EXHAUSTED`. Default: half of `totalBytes`.
   */
  peerBytes?: number;
  /**
   * Bytes that may be held on behalf of all clients; when they are exceeded the largest stream of the largest peer ends
   * with `RESOURCE_EXHAUSTED`. Default: a quarter of what the process's heap may grow to, and no more than 1 GiB.
   */
  totalBytes?: number;
  /**
   * Streams that one peer may have open; what it opens beyond ends with `RESOURCE_EXHAUSTED`. A peer is what `peerId`
   * says. Default: no limit, since a gateway may have a fleet behind one address.
   *
   * An Envoy has one stream with ADS. Without, it has one for each resource that it asks for by name: one of 60 clusters
   * and 60 listeners with routes and secrets has 182. A restart in place (hot restart) doubles it for some minutes.
   */
  streamsPerPeer?: number;
  /**
   * What counts as one peer for `streamsPerPeer`; undefined for a stream that is not to be counted. Default: the identity
   * that `authenticate` returned, if that is a string or a number; else the names in the client's certificate (or else its
   * common name, or fingerprint); else the address. Where that is not known, as in routes whose server does not put a peer
   * under {@linkcode peerKey}, nothing is counted.
   *
   * What it throws ends the stream with `INTERNAL`.
   */
  peerId?: (peer: Peer, identity: unknown) => string | undefined;
  /**
   * Requests that a stream may make in a second, when it has used up `requestBurst`; past that it ends with
   * `RESOURCE_EXHAUSTED`. Not counted is what just acknowledges or refuses a response: how many these are is the server's
   * doing. Not for REST and unary methods, of which each request is a stream. Default: no limit.
   *
   * What is left are requests for a type, or for other names of it. An Envoy that starts asks for each type once, however
   * many names there are, and later for other names when a cluster or listener changes what it refers to; what it asks for
   * on demand, as traffic needs it, takes a request for each name. 100 with the default burst leaves room for that by a
   * wide margin, and stops a client that has gone mad within seconds. (Envoy's own `rate_limit_settings` of a stream,
   * where set, stand at 10 a second and a burst of 100.)
   */
  requestsPerSecond?: number;
  /** Requests that a stream may make at once, after a rest, for `requestsPerSecond`. Default: 1 000. */
  requestBurst?: number;
  /**
   * How long a stream may be open before its first request is there as a whole, in milliseconds; then it ends with
   * `DEADLINE_EXCEEDED`. Clients send it at once. An Envoy that has `ads_config` and nothing that comes by it, or nothing
   * until traffic asks for it, opens a stream and stays silent: it connects again each time, and may be let off by
   * `Infinity`. Not for REST and unary methods, whose requests the HTTP server waits for. Default: 10 000.
   */
  openTimeout?: number;
  /**
   * How long `authenticate` and `authorize` may take for each decision, in milliseconds. Then the stream ends with
   * `UNAVAILABLE`, after which clients try again, and the signal that was passed to them is aborted. Default: 10 000.
   */
  decisionTimeout?: number;
  /**
   * Streams that are admitted in a second. Those that come faster, as when all clients of a fleet reconnect at once, wait
   * for their turn, first come, first served: their requests are kept until then. Those that are open are served
   * meanwhile. The observer is told of each that has to wait. Not for REST and unary methods, whose clients ask again and again.
   *
   * Default: no limit, which is the fastest for a fleet as a whole, and lets a large one take all of the server's time
   * for seconds. To keep time for those that are connected, set it to what the server can do with half of it: a stream
   * of four types takes about a millisecond of CPU and upwards, so that 200 to 500 suit a core.
   */
  admissionsPerSecond?: number;
  /**
   * Streams that may wait to be admitted; what comes beyond ends with `UNAVAILABLE`, after which clients come back
   * later. Default: 10 000.
   */
  admissionsWaiting?: number;
  /**
   * Connections that may be open; more are cut as they come. Deno 2.9 accepts up to 128 at once, before the server is told
   * of the first, and once the process has no files left it accepts nobody any more. Default: what the process may have
   * open (`ulimit -n`), without a tenth of it and those 128; 3 558 where that is not known, as in Deno without
   * `--allow-all`.
   *
   * This and all that follows is of connections, which are `serve`'s: routes within somebody else's server leave them to it.
   */
  connections?: number;
  /** Streams that a connection may have open; more are refused, and may be tried elsewhere. Default: 1 000. */
  streamsPerConnection?: number;
  /**
   * Streams that a peer may begin and give up in a second, on all of its connections together, and four times as many at
   * once; then its connection ends with `ENHANCE_YOUR_CALM`. A peer is known by its certificate, or else its address.
   * Default: 500.
   */
  resetsPerSecond?: number;
  /** Milliseconds from a connection's beginning, TLS included, until it is to have begun HTTP/2. Default: 10 000. */
  handshakeTimeout?: number;
  /** Milliseconds that a connection may have no stream, until it is closed. Default: 300 000; 0 or Infinity: no limit. */
  idleTimeout?: number;
  /**
   * When nothing came from a client for `interval` milliseconds (default: 30 000) it is sent a ping, and its connection is
   * cut if nothing comes within `timeout` milliseconds more (default: 20 000).
   */
  keepalive?: Keepalive;
  /**
   * Milliseconds until a client is asked to connect anew, so that clients spread over servers that were added; each
   * connection's own is up to a tenth more or less. Default: Infinity, never.
   */
  maxConnectionAge?: number;
  /**
   * Milliseconds more until its streams are ended, with status OK, since those of discovery do not end by themselves.
   * Other requests that are not answered by then, and streams whose client does not take what it is sent, are cut.
   * Default: 10 000.
   */
  maxConnectionAgeGrace?: number;
}

/** How it is found out that a client is gone without a word. */
export interface Keepalive {
  /** Milliseconds. */
  interval?: number;
  /** Milliseconds. */
  timeout?: number;
}

/** A limit that can be reached, by its name in {@linkcode Limits}. */
export type LimitName = Exclude<keyof Limits, "peerId" | "requestBurst">;

/** Limits, with what is not said filled in. */
export type EffectiveLimits =
  & Readonly<Required<Omit<Limits, "keepalive">>>
  & { readonly keepalive: Readonly<Required<Keepalive>> };

/** What a limit is if it is not set, and what it may be set to. */
interface Rule {
  /** A function of those that stand before it in the table. */
  readonly default:
    | number
    | ((limits: Readonly<Record<string, number>>) => number);
  readonly isValid: (value: number) => boolean;
  /** What `isValid` asks for, as in "it must be …". */
  readonly valid: string;
}

/** The longest that a timer can be set to; with more it goes off at once. */
export const MAX_TIME = 2 ** 31 - 1;

const count: Omit<Rule, "default"> = {
  isValid: (value) =>
    value === Infinity || (Number.isInteger(value) && value > 0),
  valid: "a whole number above 0, or Infinity for no limit",
};
const time: Omit<Rule, "default"> = {
  isValid: (value) => value === Infinity || (value > 0 && value <= MAX_TIME),
  valid: `milliseconds above 0 and up to ${MAX_TIME}, or Infinity for no limit`,
};
const rate: Omit<Rule, "default"> = {
  isValid: (value) => value > 0,
  valid: "a number above 0, or Infinity for no limit",
};

const timeOrNone: Omit<Rule, "default"> = {
  isValid: (value) => value === 0 || time.isValid(value),
  valid: `milliseconds up to ${MAX_TIME}, or 0 or Infinity for no limit`,
};

type Numbers = Exclude<keyof Limits, "peerId" | "keepalive">;

const rules: Readonly<Record<Numbers, Rule>> = {
  names: { ...count, default: DEFAULT_MAX_NAMES },
  types: { ...count, default: DEFAULT_MAX_TYPES },
  messageBytes: { ...count, default: 4 * 1024 * 1024 },
  nodeBytes: { ...count, default: DEFAULT_NODE_BYTES },
  streamBytes: { ...count, default: ({ messageBytes }) => 4 * messageBytes },
  connectionBytes: { ...count, default: ({ streamBytes }) => 4 * streamBytes },
  totalBytes: { ...count, default: clientMemory },
  peerBytes: {
    ...count,
    default: ({ totalBytes }) => Math.ceil(totalBytes / 2),
  },
  streamsPerPeer: { ...count, default: Infinity },
  requestsPerSecond: { ...rate, default: Infinity },
  requestBurst: { ...count, default: 1_000 },
  openTimeout: { ...time, default: 10_000 },
  decisionTimeout: { ...time, default: 10_000 },
  admissionsPerSecond: { ...rate, default: Infinity },
  admissionsWaiting: { ...count, default: 10_000 },
  connections: { ...count, default: connectionLimit },
  streamsPerConnection: {
    default: 1_000,
    isValid: (value) => Number.isInteger(value) && value > 0 && value < 2 ** 32,
    valid: "a whole number above 0 and below 2^32; it cannot be lifted",
  },
  resetsPerSecond: { ...rate, default: 500 },
  handshakeTimeout: { ...time, default: 10_000 },
  idleTimeout: { ...timeOrNone, default: 300_000 },
  maxConnectionAge: { ...time, default: Infinity },
  maxConnectionAgeGrace: { ...time, default: 10_000 },
};

const keepaliveRules: Readonly<Record<keyof Keepalive, Rule>> = {
  interval: { ...time, default: 30_000 },
  timeout: { ...time, default: 20_000 },
};

const known: ReadonlySet<string> = new Set([
  ...Object.keys(rules),
  "keepalive",
  "peerId",
]);

/**
 * Limits, with what is not said filled in.
 *
 * @throws {RangeError} if one is set to what it cannot be; it names the limit
 * @throws {TypeError} if there is no such limit
 */
export function limitsOf(limits: Limits = {}): EffectiveLimits {
  const unknown = Object.keys(limits).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `there is no limits.${unknown}; there are ${[...known].join(", ")}`,
    );
  }
  const { keepalive = {}, peerId: idOf = peerId, ...others } = limits;
  if (typeof idOf !== "function") {
    throw new TypeError(`limits.peerId is ${idOf}: it must be a function`);
  }
  return {
    ...keptTo("limits", rules, others),
    keepalive: keptTo("limits.keepalive", keepaliveRules, keepalive),
    peerId: idOf,
  };
}

function keptTo<Name extends string>(
  where: string,
  rules: Readonly<Record<Name, Rule>>,
  given: Readonly<Partial<Record<Name, number>>>,
): Record<Name, number> {
  const effective: Partial<Record<Name, number>> = {};
  for (const [name, rule] of Object.entries(rules) as [Name, Rule][]) {
    const value = given[name] ??
      (typeof rule.default === "number"
        ? rule.default
        : rule.default(effective as Record<Name, number>));
    if (typeof value !== "number" || !rule.isValid(value)) {
      throw new RangeError(
        `${where}.${name} is ${String(value)}: it must be ${rule.valid}`,
      );
    }
    effective[name] = value;
  }
  return effective as Record<Name, number>;
}
