/** Whole connections as data, so that they can be changed, kept and read. */
import { concat, frame, uint32 } from "../http2/_wire.ts";
import { headerBlock } from "../../lib/http2/mod.ts";

/** A part of what a client sends. */
export type Part =
  /** A frame, right or wrong; its payload is in hexadecimal. */
  | {
    kind: "frame";
    type: number;
    flags: number;
    stream: number;
    payload: string;
  }
  /** HEADERS of fields. */
  | {
    kind: "headers";
    stream: number;
    flags: number;
    fields: [string, string][];
  }
  /** DATA of a gRPC message. */
  | {
    kind: "message";
    stream: number;
    flags: number;
    flag: number;
    bytes: string;
  }
  /** Bytes as they are. */
  | { kind: "raw"; bytes: string }
  /** What is before arrives by itself. */
  | { kind: "cut" };

/** A connection, or the body of a request over REST. */
export type Input =
  | { target: "http2"; parts: Part[] }
  | { target: "rest"; body: string };

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
}

/** The bytes of a part; undefined for a cut. */
function bytesOf(part: Part): Uint8Array | undefined {
  switch (part.kind) {
    case "frame":
      return frame(part.type, part.flags, part.stream, unhex(part.payload));
    case "headers":
      return frame(1, part.flags, part.stream, headerBlock(part.fields));
    case "message": {
      const bytes = unhex(part.bytes);
      const payload = [part.flag, ...uint32(bytes.length), ...bytes];
      return frame(0, part.flags, part.stream, payload);
    }
    case "raw":
      return unhex(part.bytes);
    case "cut":
      return undefined;
  }
}

/** What arrives, chunk by chunk. */
export function chunksOf(parts: readonly Part[]): Uint8Array[] {
  const chunks: Uint8Array[][] = [[]];
  for (const part of parts) {
    const bytes = bytesOf(part);
    if (bytes) chunks.at(-1)!.push(bytes);
    else chunks.push([]);
  }
  return chunks.map((chunk) => concat(chunk)).filter(({ length }) =>
    length > 0
  );
}
