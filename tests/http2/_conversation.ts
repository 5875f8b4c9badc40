import {
  Connection,
  ErrorCode,
  headerBlock,
  type Request,
  type Stream,
} from "../../lib/http2/mod.ts";
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  frame,
  PADDED,
  PREFACE,
  PRIORITY,
  Reader,
  requestBlock,
  settingsFrame,
  text,
  uint32,
} from "./_wire.ts";

const DEFAULTS = {
  streamsPerConnection: 100,
  handshakeTimeout: 10_000,
  idleTimeout: Infinity,
  keepaliveInterval: Infinity,
  keepaliveTimeout: 20_000,
  maxConnectionAge: Infinity,
  maxConnectionAgeGrace: Infinity,
};

interface Open {
  stream: Stream;
  parts: Uint8Array[];
  holds: boolean;
}

/**
 * A client and a server on one connection, command by command. What the client sends:
 *
 * - `preface`, `begin` (the preface, SETTINGS and the ACK of the server's), `settings NAME=1 …`, `settings ack`
 * - `headers 1 [end] [open] [pad=3] [on=1] [name=value …]`: fields that a request must have are there unless they are given;
 *   `only` leaves them out, `open` the end of the block, `on` says which stream it depends on
 * - `continuation 1 [open] [name=value …]`, `data 1 [end] [pad=3] [text | *100]`, where `*100` is a hundred bytes
 * - `cancelled 1` (headers and a reset), `rst 1 Cancel`, `ping 7 [ack]`, `goaway`, `window 1 100`, `priority 1 on=3`
 * - `frame <type> <flags> <stream> <payload in hex>`, `bytes <hex>`; `times 100 <command>`
 *
 * What the server does: `respond 1 [name=value …]`, `body 1 <text | *100>`, `finish 1 [name=value …]`, `reset 1 Cancel`;
 * `hold 1` keeps it from making use of what comes, and `consume 1 100` does so; `shutdown`, `fail`, `abort`.
 *
 * `options streamsPerConnection=1 …`, first of all; `stuck` and `drain`: nothing is written, and all is; `time 100`:
 * so many milliseconds pass.
 */
export class Conversation {
  #connection: Connection | undefined;
  readonly #options = { ...DEFAULTS };
  readonly #streams = new Map<number, Open>();
  readonly #reader = new Reader();
  #now = 0;
  #isStuck = false;
  #isOver = false;
  #lines: string[] = [];

  execute(command: string): Promise<string[]> {
    this.#lines = [];
    const [verb, ...words] = command.split(" ");
    if (verb === "options") {
      for (const [name, value] of pairs(words)) {
        if (!(name in this.#options)) throw new Error(`no option ${name}`);
        Object.assign(this.#options, { [name]: Number(value) });
      }
    } else if (verb === "times") {
      for (let i = 0; i < Number(words[0]); i++) {
        this.#do(words[1], words.slice(2));
        if (!this.#isStuck) this.#drain();
        // Each on a stream of its own.
        const begins = words[1] === "headers" || words[1] === "cancelled";
        if (begins) words[2] = String(Number(words[2]) + 2);
      }
    } else this.#do(verb, words);
    if (!this.#isStuck) this.#drain();
    return Promise.resolve(
      this.#lines.length > 0 ? folded(this.#lines) : ["ok"],
    );
  }

  #do(verb: string, words: string[]): void {
    const connection = this.#open();
    const [id, ...rest] = words;
    const open = this.#streams.get(Number(id));
    switch (verb) {
      case "respond":
        return open!.stream.respond(
          headerBlock([[":status", "200"], ...pairs(rest)]),
        );
      case "body":
        open!.parts.push(payload(rest[0]));
        return open!.stream.wake();
      case "finish":
        return open!.stream.finish(
          rest.length > 0 ? headerBlock(pairs(rest)) : undefined,
        );
      case "reset":
        return open!.stream.reset(code(rest[0]));
      case "hold":
        open!.holds = true;
        return;
      case "consume":
        return open!.stream.consume(Number(rest[0]));
      case "shutdown":
        return connection.shutdown(this.#now);
      case "fail":
        return connection.fail(ErrorCode.InternalError, words.join(" "));
      case "abort":
        return connection.abort();
      case "stuck":
        this.#isStuck = true;
        return;
      case "drain":
        this.#isStuck = false;
        return;
      case "time":
        this.#now += Number(id);
        return connection.tick(this.#now);
    }
    if (verb === "begin") {
      for (const [verb, ...words] of [["preface"], ["settings"]]) {
        this.#do(verb, words);
      }
      return this.#do("settings", ["ack"]);
    }
    if (verb === "cancelled") {
      this.#do("headers", words);
      return this.#do("rst", [id, "Cancel"]);
    }
    connection.receive(sent(verb, words), this.#now);
  }

  #open(): Connection {
    if (this.#connection) return this.#connection;
    const { keepaliveInterval, keepaliveTimeout, ...options } = this.#options;
    const keepalive = {
      interval: keepaliveInterval,
      timeout: keepaliveTimeout,
    };
    return this.#connection = new Connection({ ...options, keepalive }, {
      open: (stream, request) => this.#begun(stream, request),
      wake: () => {},
      limit: (limit) => this.#lines.push(`limit ${limit}`),
    }, this.#now);
  }

  #begun(stream: Stream, { method, path, fields }: Request) {
    const { id } = stream;
    const others = fields.map(({ name, value }) => ` ${name}=${value}`);
    this.#lines.push(`open ${id} ${method} ${path}${others.join("")}`);
    const open: Open = { stream, parts: [], holds: false };
    this.#streams.set(id, open);
    stream.handler = {
      data: (bytes, start, end) => {
        this.#lines.push(`data ${id} ${text(bytes.slice(start, end))}`);
        if (!open.holds) stream.consume(end - start);
      },
      end: () => this.#lines.push(`end ${id}`),
      expire: () => this.#lines.push(`expire ${id}`),
      pull: () => open.parts.shift(),
      close: (code) => {
        const why = code === undefined ? "" : ` ${name(code)}`;
        this.#lines.push(`close ${id}${why}`);
      },
    };
  }

  #drain() {
    const connection = this.#open();
    const buffer = new Uint8Array(1 << 16);
    while (connection.hasOutput) {
      const size = connection.write(buffer, this.#now);
      if (size === 0) break;
      this.#lines.push(...this.#reader.read(buffer.subarray(0, size)));
    }
    if (connection.isDone && !this.#isOver) {
      this.#isOver = true;
      this.#lines.push("done");
    }
  }
}

function sent(verb: string, words: string[]): Uint8Array {
  const flag = (name: string) => words.includes(name);
  const fields = pairs(words);
  const option = (name: string) =>
    fields.find(([other]) => other === name)?.[1];
  const named = fields.filter(([name]) => !["pad", "on"].includes(name));
  const id = Number(words[0]);
  const end = flag("end") ? END_STREAM : 0;
  const pad = option("pad");
  const padded = (bytes: Iterable<number>) =>
    pad === undefined
      ? [...bytes]
      : [Number(pad), ...bytes, ...new Uint8Array(Number(pad))];
  const isPadded = pad === undefined ? 0 : PADDED;
  switch (verb) {
    case "preface":
      return PREFACE;
    case "settings":
      return flag("ack") ? frame("SETTINGS", ACK, 0) : settingsFrame(
        Object.fromEntries(
          fields.map(([name, value]) => [name, Number(value)]),
        ),
      );
    case "headers": {
      const on = option("on");
      const block = flag("only") ? headerBlock(named) : requestBlock(named);
      const flags = end | isPadded | (flag("open") ? 0 : END_HEADERS) |
        (on ? PRIORITY : 0);
      const priority = on ? [...uint32(Number(on)), 16] : [];
      return frame("HEADERS", flags, id, padded([...priority, ...block]));
    }
    case "continuation": {
      const flags = flag("open") ? 0 : END_HEADERS;
      return frame("CONTINUATION", flags, id, headerBlock(named));
    }
    case "data": {
      const body = words.slice(1).find((word) =>
        word !== "end" && !word.startsWith("pad=")
      );
      return frame("DATA", end | isPadded, id, padded(payload(body)));
    }
    case "rst":
      return frame("RST_STREAM", 0, id, uint32(code(words[1])));
    case "ping":
      return frame("PING", flag("ack") ? ACK : 0, 0, [0, 0, 0, 0, 0, 0, 0, id]);
    case "goaway":
      return frame("GOAWAY", 0, 0, [...uint32(0), ...uint32(0)]);
    case "window":
      return frame("WINDOW_UPDATE", 0, id, uint32(Number(words[1])));
    case "priority":
      return frame("PRIORITY", 0, id, [...uint32(Number(option("on"))), 16]);
    case "frame": {
      const [type, flags, stream, hex = ""] = words;
      return frame(Number(type), Number(flags), Number(stream), unhex(hex));
    }
    case "bytes":
      return Uint8Array.from(unhex(words.join("")));
  }
  throw new Error(`no command ${verb}`);
}

/** The most lines that are shown of what came of a command. */
const SHOWN = 40;

/** Lines that repeat are said once, and of very many the first and the last. */
function folded(lines: readonly string[]): string[] {
  const all: string[] = [];
  for (let at = 0; at < lines.length;) {
    let end = at + 1;
    while (lines[end] === lines[at]) end++;
    all.push(end - at > 1 ? `${lines[at]} (${end - at} times)` : lines[at]);
    at = end;
  }
  if (all.length <= SHOWN) return all;
  return [...all.slice(0, 4), `… ${all.length - 8} lines …`, ...all.slice(-4)];
}

function pairs(words: readonly string[]): [string, string][] {
  return words.filter((word) => word.includes("=")).map((word) => {
    const at = word.indexOf("=");
    const value = word.slice(at + 1);
    return [
      word.slice(0, at),
      value.startsWith("*") && value !== "*"
        ? "x".repeat(Number(value.slice(1)))
        : value,
    ];
  });
}

function payload(word = ""): Uint8Array {
  return /^\*\d+$/.test(word)
    ? new Uint8Array(Number(word.slice(1))).fill(120)
    : new TextEncoder().encode(word);
}

/** `*3.` after a byte has it three times. */
function unhex(hex: string): number[] {
  return [...hex.matchAll(/([\da-f]{2})(?:\*(\d+)\.?)?/g)].flatMap(
    ([, byte, times = "1"]) =>
      new Array<number>(Number(times)).fill(parseInt(byte, 16)),
  );
}

function code(word: string): number {
  return word in ErrorCode
    ? ErrorCode[word as keyof typeof ErrorCode]
    : Number(word);
}

function name(code: number): string {
  return Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ??
    String(code);
}
