import { Code } from "@connectrpc/connect";
import type { Client, Clock } from "../cache/mod.ts";
import type { StreamAction } from "../protocol/mod.ts";
import { Admissions } from "./_admissions.ts";
import { Deadlines } from "./_deadlines.ts";
import { isOther } from "./_grants.ts";
import { Peers } from "./_peers.ts";
import { Bucket, type Rate } from "./_rate.ts";
import { internalFailure, LimitError } from "./_status.ts";
import type { Teller } from "./_tell.ts";
import type { StreamInfo } from "./events.ts";
import type { EffectiveLimits } from "./limits.ts";

/** A stream that may come to an end. */
export interface LimitedStream extends StreamInfo {
  end(error: Error): void;
}

/** What keeps the limits of a server's streams. What is undefined is not limited. */
export interface StreamLimits {
  readonly peers?: Peers;
  readonly requests?: Rate;
  readonly opening?: Deadlines<LimitedStream>;
  readonly deciding?: Deadlines<LimitedStream>;
  readonly admissions?: Admissions;
}

/** What keeps the limits of a server, for its streams and for requests that are answered once. */
export function streamLimits(
  limits: EffectiveLimits,
  clock: Clock,
): { streams: StreamLimits; fetches: StreamLimits } {
  const { streamsPerPeer, openTimeout, decisionTimeout } = limits;
  const { requestsPerSecond, admissionsPerSecond } = limits;
  const deadlines = (time: number, late: () => LimitError) =>
    time === Infinity
      ? undefined
      : new Deadlines<LimitedStream>(clock, time, (stream) =>
        stream.end(late()));
  const fetches: StreamLimits = {
    peers: streamsPerPeer === Infinity
      ? undefined
      : new Peers(streamsPerPeer, limits.peerId),
    deciding: deadlines(
      decisionTimeout,
      () =>
        new LimitError(
          "decisionTimeout",
          decisionTimeout,
          `it was not decided within ${decisionTimeout} ms who the client is, or what it may have; try again`,
          Code.Unavailable,
        ),
    ),
  };
  const streams: StreamLimits = {
    ...fetches,
    requests: requestsPerSecond === Infinity
      ? undefined
      : { clock, perSecond: requestsPerSecond, burst: limits.requestBurst },
    opening: deadlines(
      openTimeout,
      () =>
        new LimitError(
          "openTimeout",
          openTimeout,
          `no request came within ${openTimeout} ms of the stream's opening; send the first at once`,
          Code.DeadlineExceeded,
        ),
    ),
    admissions: admissionsPerSecond === Infinity
      ? undefined
      : new Admissions(clock, admissionsPerSecond, limits.admissionsWaiting),
  };
  return { streams, fetches };
}

/** What one stream has used of the limits. */
export class Allowance implements Disposable {
  readonly #limits: StreamLimits;
  readonly #stream: LimitedStream;
  #isOpening = false;
  #isDeciding = false;
  #isAdmitted: boolean;
  #requests: Bucket | undefined;
  /** Its place among those that wait to be admitted. */
  #place: Disposable | undefined;
  #leave: (() => void) | undefined;

  constructor(limits: StreamLimits, stream: LimitedStream) {
    this.#limits = limits;
    this.#stream = stream;
    this.#isAdmitted = !limits.admissions;
    if (!limits.opening) return;
    this.#isOpening = true;
    limits.opening.add(stream);
  }

  /**
   * Counts the stream as its peer's, of whom all is known that is going to be.
   *
   * @throws {LimitError} if the peer has too many
   */
  count() {
    const { peers } = this.#limits;
    if (!peers) return;
    const { peer, identity } = this.#stream;
    let entered: ReturnType<Peers["enter"]>;
    try {
      entered = peers.enter(peer, identity);
    } catch (cause) {
      throw internalFailure("limits.peerId", cause);
    }
    if (!entered) return;
    if ("leave" in entered) {
      this.#leave = entered.leave;
      return;
    }
    throw new LimitError(
      "streamsPerPeer",
      peers.most,
      `peer ${
        JSON.stringify(entered.tooMany)
      } has as many streams open as a peer may have, ${peers.most}; close one first`,
    );
  }

  /** A request has come. */
  asked() {
    if (!this.#isOpening) return;
    this.#isOpening = false;
    this.#limits.opening?.delete(this.#stream);
  }

  /** Something is being decided for the stream, or, with false, no longer is. */
  decide(isDeciding: boolean) {
    if (isDeciding === this.#isDeciding) return;
    this.#isDeciding = isDeciding;
    if (isDeciding) this.#limits.deciding?.add(this.#stream);
    else this.#limits.deciding?.delete(this.#stream);
  }

  /**
   * Admits the stream: at once, or when the promise resolves.
   *
   * @throws {LimitError} if too many wait
   */
  admit(told: Teller | undefined): Promise<void> | undefined {
    if (this.#isAdmitted) return undefined;
    const admissions = this.#limits.admissions!;
    const { perSecond, most, waiting } = admissions;
    if (admissions.enter()) {
      this.#isAdmitted = true;
      return undefined;
    }
    if (waiting >= most) {
      const message =
        `${waiting} streams wait to be admitted, ${perSecond} a second, and no more may; try again later`;
      throw new LimitError(
        "admissionsWaiting",
        most,
        message,
        Code.Unavailable,
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#place = admissions.wait(() => {
      this.#isAdmitted = true;
      this.#place = undefined;
      resolve();
    });
    const message = `the stream waits to be admitted, behind ${waiting} others`;
    told?.limit("admissionsPerSecond", perSecond, message);
    return promise;
  }

  /**
   * Takes a request into account, by what it brings about.
   *
   * @throws {LimitError} if the stream makes too many
   */
  request(actions: readonly StreamAction[], client: Client | undefined) {
    const { requests } = this.#limits;
    if (!requests || isAnswer(actions, client)) return;
    this.#requests ??= new Bucket(requests);
    if (this.#requests.take()) return;
    const { perSecond, burst } = requests;
    throw new LimitError(
      "requestsPerSecond",
      perSecond,
      `the stream makes more than ${perSecond} requests a second, and more than ${burst} at once; ` +
        "ask for more names with each, and less often",
    );
  }

  /** The stream has ended. */
  [Symbol.dispose]() {
    if (this.#isOpening) this.asked();
    if (this.#isDeciding) this.decide(false);
    this.#place?.[Symbol.dispose]();
    this.#leave?.();
  }
}

/** Whether a request answers a response and does nothing else. */
function isAnswer(
  actions: readonly StreamAction[],
  client: Client | undefined,
): boolean {
  return actions.some(({ kind }) => kind === "ack" || kind === "nack") &&
    actions.every((action) =>
      action.kind === "node"
        ? !isOther(action.node, client)
        : action.kind !== "watch" && action.kind !== "subscribe"
    );
}
