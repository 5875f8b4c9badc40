import { Budget } from "./_budget.ts";
import {
  type ClientSettings,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  readSettings,
} from "./_client_settings.ts";
import {
  type FrameHandler,
  FrameParser,
  type HeaderList,
} from "./_frame_parser.ts";
import { MAX_LIST } from "./_header_reader.ts";
import { Lifetime, type TimeLimit, type Times } from "./_lifetime.ts";
import { OpenStream } from "./_open_stream.ts";
import { Receiver, STREAM_WINDOW } from "./_receiver.ts";
import { Sender } from "./_sender.ts";
import { Streams } from "./_streams.ts";
import { ConnectionError, ErrorCode, protocolError } from "./errors.ts";
import { type HeaderBlock, headerBlock } from "./header_block.ts";
import { flawOfTrailers, parseRequest, type Request } from "./request.ts";
import type { Stream } from "./stream.ts";

/** A limit that a connection keeps to, by its name. */
export type ConnectionLimit = TimeLimit | "streamsPerConnection";

/** What a connection may be. */
export interface ConnectionOptions extends Times {
  /** Streams that may be open at a time. */
  readonly streamsPerConnection: number;
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

/** Bytes of frames that may wait, other than of bodies; a client that reads nothing and asks for more is given up. */
const MAX_WAITING = 1024 * 1024;

/** Frames of a client that ask for work and bring nothing: how many at once, and how many a second. */
const MAX_IDLE_FRAMES = 2_000;
const IDLE_FRAMES_PER_SECOND = 200;
/** What is sent allows for more: windows are opened, and times are measured with pings. */
const IDLE_FRAMES_PER_DATA = 4;

/** Streams that a client may have begun in vain: how many at once, and how many a second. */
const MAX_RESETS = 2_000;
const RESETS_PER_SECOND = 50;

/** Says which of two pings is answered. */
const KEEPALIVE_PING = 1;
const GOAWAY_PING = 2;

const tooLarge: HeaderBlock = headerBlock([[":status", "431"]]);

/**
 * The server's side of a connection of HTTP/2 (RFC 9113): what comes is told to it as bytes, what is to be sent is taken
 * from it as bytes. It does no I/O and has no clock; times are in milliseconds, from whenever.
 */
export class Connection {
  readonly #handler: ConnectionHandler;
  readonly #limit: number;
  readonly #parser: FrameParser;
  readonly #streams = new Streams();
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #lifetime: Lifetime;
  readonly #idleFrames = new Budget(MAX_IDLE_FRAMES, IDLE_FRAMES_PER_SECOND);
  readonly #resets = new Budget(MAX_RESETS, RESETS_PER_SECOND);
  #now: number;
  #isReady = false;
  /** Whether it ends once its streams have; the last stream that is taken. */
  #isLeaving = false;
  #lastTaken: number | undefined;
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
    this.#limit = options.streamsPerConnection;
    this.#now = now;
    this.#lifetime = new Lifetime(options, now);
    this.#sender = new Sender((stream) => this.#finished(stream));
    this.#receiver = new Receiver(this.#sender);
    this.#parser = new FrameParser(this.#frames);
    this.#sender.settings([
      [MAX_CONCURRENT_STREAMS, this.#limit],
      [MAX_HEADER_LIST_SIZE, MAX_LIST],
    ]);
    this.#receiver.open();
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
    return this.#streams.open.size;
  }

  /** Whether there may be something to write. */
  get hasOutput(): boolean {
    return this.#sender.hasOutput;
  }

  /** Whether nothing more is to be written, so that the socket can be closed. */
  get isDone(): boolean {
    const isOver = this.#error !== undefined ||
      (this.#lastTaken !== undefined && this.streams === 0);
    return this.#isAborted || (isOver && !this.hasOutput);
  }

  /** When {@linkcode tick} is to be called, at the latest; Infinity for never. */
  get deadline(): number {
    return this.#isOver ? Infinity : this.#lifetime.next;
  }

  get #isOver(): boolean {
    return this.#isAborted || this.#error !== undefined;
  }

  /** Takes bytes that came. They are read within the call, and not kept. */
  receive(bytes: Uint8Array, now: number) {
    if (this.#isOver) return;
    this.#now = now;
    this.#lifetime.heard(now);
    try {
      this.#parser.read(bytes);
      if (this.#sender.waiting > MAX_WAITING) {
        throw calm(`${this.#sender.waiting} bytes of answers wait to be read`);
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.#fail(error);
    }
    this.#wake();
  }

  /** Writes what is to be sent, as much as there is room for. Returns how many bytes that was. */
  write(into: Uint8Array): number {
    this.#isAwake = false;
    const size = this.#sender.write(into);
    if (this.#sender.written > 0) {
      this.#idleFrames.gain(this.#sender.written * IDLE_FRAMES_PER_DATA);
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
      else this.#expire();
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
    this.#closeAll(ErrorCode.Cancel);
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

  #expire() {
    for (const { handler } of [...this.#streams.open.values()]) {
      handler.expire?.();
    }
  }

  /** Takes no more streams, and says so where it makes a difference. */
  #leave(reason: string) {
    this.#isLeaving = true;
    this.#lastTaken = this.#streams.last;
    this.#lifetime.left();
    // A connection without streams is just closed: the client of Deno 2.9 crashes upon GOAWAY then.
    if (this.#isReady && this.streams === 0) return;
    this.#sender.goAway(this.#lastTaken, ErrorCode.NoError, reason);
  }

  #fail(error: ConnectionError) {
    this.#error = error;
    this.#sender.goAway(this.#streams.last, error.code, error.message);
    this.#closeAll(error.code);
  }

  #closeAll(code: ErrorCode) {
    this.#sender.drop();
    for (const stream of [...this.#streams.open.values()]) {
      this.#close(stream, true, code);
    }
  }

  readonly #frames: FrameHandler = {
    data: (id, isEnd, size, bytes, start, end) => {
      this.#data(id, isEnd, size, bytes, start, end);
    },
    headers: (id, list) => {
      const stream = this.#streams.open.get(id);
      if (stream) this.#trailers(stream, list);
      else if (id > this.#streams.last) this.#request(id, list);
      else this.#late(id, "HEADERS");
    },
    priority: (id, code) => {
      this.#spendIdle();
      if (code === undefined) return;
      const stream = this.#streams.open.get(id);
      if (stream) this.#cut(stream, code);
      else this.#sender.reset(id, code);
    },
    rstStream: (id, code) => {
      const stream = this.#streams.open.get(id);
      if (!stream) return this.#late(id, "RST_STREAM");
      this.#close(stream, true, code);
      this.#spendReset();
    },
    settings: (bytes, start, end) => {
      this.#spendIdle();
      readSettings(bytes, start, end, this.#settings);
      this.#sender.settingsAck();
      this.#isReady = true;
      this.#lifetime.ready();
    },
    settingsAck: () => this.#spendIdle(),
    ping: (payload) => {
      this.#spendIdle();
      this.#sender.pong(payload);
    },
    pong: (payload) => {
      const isLast = this.#isLeaving && this.#lastTaken === undefined;
      if (isLast && payload[7] === GOAWAY_PING) this.#leave("");
      else this.#spendIdle();
    },
    goAway: () => {
      this.#spendIdle();
      // Who leaves begins no more streams, and need not be told.
      this.#isLeaving = true;
      this.#lastTaken ??= this.#streams.last;
      this.#lifetime.left();
    },
    windowUpdate: (id, size) => {
      this.#spendIdle();
      if (id === 0) {
        if (size === 0) throw protocolError("WINDOW_UPDATE is of 0 bytes");
        if (!this.#sender.widenAll(size)) throw tooWide();
        return;
      }
      const stream = this.#streams.open.get(id);
      if (!stream) return this.#late(id, "WINDOW_UPDATE");
      if (size === 0) this.#cut(stream, ErrorCode.ProtocolError);
      else if (!this.#sender.widen(stream, size)) {
        this.#cut(stream, ErrorCode.FlowControlError);
      }
    },
    unknown: () => this.#spendIdle(),
  };

  readonly #settings: ClientSettings = {
    tableSize: (size) => this.#sender.setTableSize(size),
    maxPayload: (size) => this.#sender.setMaxPayload(size),
    initialWindow: (size) => {
      const more = size - this.#sender.streamWindow;
      this.#sender.streamWindow = size;
      for (const stream of this.#streams.open.values()) {
        if (!this.#sender.widen(stream, more)) throw tooWide();
      }
    },
  };

  #data(
    id: number,
    isEnd: boolean,
    size: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    // A handler may have ended the connection meanwhile.
    if (this.#isOver) return;
    this.#receiver.take(size);
    if (start === end && !isEnd) this.#spendIdle();
    const stream = this.#streams.open.get(id);
    if (!stream || stream.isRead) {
      this.#receiver.giveBack(size);
      if (stream) this.#cut(stream, ErrorCode.StreamClosed);
      else this.#late(id, "DATA");
      return;
    }
    if (!this.#receiver.takeFor(stream, size, end - start)) {
      return this.#cut(stream, ErrorCode.FlowControlError);
    }
    if (stream.expected >= 0) {
      stream.expected -= end - start;
      if (stream.expected < 0) return this.#malformed(stream);
    }
    if (end > start) stream.handler.data(bytes, start, end);
    if (isEnd && !stream.isClosed) this.#end(stream);
  }

  #trailers(
    stream: OpenStream,
    { fields, isEnd, isTooLarge, flaw }: HeaderList,
  ) {
    if (stream.isRead) this.#cut(stream, ErrorCode.StreamClosed);
    else if (!isEnd || isTooLarge || (flaw ?? flawOfTrailers(fields))) {
      this.#malformed(stream);
    } else this.#end(stream);
  }

  #request(id: number, { fields, isEnd, isTooLarge, flaw }: HeaderList) {
    if (this.#isOver) return;
    this.#streams.last = id;
    if (this.#lastTaken !== undefined && id > this.#lastTaken) {
      this.#streams.forget(id, false);
      this.#spendIdle();
      return;
    }
    if (this.streams >= this.#limit) {
      this.#refuse(id, ErrorCode.RefusedStream);
      this.#handler.limit("streamsPerConnection");
      return;
    }
    if (isTooLarge) {
      this.#sender.headers(id, tooLarge, true);
      this.#refuse(id, isEnd ? ErrorCode.NoError : ErrorCode.Cancel);
      return;
    }
    const parsed = parseRequest(fields);
    if (!parsed.request || flaw) {
      this.#refuse(id, ErrorCode.ProtocolError);
      return;
    }
    const { request } = parsed;
    const stream = new OpenStream(
      id,
      this.#host,
      this.#sender.streamWindow,
      STREAM_WINDOW,
      request.contentLength,
    );
    this.#streams.open.set(id, stream);
    this.#lifetime.busy();
    this.#handler.open(stream, request);
    if (isEnd && !stream.isClosed) this.#end(stream);
  }

  /** The client's side of a stream ended. */
  #end(stream: OpenStream) {
    if (stream.expected > 0) return this.#malformed(stream);
    stream.isRead = true;
    stream.handler.end();
  }

  /** A frame came of a stream that is not open. */
  #late(id: number, what: string) {
    if (this.#streams.isIdle(id)) {
      throw protocolError(`${what} came on stream ${id}, which is not open`);
    }
    this.#spendIdle();
    if (what === "RST_STREAM") this.#streams.settle(id);
    if (this.#streams.wasCut(id)) return;
    if (what === "DATA") this.#sender.reset(id, ErrorCode.StreamClosed);
    else if (what === "HEADERS") {
      const code = this.#streams.wasEnded(id)
        ? ErrorCode.StreamClosed
        : ErrorCode.ProtocolError;
      throw new ConnectionError(code, `stream ${id} is closed`);
    }
  }

  #malformed(stream: OpenStream) {
    this.#cut(stream, ErrorCode.ProtocolError);
  }

  /** Ends a stream for what the client did on it. */
  #cut(stream: OpenStream, code: ErrorCode) {
    this.#sender.reset(stream.id, code);
    this.#close(stream, false, code);
    this.#spendReset();
  }

  /** Ends a stream that was not opened. */
  #refuse(id: number, code: ErrorCode) {
    if (code !== ErrorCode.NoError) this.#sender.reset(id, code);
    this.#streams.forget(id, false);
    this.#spendReset();
  }

  /** A response went out whole. */
  #finished(stream: OpenStream) {
    // So that what of the request is still to come, comes no more.
    if (!stream.isRead) this.#sender.reset(stream.id, ErrorCode.NoError);
    this.#close(stream, stream.isRead, undefined);
  }

  #close(
    stream: OpenStream,
    isKnown: boolean,
    code: ErrorCode | undefined,
  ) {
    this.#streams.close(stream, isKnown);
    this.#receiver.close(stream);
    if (this.streams === 0) this.#lifetime.idle(this.#now);
    stream.handler.close(code);
  }

  #spendIdle() {
    if (!this.#idleFrames.spend(this.#now)) {
      throw calm("too many frames that bring nothing");
    }
  }

  #spendReset() {
    if (!this.#resets.spend(this.#now)) {
      throw calm("too many streams were begun and given up");
    }
  }

  readonly #host = {
    respond: (stream: OpenStream, block: HeaderBlock) => {
      this.#sender.headers(stream.id, block, false);
      this.#wake();
    },
    wake: (stream: OpenStream) => {
      this.#sender.wake(stream);
      this.#wake();
    },
    reset: (stream: OpenStream, code: ErrorCode) => {
      this.#sender.reset(stream.id, code);
      this.#close(stream, false, undefined);
      this.#wake();
    },
    consume: (stream: OpenStream, size: number) => {
      this.#receiver.consume(stream, size);
      this.#wake();
    },
  };
}

function tooWide(): ConnectionError {
  return new ConnectionError(
    ErrorCode.FlowControlError,
    "a window is larger than 2^31-1 bytes",
  );
}

function calm(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.EnhanceYourCalm, message);
}
