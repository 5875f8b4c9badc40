/** A connection for attacks: it sends what it is told to, and keeps no more of the answers than what it was told. */
import { HpackDecoder } from "../../lib/http2/_hpack_decoder.ts";
import {
  ACK,
  codeName,
  concat,
  END_HEADERS,
  frame,
  Frames,
  PREFACE,
  requestBlock,
  settingsFrame,
  uint32,
} from "../http2/_wire.ts";

export const ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
export const DELTA_ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

/** A client that does not behave. */
export class Attacker {
  /** Takes what the server said, each once. */
  readonly told: Set<string>;
  isClosed = false;
  readonly #socket: Deno.TcpConn;
  readonly #decoder = new HpackDecoder();
  readonly #windows = new Map<number, number>();
  #window = 65_535;
  #moved = Promise.withResolvers<void>();

  private constructor(socket: Deno.TcpConn, told: Set<string>) {
    this.#socket = socket;
    this.told = told;
    this.#read();
  }

  static async connect(port: number, told: Set<string>): Promise<Attacker> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    return new Attacker(socket, told);
  }

  /** Begins HTTP/2, with settings. */
  async begin(settings: Record<string, number> = {}) {
    await this.write(
      PREFACE,
      settingsFrame(settings),
      frame("SETTINGS", ACK, 0),
    );
  }

  /** Opens a stream. */
  async open(id: number, path = ADS, fields: Record<string, string> = {}) {
    this.#windows.set(id, 65_535);
    const block = requestBlock(Object.entries({
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...fields,
    }));
    await this.write(frame("HEADERS", END_HEADERS, id, block));
  }

  /** Sends bytes of a body as the windows allow; false if the connection is over, or the stream is. */
  async send(id: number, bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length;) {
      const room = Math.min(
        this.#windows.get(id) ?? 0,
        this.#window,
        16_384,
        bytes.length - at,
      );
      if (this.isClosed || !this.#windows.has(id)) return false;
      if (room <= 0) {
        await this.#moved.promise;
        continue;
      }
      this.#windows.set(id, this.#windows.get(id)! - room);
      this.#window -= room;
      await this.write(data(id, bytes.subarray(at, at + room)));
      at += room;
    }
    return !this.isClosed;
  }

  /** Sends a gRPC message. */
  async message(id: number, message: Uint8Array): Promise<boolean> {
    return await this.send(id, framed(message));
  }

  async write(...parts: Uint8Array[]) {
    const bytes = concat(parts);
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#socket.write(bytes.subarray(at));
      }
    } catch {
      this.#close();
    }
  }

  close() {
    // What the server says of it was not asked for.
    this.isClosed = true;
    try {
      this.#socket.close();
    } catch {
      // The server was first.
    }
  }

  #close() {
    if (!this.isClosed) this.told.add("connection closed");
    this.isClosed = true;
    this.#move();
  }

  #move() {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }

  async #read() {
    const room = new Uint8Array(64 * 1024);
    const frames = new Frames();
    try {
      for (
        let size = await this.#socket.read(room);
        size !== null;
        size = await this.#socket.read(room)
      ) {
        for (const one of frames.take(room.subarray(0, size))) this.#take(one);
        this.#move();
      }
    } catch {
      // As below.
    }
    this.#close();
  }

  #take(
    { name, streamId, payload, flags }: ReturnType<Frames["take"]>[number],
  ) {
    const view = new DataView(payload.buffer, payload.byteOffset);
    if (name === "WINDOW_UPDATE") {
      const size = view.getUint32(0);
      if (streamId === 0) this.#window += size;
      else if (this.#windows.has(streamId)) {
        this.#windows.set(streamId, this.#windows.get(streamId)! + size);
      }
    } else if (name === "GOAWAY") {
      const text = new TextDecoder().decode(payload.subarray(8));
      this.told.add(`GOAWAY ${codeName(view.getUint32(4))} ${text}`.trim());
    } else if (name === "RST_STREAM") {
      this.#windows.delete(streamId);
      this.told.add(`RST_STREAM ${codeName(view.getUint32(0))}`);
    } else if (name === "HEADERS") {
      this.#decoder.decode(payload, 0, payload.length, ({ name, value }) => {
        if (name === "grpc-status") this.told.add(`status ${value}`);
        if (name === ":status" && value !== "200") {
          this.told.add(`HTTP ${value}`);
        }
      });
      if (flags & 1) this.#windows.delete(streamId);
    }
  }
}

/** A message as gRPC has it. */
export function framed(message: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(0, ...uint32(message.length)), message]);
}

/** DATA, without going over its bytes one by one. */
function data(id: number, bytes: Uint8Array): Uint8Array {
  return concat([
    Uint8Array.of(...uint32(bytes.length).slice(1), 0, 0, ...uint32(id)),
    bytes,
  ]);
}
