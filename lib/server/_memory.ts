import type { LimitName } from "./limits.ts";
import { LimitError } from "./_status.ts";

/** Limits of memory, by their names. */
export type MemoryLimit = Extract<
  LimitName,
  "streamBytes" | "connectionBytes" | "peerBytes" | "totalBytes"
>;

/** What memory may be held on behalf of clients. */
export type MemoryLimits = Readonly<Record<MemoryLimit, number>>;

const owners: Readonly<Record<MemoryLimit, string>> = {
  streamBytes: "the stream",
  connectionBytes: "the connection",
  peerBytes: "the peer",
  totalBytes: "all clients together",
};

/** Bytes that are held on behalf of a stream, or of several. */
class Account {
  used = 0;
  readonly children = new Set<Account>();
  readonly limit: MemoryLimit;
  readonly most: number;
  readonly parent: Account | undefined;

  constructor(limit: MemoryLimit, limits: MemoryLimits, parent?: Account) {
    this.limit = limit;
    this.most = limits[limit];
    this.parent = parent;
    parent?.children.add(this);
  }

  /** Changes what is held; returns the narrowest account that it is too much for. */
  add(bytes: number): Account | undefined {
    this.used += bytes;
    let exceeded: Account | undefined = this.used > this.most
      ? this
      : undefined;
    for (let one = this.parent; one; one = one.parent) {
      one.used += bytes;
      if (one.used > one.most) exceeded ??= one;
    }
    return exceeded;
  }

  /** The stream that holds the most, of the connection that does, and so on. */
  largest(): StreamMemory | undefined {
    if (this instanceof StreamMemory) return this;
    let largest: Account | undefined;
    for (const child of this.children) {
      if (child.used > (largest?.used ?? 0)) largest = child;
    }
    return largest?.largest();
  }
}

/**
 * Bytes that are held on behalf of one stream: parts of messages, requests that wait, the node, names, and responses that
 * the client has not read. When they are too many for the stream, its connection, its peer or the process, the stream that
 * holds the most of them ends.
 */
export class StreamMemory extends Account {
  readonly #end: (error: LimitError) => void;
  #isClosed = false;

  constructor(
    limits: MemoryLimits,
    parent: Account,
    end: (error: LimitError) => void,
  ) {
    super("streamBytes", limits, parent);
    this.#end = end;
  }

  /** Whether the stream has ended. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Counts more bytes, or, with a negative number, fewer. It may end this stream, or others. */
  hold(bytes: number) {
    if (this.#isClosed || bytes === 0) return;
    const exceeded = this.add(bytes);
    while (exceeded && exceeded.used > exceeded.most) {
      const stream = exceeded.largest();
      if (!stream) return;
      stream.#exceed(exceeded);
    }
  }

  /** Gives everything back: the stream has ended. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.used !== 0) this.add(-this.used);
    this.parent?.children.delete(this);
  }

  #exceed({ limit, most, used }: Account) {
    const message = limit === "streamBytes"
      ? `${used} bytes are held for the stream, and ${most} may be; send less at once, or ask for less`
      : `${used} bytes are held for ${
        owners[limit]
      }, and ${most} may be; this stream holds ${this.used} of them`;
    this.#end(new LimitError(limit, most, message));
    this.close();
  }
}

/** Bytes that are held on behalf of a connection, for itself and for its streams. */
export class ConnectionMemory extends Account {
  readonly #limits: MemoryLimits;
  readonly #left: () => void;
  #isClosed = false;

  constructor(limits: MemoryLimits, parent: Account, left: () => void) {
    super("connectionBytes", limits, parent);
    this.#limits = limits;
    this.#left = left;
  }

  /** Begins to count for a stream; `end` is to end it. */
  stream(end: (error: LimitError) => void): StreamMemory {
    return new StreamMemory(this.#limits, this, end);
  }

  /** Counts what is on its way to the client, which a limit of its own bounds. */
  hold(bytes: number) {
    if (!this.#isClosed) this.add(bytes);
  }

  /** Gives everything back: the connection is gone, and all of its streams are. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // What still goes on for a stream is not counted any more.
    for (const stream of this.children) (stream as StreamMemory).close();
    this.add(-this.used);
    this.parent?.children.delete(this);
    this.#left();
  }
}

/**
 * Responses that clients are yet to read. Bytes that go to several streams are counted once, for the first of them that has
 * not read them.
 */
export class PendingResponses {
  readonly #holders = new Map<Uint8Array, Set<StreamMemory>>();

  /** A stream is to be sent a response. */
  add(response: Uint8Array, stream: StreamMemory) {
    const holders = this.#holders.get(response);
    if (holders) {
      holders.add(stream);
      return;
    }
    this.#holders.set(response, new Set([stream]));
    stream.hold(countedSize(response, stream));
  }

  /** A stream has sent a response, or has ended. */
  delete(response: Uint8Array, stream: StreamMemory) {
    const holders = this.#holders.get(response);
    if (!holders) return;
    const [first] = holders;
    holders.delete(stream);
    if (first !== stream) return;
    stream.hold(-countedSize(response, stream));
    const [next] = holders;
    if (next) next.hold(countedSize(response, next));
    else this.#holders.delete(response);
  }
}

/** One response alone is never too much, however large: the server's own resources are in it. */
function countedSize({ length }: Uint8Array, { most }: StreamMemory): number {
  return Math.min(length, most / 2);
}

/** Bytes that are held on behalf of all clients of a server. */
export class ServerMemory {
  readonly #limits: MemoryLimits;
  readonly #total: Account;
  readonly #peers = new Map<string, Account>();
  /** What clients are yet to read. */
  readonly pending = new PendingResponses();

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
    this.#total = new Account("totalBytes", limits);
  }

  /** How many there are. */
  get used(): number {
    return this.#total.used;
  }

  /** Begins to count for a connection of a peer; all whose peer is not known are one. */
  connection(peer = ""): ConnectionMemory {
    let account = this.#peers.get(peer);
    if (!account) {
      account = new Account("peerBytes", this.#limits, this.#total);
      this.#peers.set(peer, account);
    }
    const of = account;
    return new ConnectionMemory(this.#limits, of, () => {
      if (of.children.size > 0) return;
      this.#total.children.delete(of);
      this.#peers.delete(peer);
    });
  }
}
