import type { HeaderList } from "./_frame_parser.ts";
import { OpenStream, type StreamHost } from "./_open_stream.ts";
import type { FloodGuard } from "./_flood_guard.ts";
import { type Receiver, STREAM_WINDOW } from "./_receiver.ts";
import type { Sender } from "./_sender.ts";
import { Streams } from "./_streams.ts";
import { ConnectionError, ErrorCode, protocolError } from "./errors.ts";
import { type HeaderBlock, headerBlock } from "./header_block.ts";
import { flawOfTrailers, parseRequest, type Request } from "./request.ts";
import type { Stream } from "./stream.ts";

/** What requests need of their connection. */
export interface RequestHost {
  readonly now: number;
  /** Whether nothing counts any more. */
  readonly isOver: boolean;
  /** A request has begun. */
  open(stream: Stream, request: Request): void;
  /** A stream was one too many. */
  refused(): void;
  /** There are streams now, and there are none any more. */
  busy(): void;
  idle(): void;
  /** There may be something to write. */
  wake(): void;
}

const tooLarge: HeaderBlock = headerBlock([[":status", "431"]]);

/** The requests of a connection: its streams, and what the frames of a client do to them. */
export class Requests {
  /** The last stream that is taken. */
  lastTaken = Infinity;
  readonly #host: RequestHost;
  readonly #limit: number;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #flood: FloodGuard;
  readonly #streams = new Streams();

  /** @param limit how many streams may be open */
  constructor(
    host: RequestHost,
    limit: number,
    sender: Sender,
    receiver: Receiver,
    flood: FloodGuard,
  ) {
    this.#host = host;
    this.#limit = limit;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#flood = flood;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#streams.open.size;
  }

  /** The last stream that was begun. */
  get last(): number {
    return this.#streams.last;
  }

  /** Ends all streams. */
  closeAll(code: ErrorCode) {
    this.#sender.drop();
    for (const stream of [...this.#streams.open.values()]) {
      this.#close(stream, true, code);
    }
  }

  /** Tells all streams that they are to end, and cuts those whose client has no window for what there is to send. */
  expire() {
    for (const stream of [...this.#streams.open.values()]) {
      const isHeldBack = stream.part && (stream.isBlocked || stream.isStarved);
      stream.handler.expire?.();
      // Nor would its end get through.
      if (isHeldBack) stream.reset(ErrorCode.Cancel);
    }
  }

  /** The client takes so much of a body from its beginning; false if some window is wider than can be for that. */
  setInitialWindow(size: number): boolean {
    const more = size - this.#sender.streamWindow;
    this.#sender.streamWindow = size;
    for (const stream of this.#streams.open.values()) {
      if (!this.#sender.widen(stream, more)) return false;
    }
    return true;
  }

  /** HEADERS came: a request, or what follows a body. */
  headers(id: number, list: HeaderList) {
    const stream = this.#streams.open.get(id);
    if (stream) this.#trailers(stream, list);
    else if (id > this.#streams.last) this.#request(id, list);
    else this.#late(id, "HEADERS");
  }

  /** PRIORITY came, and what is wrong with it. */
  priority(id: number, code: ErrorCode | undefined) {
    if (code === undefined) return;
    const stream = this.#streams.open.get(id);
    if (stream) this.#cut(stream, code);
    else this.#sender.reset(id, code);
  }

  /** RST_STREAM came. */
  rstStream(id: number, code: ErrorCode) {
    const stream = this.#streams.open.get(id);
    if (!stream) return this.#late(id, "RST_STREAM");
    this.#close(stream, true, code);
    this.#flood.reset(this.#host.now);
  }

  /** WINDOW_UPDATE came. */
  windowUpdate(id: number, size: number) {
    const stream = this.#streams.open.get(id);
    if (!stream) return this.#late(id, "WINDOW_UPDATE");
    if (size === 0) this.#cut(stream, ErrorCode.ProtocolError);
    else if (!this.#sender.widen(stream, size)) {
      this.#cut(stream, ErrorCode.FlowControlError);
    }
  }

  /** DATA came; `size` is what it counts for, with its padding. */
  data(
    id: number,
    isEnd: boolean,
    size: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    // A handler may have ended the connection meanwhile.
    if (this.#host.isOver) return;
    this.#receiver.take(size);
    if (start === end && !isEnd) this.#flood.idleFrame(this.#host.now);
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
    if (this.#host.isOver) return;
    this.#streams.last = id;
    if (id > this.lastTaken) {
      this.#streams.forget(id, false);
      this.#flood.idleFrame(this.#host.now);
      return;
    }
    if (this.#streams.open.size >= this.#limit) {
      this.#refuse(id, ErrorCode.RefusedStream);
      this.#host.refused();
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
      this.#streamHost,
      this.#sender.streamWindow,
      STREAM_WINDOW,
      request.contentLength,
    );
    this.#streams.open.set(id, stream);
    this.#host.busy();
    this.#host.open(stream, request);
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
    this.#flood.idleFrame(this.#host.now);
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
    this.#flood.reset(this.#host.now);
  }

  /** Ends a stream that was not opened. */
  #refuse(id: number, code: ErrorCode) {
    if (code !== ErrorCode.NoError) this.#sender.reset(id, code);
    this.#streams.forget(id, false);
    this.#flood.reset(this.#host.now);
  }

  /** A response went out whole. */
  finished(stream: OpenStream) {
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
    this.#sender.forget(stream);
    if (this.#streams.open.size === 0) this.#host.idle();
    stream.close(code);
  }

  readonly #streamHost: StreamHost = {
    respond: (stream: OpenStream, block: HeaderBlock) => {
      this.#sender.headers(stream.id, block, false);
      this.#host.wake();
    },
    wake: (stream: OpenStream) => {
      this.#sender.wake(stream);
      this.#host.wake();
    },
    reset: (stream: OpenStream, code: ErrorCode) => {
      this.#sender.reset(stream.id, code);
      this.#close(stream, false, undefined);
      this.#host.wake();
    },
    consume: (stream: OpenStream, size: number) => {
      this.#receiver.consume(stream, size);
      this.#host.wake();
    },
  };
}
