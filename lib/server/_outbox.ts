import type { Http2Session, ServerHttp2Stream } from "node:http2";
import { nextTick } from "node:process";

/** What writes to one stream of a connection. */
export interface StreamWriter {
  /** Writes the next part of what there is to write. Returns how many bytes that were, 0 if there are none. */
  write(): number;
}

/** Bytes of a response that are handed to the runtime at a time: it copies them, and keeps the room that it copied to. */
export const PART_BYTES = 64 * 1024;

/** Bytes that a connection may have on their way to the socket; beyond, its streams wait. */
const MOST_BYTES = 256 * 1024;

const outboxes = new WeakMap<Http2Session, Outbox>();

/**
 * Writes for the streams of one connection: what is ready at once leaves with one system call, and large responses part
 * by part, as the socket takes them, so that their copies never lie in memory as a whole.
 */
export class Outbox {
  readonly #connection: Http2Session;
  #waiting: StreamWriter[] = [];
  #isScheduled = false;

  private constructor(connection: Http2Session) {
    this.#connection = connection;
  }

  /** The outbox of a stream's connection. */
  static of({ session }: ServerHttp2Stream): Outbox | undefined {
    if (!session) return undefined;
    let outbox = outboxes.get(session);
    if (!outbox) outboxes.set(session, outbox = new Outbox(session));
    return outbox;
  }

  /** Has a stream written to soon, after all that happens at once. Not to be called again until it was. */
  add(writer: StreamWriter) {
    this.#waiting.push(writer);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(this.#run);
  }

  #run = () => {
    // A connection that was cut has no socket; its streams end by themselves.
    if (this.#connection.destroyed) return;
    const { socket } = this.#connection;
    let room = MOST_BYTES - socket.writableLength;
    let wrote = false;
    while (room > 0 && this.#waiting.length > 0) {
      const turn = this.#waiting;
      this.#waiting = [];
      for (const [i, writer] of turn.entries()) {
        const size = writer.write();
        room -= size;
        if (size === 0) continue;
        wrote = true;
        this.#waiting.push(writer);
        if (room > 0) continue;
        // Those that had no turn come before those that had one.
        this.#waiting = [...turn.slice(i + 1), ...this.#waiting];
        break;
      }
    }
    if (!wrote) {
      this.#continue();
      return;
    }
    socket.cork();
    // Behind the tick in which the runtime hands the streams' frames to the socket.
    nextTick(() => {
      if (!this.#connection.destroyed) socket.uncork();
      this.#continue();
    });
  };

  #continue() {
    if (this.#connection.destroyed) return;
    const { socket } = this.#connection;
    if (this.#waiting.length === 0) {
      this.#isScheduled = false;
    } else if (socket.writableNeedDrain) {
      socket.once("drain", this.#run);
    } else {
      nextTick(this.#run);
    }
  }
}
