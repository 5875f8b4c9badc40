import type { Peer } from "../cache/mod.ts";

/** What counts as one peer; undefined for one of which nothing is known, which is not counted. */
export type PeerId = (peer: Peer, identity: unknown) => string | undefined;

/** A peer by what it cannot choose: who it proved to be, or else where it is. */
export function peerId(
  { certificate, hostname }: Peer,
  identity: unknown,
): string | undefined {
  if (typeof identity === "string" || typeof identity === "number") {
    return String(identity);
  }
  if (certificate) {
    const { commonName, fingerprint, subjectAltNames } = certificate;
    return subjectAltNames.join(", ") || commonName || fingerprint;
  }
  return hostname || undefined;
}

/** How many streams each peer has. */
export class Peers {
  /** How many it may have. */
  readonly most: number;
  readonly #idOf: PeerId;
  readonly #streams = new Map<string, number>();

  constructor(most: number, idOf: PeerId) {
    this.most = most;
    this.#idOf = idOf;
  }

  /** Lets a stream of a peer in; `leave` is to be called when it ends. Returns the peer's id if it has too many. */
  enter(
    peer: Peer,
    identity: unknown,
  ): { leave: () => void } | { tooMany: string } | undefined {
    const id = this.#idOf(peer, identity);
    if (id === undefined) return undefined;
    const open = this.#streams.get(id) ?? 0;
    if (open >= this.most) return { tooMany: id };
    this.#streams.set(id, open + 1);
    return { leave: () => this.#leave(id) };
  }

  #leave(id: string) {
    const open = this.#streams.get(id)! - 1;
    if (open > 0) this.#streams.set(id, open);
    else this.#streams.delete(id);
  }
}
