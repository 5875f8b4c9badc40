import {
  type ClientSettings,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  readSettings,
} from "./_client_settings.ts";
import { type FrameHandler, FrameParser } from "./_frame_parser.ts";
import { MAX_LIST } from "./_header_reader.ts";
import { Lifetime, type TimeLimit, type Times } from "./_lifetime.ts";
import {
  FloodGuard,
  type ResetBudget,
  ResetFloodError,
} from "./_flood_guard.ts";
import { Receiver } from "./_receiver.ts";
import { type RequestHost, Requests } from "./_requests.ts";
import { Sender } from "./_sender.ts";
import { TokenBucket } from "./_token_bucket.ts";
import { ConnectionError, ErrorCode, protocolError } from "./errors.ts";
import type { Request } from "./request.ts";
import type { Stream } from "./stream.ts";

/** A limit that a connection keeps to, by its name. */
export type ConnectionLimit =
  | TimeLimit
  | "streamsPerConnection"
  | "resetsPerSecond";

/** What a connection may be. */
export interface ConnectionOptions extends Times {
  /** Streams that may be open at a time. */
  readonly streamsPerConnection: number;
  /** Streams that may be begun and given up. Default: 2 000, and 500 a second. */
  readonly resets?: ResetBudget;
}

/** What a connection tells, within what it is told itself. */
export interface ConnectionHandler {
  /** A request has begun; the stream's handler is to be set. */
  open(stream: Stream, request: Request): void;
  /** There is something to write, or the connection is done. It is told once, until {@linkcode Connection.write} is called. */
  wake(): void;
  /** A limit was reached, and what it says is done. */
  limit(limit: ConnectionLimit): void;
}

/** The last stream, where there is to be none that is not taken. */
const ANY_STREAM = 2 ** 31 - 1;

const never = () => false;

const MAX_RESETS = 2_000;
const RESETS_PER_SECOND = 500;

/** Says which of two pings is answered. */
const KEEPALIVE_PING = 1;
const GOAWAY_PING = 2;

/**
 * The server's side of a connection of HTTP/2 (RFC 9113): what comes is told to it as bytes, what is to be sent is taken
 * from it as bytes. It does no I/O and has no clock; times are in milliseconds, from whenever.
 */
export class Connection {
  readonly #handler: ConnectionHandler;
  readonly #parser: FrameParser;
  readonly #sender: Sender;
  readonly #requests: Requests;
  readonly #lifetime: Lifetime;
  readonly #flood: FloodGuard;
  #now: number;
  #isReady = false;
  /** Whether it ends once its streams have, and whether more streams are taken until then. */
  #isLeaving = false;
  #isShut = false;
  #error: ConnectionError | undefined;
  #isAborted = false;
  #isAwake = false;

  /** A connection that was just accepted. */
  constructor(
    options: ConnectionOptions,
    handler: ConnectionHandler,
    now: number,
  ) {
    this.#handler = handler;
    const limit = options.streamsPerConnection;
    this.#now = now;
    this.#flood = new FloodGuard(
      options.resets ?? new TokenBucket(MAX_RESETS, RESETS_PER_SECOND),
    );
    this.#lifetime = new Lifetime(options, now);
    this.#sender = new Sender((stream) => this.#requests.finished(stream));
    const receiver = new Receiver(this.#sender);
    this.#requests = new Requests(
      this.#host(),
      limit,
      this.#sender,
      receiver,
      this.#flood,
    );
    this.#parser = new FrameParser(this.#frames);
    this.#sender.settings([
      [MAX_CONCURRENT_STREAMS, limit],
      [MAX_HEADER_LIST_SIZE, MAX_LIST],
    ]);
    receiver.open();
  }

  /** Why the connection fails; undefined if it does not. */
  get error(): ConnectionError | undefined {
    return this.#error;
  }

  /** Whether the client has said how it begins. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** How many streams are open. */
  get streams(): number {
    return this.#requests.size;
  }

  /** Whether there may be something to write. */
  get hasOutput(): boolean {
    return this.#sender.hasOutput;
  }

  /** Whether nothing more is to be written, so that the socket can be closed. */
  get isDone(): boolean {
    const isOver = this.#error !== undefined ||
      (this.#isShut && this.streams === 0);
    return this.#isAborted || (isOver && !this.hasOutput);
  }

  /** When {@linkcode tick} is to be called, at the latest; Infinity for never. */
  get deadline(): number {
    return this.#isOver ? Infinity : this.#lifetime.next;
  }

  get #isOver(): boolean {
    return this.#isAborted || this.#error !== undefined;
  }

  /**
   * Takes bytes that came. They are read within the call, and not kept.
   *
   * @param isOver whether to stop, asked every few frames
   * @returns how many bytes were taken; those that are left are to be passed again
   */
  receive(
    bytes: Uint8Array,
    now: number,
    isOver: () => boolean = never,
  ): number {
    if (this.#isOver) return bytes.length;
    this.#now = now;
    this.#lifetime.heard(now);
    let taken = bytes.length;
    try {
      taken = this.#parser.read(bytes, isOver);
      this.#flood.waiting(this.#sender.waiting);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      if (error instanceof ResetFloodError) {
        this.#handler.limit("resetsPerSecond");
      }
      this.#fail(error);
    }
    this.#wake();
    return taken;
  }

  /** Writes what is to be sent, as much as there is room for. Returns how many bytes that was. */
  write(into: Uint8Array, now: number): number {
    this.#isAwake = false;
    // What goes out may be the end of the last stream.
    this.#now = now;
    const size = this.#sender.write(into);
    if (this.#sender.written > 0) {
      this.#flood.sent(this.#sender.written);
      this.#sender.written = 0;
    }
    return size;
  }

  /** Does what is due at a time. */
  tick(now: number) {
    this.#now = now;
    while (!this.#isOver) {
      const due = this.#lifetime.due(now);
      if (!due) break;
      if (due.kind === "limit") this.#reach(due.limit);
      else if (due.kind === "ping") this.#sender.ping(KEEPALIVE_PING);
      else if (due.kind === "goAway") this.#leave("");
      else this.#requests.expire();
    }
    this.#wake();
  }

  /**
   * Ends the connection once its streams have ended. Those that the client begins before it can know of that are taken.
   */
  shutdown(now: number, reason = "") {
    if (this.#isLeaving || this.#isOver) return;
    this.#isLeaving = true;
    this.#now = now;
    if (this.#isReady && this.streams > 0) {
      this.#sender.goAway(ANY_STREAM, ErrorCode.NoError, reason);
      this.#sender.ping(GOAWAY_PING);
      this.#lifetime.leaving(now);
    } else this.#leave(reason);
    this.#wake();
  }

  /** Ends the connection, with an error that the client is told of. */
  fail(code: ErrorCode, message: string) {
    if (!this.#isOver) this.#fail(new ConnectionError(code, message));
    this.#wake();
  }

  /** Takes the connection for broken: nothing comes, and nothing is sent any more. */
  abort() {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#requests.closeAll(ErrorCode.Cancel);
  }

  #wake() {
    if (this.#isAwake || !(this.hasOutput || this.isDone)) return;
    this.#isAwake = true;
    this.#handler.wake();
  }

  #reach(limit: TimeLimit) {
    this.#handler.limit(limit);
    if (limit === "idleTimeout" || limit === "maxConnectionAge") {
      this.shutdown(this.#now, limit);
    } else if (limit === "handshakeTimeout") {
      this.#fail(
        new ConnectionError(
          ErrorCode.SettingsTimeout,
          "the preface and SETTINGS did not come in time",
        ),
      );
    } else {
      this.#fail(
        new ConnectionError(ErrorCode.NoError, "a ping was not answered"),
      );
    }
  }

  /** Takes no more streams, and says so where it makes a difference. */
  #leave(reason: string) {
    this.#isLeaving = true;
    this.#shut();
    // A connection without streams is just closed: the client of Deno 2.9 crashes upon GOAWAY then.
    if (this.#isReady && this.streams === 0) return;
    this.#sender.goAway(this.#requests.last, ErrorCode.NoError, reason);
  }

  #shut() {
    this.#isShut = true;
    this.#requests.lastTaken = this.#requests.last;
    this.#lifetime.left();
  }

  #fail(error: ConnectionError) {
    this.#error = error;
    this.#sender.goAway(this.#requests.last, error.code, error.message);
    this.#requests.closeAll(error.code);
  }

  /** What requests need of this. */
  #host(): RequestHost {
    const now = () => this.#now;
    const isOver = () => this.#isOver;
    return {
      get now() {
        return now();
      },
      get isOver() {
        return isOver();
      },
      open: (stream, request) => this.#handler.open(stream, request),
      refused: () => this.#handler.limit("streamsPerConnection"),
      busy: () => this.#lifetime.busy(),
      idle: () => this.#lifetime.idle(this.#now),
      wake: () => this.#wake(),
    };
  }

  readonly #frames: FrameHandler = {
    data: (id, isEnd, size, bytes, start, end) => {
      this.#requests.data(id, isEnd, size, bytes, start, end);
    },
    headers: (id, list) => this.#requests.headers(id, list),
    priority: (id, code) => {
      this.#idleFrame();
      this.#requests.priority(id, code);
    },
    rstStream: (id, code) => this.#requests.rstStream(id, code),
    settings: (bytes, start, end) => {
      this.#idleFrame();
      readSettings(bytes, start, end, this.#settings);
      this.#sender.settingsAck();
      this.#isReady = true;
      this.#lifetime.ready();
    },
    settingsAck: () => this.#idleFrame(),
    ping: (payload) => {
      this.#idleFrame();
      this.#sender.pong(payload);
    },
    pong: (payload) => {
      const isLast = this.#isLeaving && !this.#isShut;
      if (isLast && payload[7] === GOAWAY_PING) this.#leave("");
      else this.#idleFrame();
    },
    goAway: () => {
      this.#idleFrame();
      // Who leaves begins no more streams, and need not be told.
      this.#isLeaving = true;
      if (!this.#isShut) this.#shut();
    },
    windowUpdate: (id, size) => {
      this.#idleFrame();
      if (id !== 0) return this.#requests.windowUpdate(id, size);
      if (size === 0) throw protocolError("WINDOW_UPDATE is of 0 bytes");
      if (!this.#sender.widenAll(size)) throw tooWide();
    },
    unknown: () => this.#idleFrame(),
  };

  readonly #settings: ClientSettings = {
    tableSize: (size) => this.#sender.setTableSize(size),
    maxPayload: (size) => this.#sender.setMaxPayload(size),
    initialWindow: (size) => {
      if (!this.#requests.setInitialWindow(size)) throw tooWide();
    },
  };

  #idleFrame() {
    this.#flood.idleFrame(this.#now);
  }
}

function tooWide(): ConnectionError {
  return new ConnectionError(
    ErrorCode.FlowControlError,
    "a window is larger than 2^31-1 bytes",
  );
}
