/** What a connection is told of time. */
export interface Times {
  /** Milliseconds until the client is to have said how it begins. */
  readonly handshakeTimeout: number;
  /** Milliseconds that there may be no stream; Infinity for any. */
  readonly idleTimeout: number;
  /** When nothing came for `interval` milliseconds the client is asked whether it is there, and given up after `timeout` more. */
  readonly keepalive: { readonly interval: number; readonly timeout: number };
  /** Milliseconds until the client is asked to connect anew; Infinity for never. */
  readonly maxConnectionAge: number;
  /** Milliseconds more until its streams are ended. */
  readonly maxConnectionAgeGrace: number;
}

/** Limits that time reaches, by their names. */
export type TimeLimit =
  | "handshakeTimeout"
  | "idleTimeout"
  | "keepalive"
  | "maxConnectionAge";

/** What is to be done at a time. */
export type Due =
  | { readonly kind: "limit"; readonly limit: TimeLimit }
  | { readonly kind: "ping" | "expire" | "goAway" };

/** Milliseconds that a client has to answer the ping between the two GOAWAYs. */
const GOAWAY_TIMEOUT = 1_000;

/**
 * Milliseconds that a clock may be read late. Beyond, the process stood still, and the client's answer may have come that is
 * yet to be read: it has as long again.
 */
const LATE = 1_000;

/** What a connection has to do, and when: it is told the time, and has no clock. */
export class Lifetime {
  readonly #times: Times;
  readonly #openedAt: number;
  #heardAt: number;
  /** When the last stream ended; Infinity while there are any. */
  #idleSince: number;
  /** When a ping was sent that nothing came after. */
  #pingedAt: number | undefined;
  /** Until when it has to be answered, where that could not be seen in time. */
  #sparedUntil: number | undefined;
  #isReady = false;
  /** When GOAWAY was sent for the first time. */
  #leavingAt: number | undefined;
  #isLeft = false;
  #isOld = false;
  #isExpired = false;

  constructor(times: Times, now: number) {
    this.#times = times;
    this.#openedAt = this.#heardAt = this.#idleSince = now;
  }

  /** Something came. */
  heard(now: number) {
    this.#heardAt = now;
    this.#pingedAt = this.#sparedUntil = undefined;
  }

  /** The client has said how it begins. */
  ready() {
    this.#isReady = true;
  }

  /** There are streams now. */
  busy() {
    this.#idleSince = Infinity;
  }

  /** There are no streams any more. */
  idle(now: number) {
    this.#idleSince = now;
  }

  /** GOAWAY was sent for the first time, and a ping after it. */
  leaving(now: number) {
    this.#leavingAt = now;
  }

  /** GOAWAY was sent for the last time. */
  left() {
    this.#isLeft = true;
  }

  /** What is due; to be asked until there is nothing. */
  due(now: number): Due | undefined {
    if (!this.#isReady) {
      return now >= this.#handshakeEnd
        ? { kind: "limit", limit: "handshakeTimeout" }
        : undefined;
    }
    if (now >= this.#goAwayEnd) return { kind: "goAway" };
    if (now >= this.#pingEnd) {
      const isSpared = this.#sparedUntil !== undefined;
      if (isSpared || now < this.#pingEnd + LATE) {
        return { kind: "limit", limit: "keepalive" };
      }
      this.#sparedUntil = now + LATE;
    }
    if (now >= this.#pingStart) {
      this.#pingedAt = now;
      return { kind: "ping" };
    }
    if (now >= this.#oldStart) {
      this.#isOld = true;
      return { kind: "limit", limit: "maxConnectionAge" };
    }
    if (now >= this.#graceEnd) {
      this.#isExpired = true;
      return { kind: "expire" };
    }
    if (now >= this.#idleEnd) return { kind: "limit", limit: "idleTimeout" };
    return undefined;
  }

  /** When something will be due, unless something happens before; Infinity for never. */
  get next(): number {
    if (!this.#isReady) return this.#handshakeEnd;
    return Math.min(
      this.#goAwayEnd,
      this.#pingEnd,
      this.#pingStart,
      this.#oldStart,
      this.#graceEnd,
      this.#idleEnd,
    );
  }

  get #handshakeEnd(): number {
    return this.#openedAt + this.#times.handshakeTimeout;
  }

  get #goAwayEnd(): number {
    return this.#leavingAt === undefined || this.#isLeft
      ? Infinity
      : this.#leavingAt + GOAWAY_TIMEOUT;
  }

  get #pingStart(): number {
    return this.#pingedAt === undefined
      ? this.#heardAt + this.#times.keepalive.interval
      : Infinity;
  }

  get #pingEnd(): number {
    return this.#pingedAt === undefined
      ? Infinity
      : this.#sparedUntil ?? this.#pingedAt + this.#times.keepalive.timeout;
  }

  get #oldStart(): number {
    return this.#isOld || this.#isLeft || this.#leavingAt !== undefined
      ? Infinity
      : this.#openedAt + this.#times.maxConnectionAge;
  }

  get #graceEnd(): number {
    return this.#leavingAt !== undefined && this.#isOld && !this.#isExpired
      ? this.#leavingAt + this.#times.maxConnectionAgeGrace
      : Infinity;
  }

  get #idleEnd(): number {
    return this.#leavingAt === undefined && !this.#isLeft
      ? this.#idleSince + this.#times.idleTimeout
      : Infinity;
  }
}
