import { connect, type Socket } from "node:net";
import { until } from "../support/until.ts";
import {
  ACK,
  concat,
  type Frame,
  frame,
  Frames,
  PREFACE,
  settingsFrame,
} from "./_wire.ts";

/** A client that sends just what a test says, and answers nothing by itself. */
export class RawClient implements Disposable {
  /** What came. */
  readonly frames: Frame[] = [];
  /** The port that it connects from, once it has. */
  port = 0;
  readonly #socket: Socket;
  #isClosed = false;

  constructor(port: number) {
    const frames = new Frames();
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("connect", () => this.port = this.#socket.localPort!);
    this.#socket.on(
      "data",
      (bytes: Uint8Array) => this.frames.push(...frames.take(bytes)),
    );
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => this.#isClosed = true);
  }

  /** Sends frames. */
  send(...frames: readonly Uint8Array[]) {
    this.#socket.write(concat(frames));
  }

  /** Begins HTTP/2, and sends frames after. */
  begin(...frames: readonly Uint8Array[]) {
    this.send(PREFACE, settingsFrame(), frame("SETTINGS", ACK, 0), ...frames);
  }

  /** Waits for a frame of a kind. */
  async next(
    name: string,
    matches: (frame: Frame) => boolean = () => true,
  ): Promise<Frame> {
    return await until(
      `a frame ${name}`,
      () => this.frames.find((frame) => frame.name === name && matches(frame)),
    );
  }

  /** Waits until the server has closed the connection, for so many milliseconds. */
  async closed(deadline?: number): Promise<void> {
    await until("the connection's end", () => this.#isClosed, deadline);
  }

  /** Reads nothing more. */
  pause() {
    this.#socket.pause();
  }

  /** Closes its own side. */
  end() {
    this.#socket.end();
  }

  [Symbol.dispose]() {
    this.#socket.destroy();
  }
}
