/** A field of a header list. Those that a peer repeats are one object. */
export interface Field {
  readonly name: string;
  readonly value: string;
  /** What it counts for in a header list and in HPACK's table. */
  readonly size: number;
  /** What is wrong with it wherever it stands; undefined if nothing is. */
  readonly flaw: string | undefined;
}

/** What a field counts for beside its bytes (RFC 7541, 4.1). */
const OVERHEAD = 32;

const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const NOT_IN_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/** Those that are of a connection of HTTP/1, and make a message malformed (RFC 9113, 8.2.2). */
const ofConnections = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** A field, looked at once. */
export function fieldOf(name: string, value: string): Field {
  const size = name.length + value.length + OVERHEAD;
  return { name, value, size, flaw: flawOf(name, value) };
}

function flawOf(name: string, value: string): string | undefined {
  if (!NAME.test(name)) {
    return `${JSON.stringify(name)} is no name of a field in lower case`;
  }
  if (NOT_IN_VALUE.test(value)) {
    return `the value of ${name} holds a line break or NUL, or space around it`;
  }
  if (ofConnections.has(name)) return `${name} has no place in HTTP/2`;
  if (name === "te" && value !== "trailers") {
    return `te is ${JSON.stringify(value)}, and may be "trailers" alone`;
  }
  return undefined;
}
