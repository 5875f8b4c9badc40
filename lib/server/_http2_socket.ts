import type { Socket } from "node:net";
import type { Peer } from "../cache/mod.ts";
import {
  Connection,
  type ConnectionLimit,
  ErrorCode,
  type Request,
  type ResetBudget,
  type Stream,
} from "../http2/mod.ts";
import { type EffectiveLimits, MAX_TIME } from "./limits.ts";
import type { ConnectionMemory, PendingResponses } from "./_memory.ts";
import type { Rotation, Worker } from "./_rotation.ts";

/** Bytes that are written at a time, and that may be on their way to the socket; beyond, streams wait. */
const BUFFER_BYTES = 64 * 1024;
const MOST_IN_FLIGHT = 2 * BUFFER_BYTES;

/** Less than this is written from a copy, so that buffers are held by those alone that fill them. */
const SHORT = 16 * 1024;

/** Buffers that no socket needs now. */
const buffers: Uint8Array[] = [];
const MOST_BUFFERS = 64;

/** Bytes that are read of a connection in a pass of the event loop, or one chunk. */
const BYTES_IN_PASS = 16 * 1024;

/** How long a client has to read the rest of a connection that ends, and then to close it, in milliseconds. */
const FLUSH = 30_000;
const LINGER = 1_000;

/** How much longer or shorter the age of a connection may be than it is set to, so that not all connect anew at once. */
const JITTER = 0.1;

/** What a connection needs. */
export interface Http2SocketOptions {
  /** Who is at the other end. */
  readonly peer: Peer;
  /** When it was accepted, by `performance.now()`. */
  readonly acceptedAt: number;
  readonly limits: EffectiveLimits;
  readonly resets: ResetBudget;
  readonly memory: ConnectionMemory;
  readonly pending: PendingResponses;
  readonly rotation: Rotation;
  /** A request has begun; the stream's handler is to be set. */
  open(stream: Stream, request: Request, connection: Http2Socket): void;
  /** A limit was reached. */
  limit(limit: ConnectionLimit): void;
}

/** A stream that has bytes left that were not processed when its time was over. */
export interface Backlog {
  /** Goes on; returns whether there are some left still. */
  goOn(): boolean;
}

/** A connection of HTTP/2 on a socket: what is ready at once leaves with one system call. */
export class Http2Socket implements Worker {
  /** Who is at the other end; the same object for all of its streams. */
  readonly peer: Peer;
  readonly memory: ConnectionMemory;
  readonly pending: PendingResponses;
  readonly rotation: Rotation;
  readonly #socket: Socket;
  readonly #connection: Connection;
  /** What came and is yet to be read, the oldest first; nothing is read from the socket meanwhile. */
  readonly #received: Uint8Array[] = [];
  readonly #backlog = new Set<Backlog>();
  readonly #isOver = () => this.rotation.isOver;
  /** The pass of the event loop in which it was read from last. */
  #pass = -1;
  #passBytes = 0;
  #isPaused = false;
  #inFlight = 0;
  #isEnded = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  constructor(socket: Socket, options: Http2SocketOptions) {
    this.#socket = socket;
    this.peer = options.peer;
    this.memory = options.memory;
    this.pending = options.pending;
    this.rotation = options.rotation;
    const { idleTimeout, maxConnectionAge } = options.limits;
    const jitter = 1 + (Math.random() * 2 - 1) * JITTER;
    const limits = {
      ...options.limits,
      resets: options.resets,
      idleTimeout: idleTimeout || Infinity,
      maxConnectionAge: maxConnectionAge * jitter,
    };
    this.#connection = new Connection(limits, {
      open: (stream, request) => options.open(stream, request, this),
      limit: (limit) => options.limit(limit),
      wake: () => this.rotation.write(this.#write),
    }, options.acceptedAt);
    socket.setNoDelay(true);
    socket.on("data", (bytes: Uint8Array) => this.#receive(bytes));
    // Who does not write any more does not wait for answers, and may never read what is on its way.
    socket.on("end", () => {
      this.#connection.abort();
      this.#end(LINGER);
    });
    socket.on("close", () => {
      clearTimeout(this.#timer);
      this.#connection.abort();
      this.#received.length = 0;
      this.#backlog.clear();
      this.rotation.delete(this);
      this.memory.close();
    });
    // A connection that breaks ends its streams, each of which says so; there is nobody else to tell.
    socket.on("error", () => socket.destroy());
    this.rotation.write(this.#write);
    this.#schedule();
  }

  /** Ends the connection once its streams have ended, and tells the client why. */
  shutdown(reason = "") {
    this.#connection.shutdown(performance.now(), reason);
    this.#schedule();
  }

  /** Has a stream go on with what it has not processed, when it is this connection's turn. */
  later(stream: Backlog) {
    this.#backlog.add(stream);
    this.#pause();
    this.rotation.add(this);
  }

  /** Reads what came, until the slice is over: first what streams have left, which came before. */
  work(): boolean {
    this.#pass = this.rotation.pass;
    this.#guard(() => this.#work());
    this.#schedule();
    if (this.#received.length > 0 || this.#backlog.size > 0) return true;
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    return false;
  }

  #work() {
    const { rotation } = this;
    for (const stream of this.#backlog) {
      this.#backlog.delete(stream);
      if (stream.goOn()) this.#backlog.add(stream);
      if (rotation.isOver) return;
    }
    while (this.#received.length > 0) {
      const bytes = this.#received[0];
      const now = performance.now();
      const taken = this.#connection.receive(bytes, now, this.#isOver);
      if (taken === bytes.length) this.#received.shift();
      else this.#received[0] = bytes.subarray(taken);
      if (rotation.isOver) return;
    }
  }

  /** Takes what came. No more than a few chunks are read in a pass, so that who sends without end leaves time for others. */
  #receive(bytes: Uint8Array) {
    this.#received.push(bytes);
    const { rotation } = this;
    if (this.#pass !== rotation.pass) this.#passBytes = 0;
    this.#passBytes += bytes.length;
    if (this.#pass === rotation.pass && this.#passBytes > BYTES_IN_PASS) {
      rotation.later(this);
    } else rotation.add(this);
    if (this.#received.length > 0) this.#pause();
  }

  #pause() {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  readonly #write = () => this.#guard(() => this.#writeAll());

  #writeAll() {
    const socket = this.#socket;
    if (socket.destroyed || this.#isEnded) return;
    const now = performance.now();
    while (this.#inFlight < MOST_IN_FLIGHT) {
      const buffer = buffers.pop() ?? new Uint8Array(BUFFER_BYTES);
      const size = this.#connection.write(buffer, now);
      if (size === 0) {
        release(buffer);
        break;
      }
      this.#inFlight += size;
      this.memory.hold(size);
      if (size < SHORT) {
        socket.write(buffer.slice(0, size), () => this.#written(size));
        release(buffer);
      } else {
        socket.write(buffer.subarray(0, size), () => {
          release(buffer);
          this.#written(size);
        });
      }
    }
    if (this.#connection.isDone) this.#end(FLUSH);
    // Until now there may have been nothing to wait for.
    else if (this.#connection.streams === 0) this.#schedule();
  }

  /** What goes wrong in here concerns this connection, and no other. */
  #guard(run: () => void) {
    try {
      run();
    } catch (error) {
      console.error("xds: a connection failed:", error);
      try {
        this.#connection.fail(ErrorCode.InternalError, "internal error");
      } catch {
        this.#socket.destroy();
      }
    }
  }

  #written(size: number) {
    this.#inFlight -= size;
    this.memory.hold(-size);
    if (this.#connection.hasOutput) this.#write();
  }

  #end(delay: number) {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#destroyIn(delay);
    this.#socket.end(() => this.#destroyIn(LINGER));
  }

  #destroyIn(delay: number) {
    clearTimeout(this.#timer);
    if (this.#socket.destroyed) return;
    this.#timer = setTimeout(() => this.#socket.destroy(), delay);
  }

  /** Sees to it that what is due is done. What comes puts most of it off, so that a timer may find nothing to do. */
  #schedule() {
    const at = this.#connection.deadline;
    if (at >= this.#timerAt || this.#isEnded) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const wait = Math.max(0, Math.ceil(at - performance.now()));
    this.#timer = setTimeout(this.#tick, Math.min(wait, MAX_TIME));
  }

  readonly #tick = () => {
    this.#timerAt = Infinity;
    this.#guard(() => this.#connection.tick(performance.now()));
    this.#schedule();
  };
}

function release(buffer: Uint8Array) {
  if (buffers.length < MOST_BUFFERS) buffers.push(buffer);
}
