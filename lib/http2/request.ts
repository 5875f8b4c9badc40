import type { Field } from "./_fields.ts";

/** What a client asks for. */
export interface Request {
  readonly method: string;
  readonly scheme: string;
  /** From `:authority`, or from `host` where that is left out; empty if both are. */
  readonly authority: string;
  /** With its query. */
  readonly path: string;
  /** The fields but for those that begin with a colon, in the order in which they came. */
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** The bytes of body that it announces; undefined if it does not. */
  readonly contentLength: number | undefined;
}

/** What a header list says, and what is wrong with it. */
export interface Parsed {
  readonly request: Request | undefined;
  readonly flaw: string | undefined;
}

const pseudo = [":method", ":scheme", ":authority", ":path"];

/** Reads the header list of a request. */
export function parseRequest(fields: readonly Field[]): Parsed {
  const found: (string | undefined)[] = [];
  const regular: Field[] = [];
  let contentLength: number | undefined;
  let host = "";
  for (const field of fields) {
    const { name, value, flaw } = field;
    if (flaw) return malformed(flaw);
    if (name.startsWith(":")) {
      const at = pseudo.indexOf(name);
      if (at < 0) return malformed(`a request has no ${name}`);
      if (regular.length > 0) {
        return malformed(`${name} stands after what is no pseudo-header field`);
      }
      if (found[at] !== undefined) return malformed(`${name} stands twice`);
      found[at] = value;
      continue;
    }
    if (name === "content-length") {
      if (!/^\d{1,15}$/.test(value)) {
        return malformed(`content-length is ${JSON.stringify(value)}`);
      }
      const length = Number(value);
      if (contentLength !== undefined && contentLength !== length) {
        return malformed("content-length stands twice, and differs");
      }
      contentLength = length;
    } else if (name === "host") host = value;
    regular.push(field);
  }
  const [method, scheme = "", authority = host, path = ""] = found;
  if (!method) return malformed(":method is missing");
  if (method !== "CONNECT") {
    if (!scheme) return malformed(":scheme is missing");
    if (!path.startsWith("/") && path !== "*") {
      return malformed(":path is missing, or no path");
    }
  }
  const request: Request = {
    method,
    scheme,
    authority,
    path,
    fields: regular,
    contentLength,
  };
  return { request, flaw: undefined };
}

/** What is wrong with the fields after a body. */
export function flawOfTrailers(fields: readonly Field[]): string | undefined {
  for (const { name, flaw } of fields) {
    if (flaw) return flaw;
    if (name.startsWith(":")) return `${name} stands in trailers`;
  }
  return undefined;
}

function malformed(flaw: string): Parsed {
  return { request: undefined, flaw };
}
