import type { Client } from "./cache.ts";
import type { Snapshot } from "./snapshot.ts";

/** A new snapshot that is with some nodes of a group, while the others have the one before. */
export class Rollout {
  /** What the others have. */
  readonly before: Snapshot;
  /** When it began, in milliseconds since 1970. */
  readonly begunAt: number;
  readonly #share: number;
  #nodes: ReadonlySet<string>;

  private constructor(
    before: Snapshot,
    share: number,
    nodes: ReadonlySet<string>,
    begunAt: number,
  ) {
    this.before = before;
    this.begunAt = begunAt;
    this.#share = share;
    this.#nodes = nodes;
  }

  /** Picks nodes for a new snapshot; undefined if there are no clients to try it on. */
  static start(
    before: Snapshot,
    share: number,
    clients: Iterable<Client>,
    now: number,
  ): Rollout | undefined {
    const nodes = pick(share, clients);
    return nodes.size > 0 ? new Rollout(before, share, nodes, now) : undefined;
  }

  /** Ids of the nodes that have the new snapshot. */
  get nodes(): readonly string[] {
    return [...this.#nodes];
  }

  /** Whether a client is of those that have the new snapshot. */
  includes(client: Client): boolean {
    return this.#nodes.has(client.node.id);
  }

  /** Picks other nodes if all of those that were picked have gone. True if it did. */
  keepUp(clients: Iterable<Client>): boolean {
    const all = [...clients];
    if (all.some((client) => this.includes(client))) return false;
    this.#nodes = pick(this.#share, all);
    return all.length > 0;
  }
}

function pick(share: number, clients: Iterable<Client>): Set<string> {
  const nodes = new Set<string>();
  for (const { node } of clients) nodes.add(node.id);
  const count = Math.max(1, Math.ceil(nodes.size * share));
  return new Set([...nodes].slice(0, count));
}
