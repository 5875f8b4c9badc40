import type { Socket } from "node:net";
import type { Peer } from "../cache/mod.ts";
import {
  Connection,
  type ConnectionLimit,
  ErrorCode,
  type Request,
  type Stream,
} from "../http2/mod.ts";
import { type EffectiveLimits, MAX_TIME } from "./limits.ts";
import { peerOfSocket } from "./peer.ts";

/** Bytes that are written at a time, and that may be on their way to the socket; beyond, streams wait. */
const BUFFER_BYTES = 64 * 1024;
const MOST_IN_FLIGHT = 2 * BUFFER_BYTES;

/** Less than this is written from a copy, so that buffers are held by those alone that fill them. */
const SHORT = 16 * 1024;

/** Buffers that no socket needs now. */
const buffers: Uint8Array[] = [];
const MOST_BUFFERS = 64;

/** How long a client has to read the rest of a connection that ends, and then to close it, in milliseconds. */
const FLUSH = 30_000;
const LINGER = 1_000;

/** How much longer or shorter the age of a connection may be than it is set to, so that not all connect anew at once. */
const JITTER = 0.1;

/** What is told of a connection. */
export interface Http2SocketHandler {
  /** A request has begun; the stream's handler is to be set. */
  open(stream: Stream, request: Request, peer: Peer): void;
  /** A limit was reached. */
  limit(limit: ConnectionLimit, peer: Peer): void;
}

/** A connection of HTTP/2 on a socket: what is ready at once leaves with one system call. */
export class Http2Socket {
  /** Who is at the other end; the same object for all of its streams. */
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #connection: Connection;
  #inFlight = 0;
  #isEnded = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  /** Takes a socket that was accepted at a time of `performance.now()`. */
  constructor(
    socket: Socket,
    acceptedAt: number,
    limits: EffectiveLimits,
    handler: Http2SocketHandler,
  ) {
    this.#socket = socket;
    const peer = this.peer = peerOfSocket(socket);
    const { idleTimeout, maxConnectionAge } = limits;
    const jitter = 1 + (Math.random() * 2 - 1) * JITTER;
    const options = {
      ...limits,
      idleTimeout: idleTimeout || Infinity,
      maxConnectionAge: maxConnectionAge * jitter,
    };
    this.#connection = new Connection(options, {
      open: (stream, request) => handler.open(stream, request, peer),
      limit: (limit) => handler.limit(limit, peer),
      wake: () => queueMicrotask(this.#write),
    }, acceptedAt);
    socket.setNoDelay(true);
    socket.on("data", (bytes: Uint8Array) => {
      this.#guard(() => this.#connection.receive(bytes, performance.now()));
      this.#schedule();
    });
    // Who does not write any more does not wait for answers, and may never read what is on its way.
    socket.on("end", () => {
      this.#connection.abort();
      this.#end(LINGER);
    });
    socket.on("close", () => {
      clearTimeout(this.#timer);
      this.#connection.abort();
    });
    // A connection that breaks ends its streams, each of which says so; there is nobody else to tell.
    socket.on("error", () => socket.destroy());
    queueMicrotask(this.#write);
    this.#schedule();
  }

  /** Ends the connection once its streams have ended, and tells the client why. */
  shutdown(reason = "") {
    this.#connection.shutdown(performance.now(), reason);
    this.#schedule();
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
