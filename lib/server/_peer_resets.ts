import { type ResetBudget, TokenBucket } from "../http2/mod.ts";

/** Seconds of resets that a peer may make at once. */
const BURST = 4;

/** Peers that are known before those are looked for of which nothing need be known any more. */
const FEWEST = 1_024;

/** How many streams each peer may begin and give up, on all of its connections, one after the other and at a time. */
export class PeerResets {
  readonly #perSecond: number;
  readonly #peers = new Map<string, TokenBucket>();
  #most = FEWEST;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** What a connection of a peer may make use of; one whose peer is not known has its own. */
  of(peer: string | undefined, now: number): ResetBudget {
    const known = peer === undefined ? undefined : this.#peers.get(peer);
    if (known) return known;
    const bucket = new TokenBucket(BURST * this.#perSecond, this.#perSecond);
    if (peer !== undefined) {
      this.#forget(now);
      this.#peers.set(peer, bucket);
    }
    return bucket;
  }

  /** Forgets peers that have made no use of it for long. */
  #forget(now: number) {
    if (this.#peers.size < this.#most) return;
    for (const [peer, bucket] of this.#peers) {
      if (bucket.isFull(now)) this.#peers.delete(peer);
    }
    this.#most = Math.max(FEWEST, 2 * this.#peers.size);
  }
}
