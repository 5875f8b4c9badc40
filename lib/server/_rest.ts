import { fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import type { Peer } from "../cache/mod.ts";
import { ByteBuffer } from "./_byte_buffer.ts";
import { fetchOnce } from "./_fetch.ts";
import { JsonResponses } from "./_json.ts";
import type { FetchMethod } from "./_streams.ts";
import { nothingFor } from "./fetch.ts";
import type { RestOptions } from "./rest.ts";
import { restPath } from "./services.ts";

/** A request, whatever it came by. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  /** A header's value. */
  header(name: string): string | undefined;
  /** All of them. */
  headers(): Headers;
  /**
   * The body.
   *
   * @throws {TooLarge} if it is longer than is allowed
   */
  read(maxBytes: number): Promise<Uint8Array>;
  readonly peer: Peer;
  /** Aborted when the client goes away. */
  readonly gone: AbortSignal;
}

/** What it is answered. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

/** A body that is longer than is allowed. */
export class TooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the request is larger than the ${maxBytes} bytes that are allowed`);
  }
}

const DEFAULT_DEADLINE = 30_000;
/** The longest that a timer can be set to. */
const MAX_DEADLINE = 2 ** 31 - 1;
const EXPECTED_TIMEOUT = "x-envoy-expected-rq-timeout-ms";
const JSON_TYPE = "application/json";

/** How every path of REST begins. */
export const REST_PREFIX = "/v3/discovery:";

/** Answers requests over REST, each by the method that its path stands for. */
export function restRoutes(
  fetches: readonly FetchMethod[],
  { deadline = DEFAULT_DEADLINE, types }: RestOptions,
  ending: AbortSignal | undefined,
): (request: RestRequest) => Promise<RestAnswer> {
  if (!(deadline >= 0 && deadline <= MAX_DEADLINE)) {
    throw new RangeError(
      `deadline is ${deadline}: it must be milliseconds from 0 to ${MAX_DEADLINE}`,
    );
  }
  const methods = new Map<string, FetchMethod>();
  for (const fetch of fetches) {
    const path = restPath(fetch.method);
    if (path) methods.set(path, fetch);
  }
  const responses = new JsonResponses(types);

  const answer = async (request: RestRequest, method: FetchMethod) => {
    const asked = parse(await request.read(method.maxBytes));
    const fetched = await fetchOnce(method, {
      request: toBinary(DiscoveryRequestSchema, asked),
      peer: request.peer,
      headers: () => request.headers(),
      forNews: true,
      deadline: Math.min(deadline, patience(request)),
      gone: request.gone,
      ending,
    });
    switch (fetched.kind) {
      case "response":
        return json(200, await responses.encode(fetched.frame));
      case "unchanged":
        return { status: 304, headers: {}, body: undefined };
      case "nothing":
        return failure(nothingFor(method.typeUrl, asked));
      case "failed":
        return failure(fetched.error);
    }
  };
  return async (request) => {
    const method = methods.get(request.path);
    if (!method) return notFound(request.path, methods.keys());
    const misfit = misfitOf(request);
    if (misfit) return misfit;
    try {
      return await answer(request, method);
    } catch (error) {
      if (!(error instanceof TooLarge)) {
        return failure(ConnectError.from(error, Code.Internal));
      }
      const { message } = error;
      method.tooLarge(request.peer, message);
      return failure(new ConnectError(message, Code.ResourceExhausted), 413);
    }
  };
}

/**
 * Reads a body whole.
 *
 * @throws {TooLarge} if it is longer than is allowed
 */
export async function readAll(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const bytes = new ByteBuffer();
  for await (const part of body) {
    if (bytes.size + part.length > maxBytes) throw new TooLarge(maxBytes);
    bytes.add(part);
  }
  return bytes.take();
}

function notFound(path: string, paths: Iterable<string>): RestAnswer {
  const message = `there is no ${path}; there are ${[...paths].join(", ")}`;
  return failure(new ConnectError(message, Code.NotFound));
}

function misfitOf(
  { method, path, header }: RestRequest,
): RestAnswer | undefined {
  if (method !== "POST") {
    const message = `${path} takes POST, not ${method}`;
    const error = new ConnectError(message, Code.Unimplemented);
    return failure(error, 405, { allow: "POST" });
  }
  const type = header("content-type") ?? "";
  // Nothing else, so that no web page can send it unasked.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    const message = `${path} takes ${JSON_TYPE}, not ${JSON.stringify(type)}`;
    const error = new ConnectError(message, Code.InvalidArgument);
    return failure(error, 415, { "accept-post": JSON_TYPE });
  }
  return undefined;
}

/** How long the client may be kept waiting, in milliseconds, so that its answer arrives in time on a bad day, too. */
function patience(request: RestRequest): number {
  const expected = Number(request.header(EXPECTED_TIMEOUT) ?? NaN);
  return expected > 0 ? expected / 2 : Infinity;
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const known = new Set(
  DiscoveryRequestSchema.fields.flatMap(({ name, jsonName }) => [
    name,
    jsonName,
  ]),
);

function parse(body: Uint8Array): DiscoveryRequest {
  let json: JsonValue;
  try {
    json = JSON.parse(decoder.decode(body));
  } catch (cause) {
    throw invalid("the body is no JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw invalid("the body is no DiscoveryRequest: it must be a JSON object");
  }
  const unknown = Object.keys(json).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw invalid(
      `a DiscoveryRequest has no field ${JSON.stringify(unknown)}; it has ${
        DiscoveryRequestSchema.fields.map(({ name }) => name).join(", ")
      }`,
    );
  }
  // Nothing reads them, an Envoy lists hundreds of the one, and the other may hold messages of any type.
  drop(json, "node", "extensions");
  for (const name of ["error_detail", "errorDetail"]) {
    drop(json, name, "details");
  }
  let request: DiscoveryRequest;
  try {
    // A newer Envoy may say more of its node than is known here.
    request = fromJson(DiscoveryRequestSchema, json, {
      ignoreUnknownFields: true,
    });
  } catch (cause) {
    throw invalid("the body is no DiscoveryRequest", cause);
  }
  if (!request.node) {
    throw invalid(
      "the field node is missing: a request must carry the client's node",
    );
  }
  return request;
}

function drop(json: { [name: string]: JsonValue }, from: string, name: string) {
  const message = Object.hasOwn(json, from) ? json[from] : undefined;
  if (typeof message === "object" && message && !Array.isArray(message)) {
    delete message[name];
  }
}

function invalid(message: string, cause?: unknown): ConnectError {
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  return new ConnectError(
    message + reason,
    Code.InvalidArgument,
    undefined,
    undefined,
    cause,
  );
}

/** HTTP statuses for those of gRPC, as grpc-gateway has them. */
const statuses: Partial<Record<Code, number>> = {
  [Code.InvalidArgument]: 400,
  [Code.NotFound]: 404,
  [Code.PermissionDenied]: 403,
  [Code.Unauthenticated]: 401,
  [Code.ResourceExhausted]: 429,
  [Code.Unimplemented]: 501,
  [Code.Unavailable]: 503,
};

function failure(
  { code, rawMessage }: ConnectError,
  status = statuses[code] ?? 500,
  headers: Record<string, string> = {},
): RestAnswer {
  const text = JSON.stringify({ code, message: rawMessage });
  return json(status, new TextEncoder().encode(text), headers);
}

function json(
  status: number,
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): RestAnswer {
  return { status, headers: { "content-type": JSON_TYPE, ...headers }, body };
}
