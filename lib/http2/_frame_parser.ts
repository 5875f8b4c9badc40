import type { Field } from "./_fields.ts";
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  uint31,
  uint32,
  WINDOW_UPDATE,
  WITH_PRIORITY,
} from "./_frames.ts";
import { FrameReader } from "./_frame_reader.ts";
import { HeaderReader } from "./_header_reader.ts";
import { ConnectionError, ErrorCode, protocolError } from "./errors.ts";

/** A header block, decoded. */
export interface HeaderList {
  readonly fields: readonly Field[];
  /** Whether the stream ends with it. */
  readonly isEnd: boolean;
  /** Whether it is larger than is taken, so that a part of it is missing. */
  readonly isTooLarge: boolean;
  /** What is wrong with the frame that began it. */
  readonly flaw: string | undefined;
}

/** Takes what a client sends. Frames are as they should be by themselves, whatever the state of their stream. */
export interface FrameHandler {
  /** A part of a body from `start` to `end`; `size` is what it counts for, with its padding. */
  data(
    id: number,
    isEnd: boolean,
    size: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
  headers(id: number, list: HeaderList): void;
  /** `code` says what is wrong with it; undefined if nothing is. What it says has no meaning any more. */
  priority(id: number, code: ErrorCode | undefined): void;
  rstStream(id: number, code: ErrorCode): void;
  /** The payload of SETTINGS from `start` to `end`. */
  settings(bytes: Uint8Array, start: number, end: number): void;
  settingsAck(): void;
  ping(payload: Uint8Array): void;
  pong(payload: Uint8Array): void;
  goAway(): void;
  /** `id` is 0 for all streams together. */
  windowUpdate(id: number, size: number): void;
  /** A frame of a type that has no meaning here. */
  unknown(): void;
}

/** Reads what a client sends: the preface, and the frames after it. */
export class FrameParser {
  readonly #handler: FrameHandler;
  readonly #reader = new FrameReader();
  readonly #headers = new HeaderReader();
  /** How much of the preface has come. */
  #prefaced = 0;
  #isBegun = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /**
   * Takes bytes that came, and passes on the frames that are complete with them. Returns how many bytes were taken: not
   * all once the time is over.
   *
   * @throws {ConnectionError} for what ends the connection
   */
  read(bytes: Uint8Array, isOver: () => boolean): number {
    let at = 0;
    while (at < bytes.length && this.#prefaced < PREFACE.length) {
      if (bytes[at++] !== PREFACE[this.#prefaced++]) {
        throw protocolError("what came first is not the preface of HTTP/2");
      }
    }
    return this.#reader.read(bytes, at, this.#take, isOver);
  }

  #take = (
    type: number,
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) => {
    const expected = this.#headers.streamId;
    if (expected !== 0 && (type !== CONTINUATION || id !== expected)) {
      throw protocolError("a header block is interrupted by another frame");
    }
    if (!this.#isBegun) {
      if (type !== SETTINGS || (flags & ACK) !== 0) {
        throw protocolError("the first frame is not SETTINGS");
      }
      this.#isBegun = true;
    }
    switch (type) {
      case DATA:
        return this.#data(flags, id, bytes, start, end);
      case HEADERS:
        return this.#header(flags, id, bytes, start, end);
      case CONTINUATION:
        if (expected === 0) {
          throw protocolError("CONTINUATION follows no header block");
        }
        return this.#block(flags, bytes, start, end);
      case PRIORITY:
        return this.#priority(id, bytes, start, end);
      case RST_STREAM:
        return this.#rstStream(id, bytes, start, end);
      case SETTINGS:
        return this.#settings(flags, id, bytes, start, end);
      case PUSH_PROMISE:
        throw protocolError("a client may not push");
      case PING:
        return this.#ping(flags, id, bytes, start, end);
      case GOAWAY:
        if (id !== 0) throw protocolError("GOAWAY is on a stream");
        if (end - start < 8) throw sizeError("GOAWAY", end - start);
        return this.#handler.goAway();
      case WINDOW_UPDATE:
        return this.#windowUpdate(id, bytes, start, end);
      default:
        this.#handler.unknown();
    }
  };

  #data(
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    if (id === 0) throw protocolError("DATA is on no stream");
    const size = end - start;
    let [from, to] = [start, end];
    if ((flags & PADDED) !== 0) {
      if (size < 1) throw sizeError("padded DATA", size);
      to -= bytes[from++];
      if (to < from) throw protocolError("DATA is padded beyond its size");
    }
    const isEnd = (flags & END_STREAM) !== 0;
    this.#handler.data(id, isEnd, size, bytes, from, to);
  }

  #header(
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    if (id % 2 === 0) throw protocolError(`HEADERS are on stream ${id}`);
    let [from, to] = [start, end];
    if ((flags & PADDED) !== 0) {
      if (to === from) throw sizeError("padded HEADERS", 0);
      to -= bytes[from++];
    }
    let flaw: string | undefined;
    if ((flags & WITH_PRIORITY) !== 0) {
      if (to - from < 5) throw sizeError("HEADERS with priority", end - start);
      if (uint31(bytes, from) === id) flaw = "a stream depends on itself";
      from += 5;
    }
    if (to < from) throw protocolError("HEADERS are padded beyond their size");
    this.#headers.begin(id, (flags & END_STREAM) !== 0, flaw);
    this.#block(flags, bytes, from, to);
  }

  #block(flags: number, bytes: Uint8Array, start: number, end: number) {
    const id = this.#headers.streamId;
    const isLast = (flags & END_HEADERS) !== 0;
    const fields = this.#headers.read(bytes, start, end, isLast);
    if (!fields) return;
    const { isEnd, isTooLarge, flaw } = this.#headers;
    this.#handler.headers(id, { fields, isEnd, isTooLarge, flaw });
  }

  #priority(id: number, bytes: Uint8Array, start: number, end: number) {
    if (id === 0) throw protocolError("PRIORITY is on no stream");
    const code = end - start !== 5
      ? ErrorCode.FrameSizeError
      : uint31(bytes, start) === id
      ? ErrorCode.ProtocolError
      : undefined;
    this.#handler.priority(id, code);
  }

  #rstStream(id: number, bytes: Uint8Array, start: number, end: number) {
    if (end - start !== 4) throw sizeError("RST_STREAM", end - start);
    this.#handler.rstStream(id, uint32(bytes, start));
  }

  #settings(
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    if (id !== 0) throw protocolError("SETTINGS are on a stream");
    if ((flags & ACK) === 0) this.#handler.settings(bytes, start, end);
    else if (end > start) throw sizeError("an ACK of SETTINGS", end - start);
    else this.#handler.settingsAck();
  }

  #ping(
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    if (id !== 0) throw protocolError("PING is on a stream");
    if (end - start !== 8) throw sizeError("PING", end - start);
    const payload = bytes.subarray(start, end);
    if ((flags & ACK) === 0) this.#handler.ping(payload);
    else this.#handler.pong(payload);
  }

  #windowUpdate(id: number, bytes: Uint8Array, start: number, end: number) {
    if (end - start !== 4) throw sizeError("WINDOW_UPDATE", end - start);
    this.#handler.windowUpdate(id, uint31(bytes, start));
  }
}

function sizeError(what: string, size: number): ConnectionError {
  return new ConnectionError(
    ErrorCode.FrameSizeError,
    `${what} may not be ${size} bytes`,
  );
}
