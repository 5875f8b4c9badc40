import { ByteQueue } from "./_byte_queue.ts";
import type { ErrorCode } from "./errors.ts";
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEAD_BYTES,
  HEADERS,
  MAX_PAYLOAD,
  PING,
  putHead,
  putUint32,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from "./_frames.ts";
import type { HeaderBlock } from "./header_block.ts";
import { NO_TRAILERS, type OpenStream } from "./_open_stream.ts";

const MAX_WINDOW = 2 ** 31 - 1;

/** A frame is not cut shorter than this just because what it is written to is nearly full. */
const SHORT = 1_024;

/** What a connection sends: frames that wait as bytes, and bodies that are pulled when the client can take them. */
export class Sender {
  /** Frames that have their place already. A body's frames come after. */
  readonly #waiting = new ByteQueue();
  /** Streams that are to be written to, in turn. */
  #first: OpenStream | undefined;
  #last: OpenStream | undefined;
  /** Those that wait for the connection's window. */
  #starved = new Set<OpenStream>();
  /** Bytes of bodies that the client takes, of all streams together. */
  #window = 65_535;
  /** What it takes on a new stream. */
  streamWindow = 65_535;
  #maxPayload = MAX_PAYLOAD;
  /** Whether the next header block has to say that its table is empty. */
  #emptiesTable = false;
  readonly #sent: (stream: OpenStream) => void;
  /** Frames of bodies that were written, since it was last asked. */
  written = 0;

  /** @param sent is told of a stream whose response went out whole */
  constructor(sent: (stream: OpenStream) => void) {
    this.#sent = sent;
  }

  /** Whether there may be something to write. */
  get hasOutput(): boolean {
    return this.#first !== undefined || this.#waiting.size > 0;
  }

  /** How many bytes of frames wait, other than of bodies. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Has a stream written to, behind all that wait already. */
  wake(stream: OpenStream) {
    if (stream.isQueued || stream.isBlocked) return;
    // Trailers need no window.
    if (stream.isStarved && !stream.trailers) return;
    stream.isQueued = true;
    if (this.#last) this.#last.next = stream;
    else this.#first = stream;
    this.#last = stream;
  }

  /** Writes as much as there is room for. Returns how many bytes that was. */
  write(into: Uint8Array): number {
    let at = this.#waiting.moveTo(into, 0);
    while (this.#first && this.#waiting.size === 0) {
      const stream = this.#first;
      if (into.length - at <= HEAD_BYTES) break;
      this.#first = stream.next;
      if (!this.#first) this.#last = undefined;
      stream.next = undefined;
      stream.isQueued = false;
      if (stream.isClosed) continue;
      const to = this.#writeBody(stream, into, at);
      if (to < 0) {
        this.#putBack(stream);
        break;
      }
      at = this.#waiting.moveTo(into, to);
    }
    return at;
  }

  /** Writes a part of a stream's body, or its end. Returns where what comes next goes; -1 if there is no room. */
  #writeBody(stream: OpenStream, into: Uint8Array, at: number): number {
    if (stream.part === undefined) {
      // What could not be sent is not asked for. A response that ends may have nothing more to send.
      const mayPull = stream.window > 0 && this.#window > 0;
      if (mayPull || stream.trailers) {
        stream.part = stream.handler.pull();
        stream.offset = 0;
      }
      if (stream.isClosed) return at;
      if (stream.part === undefined && (mayPull || stream.trailers)) {
        if (stream.trailers) this.#end(stream, stream.trailers);
        return at;
      }
    }
    if (stream.window <= 0) {
      stream.isBlocked = true;
      return at;
    }
    if (this.#window <= 0) {
      this.#starved.add(stream);
      stream.isStarved = true;
      return at;
    }
    const part = stream.part!;
    const left = part.length - stream.offset;
    if (left === 0) {
      stream.part = undefined;
      this.wake(stream);
      return at;
    }
    const most = Math.min(left, stream.window, this.#window, this.#maxPayload);
    const room = into.length - at - HEAD_BYTES;
    if (room < Math.min(most, SHORT)) return -1;
    const size = Math.min(most, room);
    const body = putHead(into, at, size, DATA, 0, stream.id);
    if (size === part.length) into.set(part, body);
    else into.set(part.subarray(stream.offset, stream.offset + size), body);
    stream.window -= size;
    this.#window -= size;
    this.written++;
    if (size === left) stream.part = undefined;
    else stream.offset += size;
    this.wake(stream);
    return body + size;
  }

  #putBack(stream: OpenStream) {
    if (stream.isQueued) return;
    stream.isQueued = true;
    stream.next = this.#first;
    this.#first = stream;
    this.#last ??= stream;
  }

  #end(stream: OpenStream, trailers: HeaderBlock) {
    if (trailers === NO_TRAILERS) this.#head(0, DATA, END_STREAM, stream.id);
    else this.headers(stream.id, trailers, true);
    this.#sent(stream);
  }

  /** A header block, in as many frames as it takes. */
  headers(streamId: number, block: HeaderBlock, isEnd: boolean) {
    if (this.#emptiesTable) {
      this.#emptiesTable = false;
      // A change of the table's size, to 0 (RFC 7541, 4.2).
      block = Uint8Array.of(0x20, ...block);
    }
    let type = HEADERS;
    for (let at = 0; type === HEADERS || at < block.length;) {
      const size = Math.min(block.length - at, this.#maxPayload);
      const isLast = at + size === block.length;
      const flags = (type === HEADERS && isEnd ? END_STREAM : 0) |
        (isLast ? END_HEADERS : 0);
      this.#head(size, type, flags, streamId);
      this.#waiting.push(block.subarray(at, at + size));
      at += size;
      type = CONTINUATION;
    }
  }

  /** The settings that are not the protocol's own. */
  settings(settings: readonly (readonly [id: number, value: number])[]) {
    this.#head(settings.length * 6, SETTINGS, 0, 0);
    for (const [id, value] of settings) {
      const { bytes, at } = this.#waiting.add(6);
      bytes[at] = id >>> 8;
      bytes[at + 1] = id;
      putUint32(bytes, at + 2, value);
    }
  }

  /** That the client's settings are kept to. */
  settingsAck() {
    this.#head(0, SETTINGS, ACK, 0);
  }

  /** A ping, of which only the last byte says something. */
  ping(tag: number) {
    this.#head(8, PING, 0, 0);
    const { bytes, at } = this.#waiting.add(8);
    bytes.fill(0, at, at + 7);
    bytes[at + 7] = tag;
  }

  /** The answer to a ping. */
  pong(payload: Uint8Array) {
    this.#head(8, PING, ACK, 0);
    this.#waiting.push(payload);
  }

  /** That a stream is over. */
  reset(streamId: number, code: ErrorCode) {
    this.#number(RST_STREAM, streamId, code);
  }

  /** That more may come, on a stream or, with 0, on all together. */
  windowUpdate(streamId: number, size: number) {
    this.#number(WINDOW_UPDATE, streamId, size);
  }

  /** That no streams are taken beyond the last one. */
  goAway(lastStreamId: number, code: ErrorCode, debug: string) {
    const text = new TextEncoder().encode(debug);
    this.#head(8 + text.length, GOAWAY, 0, 0);
    const { bytes, at } = this.#waiting.add(8);
    putUint32(bytes, putUint32(bytes, at, lastStreamId), code);
    this.#waiting.push(text);
  }

  /** Sends no more bodies. */
  drop() {
    this.#first = this.#last = undefined;
    this.#starved.clear();
  }

  /** Forgets a stream that is over. */
  forget(stream: OpenStream) {
    if (stream.isStarved) this.#starved.delete(stream);
  }

  /** The client takes so much more on a stream; false if that is more than can be. */
  widen(stream: OpenStream, size: number): boolean {
    stream.window += size;
    if (stream.window > MAX_WINDOW) return false;
    if (stream.isBlocked && stream.window > 0) {
      stream.isBlocked = false;
      this.wake(stream);
    }
    return true;
  }

  /** The client takes so much more on all streams together; false if that is more than can be. */
  widenAll(size: number): boolean {
    this.#window += size;
    if (this.#window > MAX_WINDOW) return false;
    if (this.#window > 0 && this.#starved.size > 0) {
      const streams = this.#starved;
      this.#starved = new Set();
      for (const stream of streams) {
        stream.isStarved = false;
        this.wake(stream);
      }
    }
    return true;
  }

  /** The client takes payloads as large as this. */
  setMaxPayload(size: number) {
    this.#maxPayload = size;
  }

  /** The client keeps a table of so many bytes for header blocks, of which none is made use of. */
  setTableSize(size: number) {
    if (size < 4_096) this.#emptiesTable = true;
  }

  #number(type: number, streamId: number, value: number) {
    this.#head(4, type, 0, streamId);
    const { bytes, at } = this.#waiting.add(4);
    putUint32(bytes, at, value);
  }

  #head(size: number, type: number, flags: number, streamId: number) {
    const { bytes, at } = this.#waiting.add(HEAD_BYTES);
    putHead(bytes, at, size, type, flags, streamId);
  }
}
