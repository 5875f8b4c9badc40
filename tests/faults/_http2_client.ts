/**
 * As much of an HTTP/2 client as it takes to do just what a test says, on a bare socket: to read or not, to give the server
 * room to write or not, and to leave without a word.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113
 */

const Type = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
} as const;
const ACK = 1;
const END_HEADERS = 4;
const INITIAL_WINDOW_SIZE = 4;
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEADER_BYTES = 9;
/** gRPC's flag and length before a message. */
const PREFIX_BYTES = 5;

/** What a connection may be told. */
export interface ConnectOptions {
  /** Bytes that the server may send on a stream before it is given more room. Default: 1 GiB. */
  window?: number;
  /** Called with each gRPC message. Without it, nothing is read unless {@linkcode Http2Client.read} is called. */
  onMessage?: (stream: number, message: Uint8Array) => void;
}

/** A connection. */
export class Http2Client implements Disposable {
  readonly #socket: Deno.TcpConn;
  readonly #onMessage: ConnectOptions["onMessage"];
  readonly #bodies = new Map<number, Uint8Array>();
  #received = new Uint8Array();
  #next = 1;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(socket: Deno.TcpConn, options: ConnectOptions) {
    this.#socket = socket;
    this.#onMessage = options.onMessage;
  }

  static async connect(
    port: number,
    options: ConnectOptions = {},
  ): Promise<Http2Client> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay();
    const client = new Http2Client(socket, options);
    const { window = 2 ** 30 } = options;
    const settings = new DataView(new ArrayBuffer(6));
    settings.setUint16(0, INITIAL_WINDOW_SIZE);
    settings.setUint32(2, window);
    client.#write(
      PREFACE,
      frame(Type.settings, 0, 0, new Uint8Array(settings.buffer)),
      // The connection's own room.
      frame(Type.windowUpdate, 0, 0, uint32(2 ** 30)),
    );
    if (options.onMessage) client.#readAll();
    return client;
  }

  /** Opens a stream of a method. */
  open(path: string): number {
    const stream = this.#next;
    this.#next += 2;
    const headers = concat(
      ...Object.entries({
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
      }).map(([name, value]) =>
        concat(Uint8Array.of(0), text(name), text(value))
      ),
    );
    this.#write(frame(Type.headers, END_HEADERS, stream, headers));
    return stream;
  }

  /** Sends a gRPC message. */
  send(stream: number, message: Uint8Array) {
    const prefix = concat(Uint8Array.of(0), uint32(message.length));
    this.#write(frame(Type.data, 0, stream, concat(prefix, message)));
  }

  /** Gives the server room to write some more bytes on a stream. */
  grant(stream: number, bytes: number) {
    this.#write(frame(Type.windowUpdate, 0, stream, uint32(bytes)));
  }

  /** Resets a stream. */
  reset(stream: number) {
    this.#bodies.delete(stream);
    this.#write(frame(Type.reset, 0, stream, uint32(8)));
  }

  /** Sends bytes that need not be a frame. */
  sendBytes(bytes: Uint8Array) {
    this.#write(bytes);
  }

  /** Reads some bytes, at most that many, and does nothing with them. */
  async read(bytes: number) {
    await this.#socket.read(new Uint8Array(bytes)).catch(() => {});
  }

  /** Resolves once all that was sent was handed to the system. */
  async flushed() {
    await this.#writing;
  }

  /** Leaves without a word. */
  [Symbol.dispose]() {
    try {
      this.#socket.close();
    } catch {
      // The server was first.
    }
  }

  #write(...parts: Uint8Array[]) {
    const bytes = concat(...parts);
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length;) {
        at += await this.#socket.write(bytes.subarray(at));
      }
    }).catch(() => {});
  }

  async #readAll() {
    const room = new Uint8Array(64 * 1024);
    try {
      for (
        let size = await this.#socket.read(room);
        size !== null;
        size = await this.#socket.read(room)
      ) this.#take(room.subarray(0, size));
    } catch {
      // It was closed.
    }
  }

  #take(bytes: Uint8Array) {
    let rest: Uint8Array = concat(this.#received, bytes);
    while (rest.length >= HEADER_BYTES) {
      const view = new DataView(rest.buffer, rest.byteOffset);
      const end = HEADER_BYTES + (view.getUint32(0) >> 8);
      if (rest.length < end) break;
      const payload = rest.subarray(HEADER_BYTES, end);
      this.#handle(rest[3], rest[4], view.getUint32(5), payload);
      rest = rest.subarray(end);
    }
    this.#received = rest.slice();
  }

  #handle(type: number, flags: number, stream: number, payload: Uint8Array) {
    if (type === Type.settings && !(flags & ACK)) {
      this.#write(frame(Type.settings, ACK, 0, new Uint8Array()));
    } else if (type === Type.ping && !(flags & ACK)) {
      this.#write(frame(Type.ping, ACK, 0, payload));
    } else if (type === Type.data && payload.length > 0) {
      this.grant(stream, payload.length);
      this.grant(0, payload.length);
      let body: Uint8Array = concat(
        this.#bodies.get(stream) ?? new Uint8Array(),
        payload,
      );
      while (body.length >= PREFIX_BYTES) {
        const end = PREFIX_BYTES +
          new DataView(body.buffer, body.byteOffset).getUint32(1);
        if (body.length < end) break;
        this.#onMessage?.(stream, body.subarray(PREFIX_BYTES, end));
        body = body.subarray(end);
      }
      this.#bodies.set(stream, body);
    }
  }
}

function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** A header's name or value, for HPACK: shorter than 127 bytes, not compressed. */
function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return concat(Uint8Array.of(bytes.length), bytes);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
