import { Code, ConnectError } from "@connectrpc/connect";
import type { Peer } from "../cache/mod.ts";
import { ByteBuffer } from "./_byte_buffer.ts";
import { fetchOnce } from "./_fetch.ts";
import { JsonResponses } from "./_json.ts";
import type { Ending } from "./_ending.ts";
import type { StreamMemory } from "./_memory.ts";
import { peerId } from "./_peers.ts";
import { parseRestBody } from "./_rest_request.ts";
import type { Rotation } from "./_rotation.ts";
import type { LimitError } from "./_status.ts";
import type { DiscoveryMethods, FetchMethod } from "./_streams.ts";
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
   * The body, which is counted while it comes.
   *
   * @throws {TooLarge} if it is longer than is allowed
   */
  read(maxBytes: number, held: StreamMemory): Promise<Uint8Array>;
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
  { fetches, memory }: DiscoveryMethods,
  { deadline = DEFAULT_DEADLINE, types }: RestOptions,
  ending: Ending,
  rotation: Rotation,
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

  const answer = async (
    request: RestRequest,
    method: FetchMethod,
    held: StreamMemory,
  ) => {
    const body = await request.read(method.maxBytes, held);
    await rotation.slot();
    const asked = parseRestBody(body, method.maxNames);
    const fetched = await fetchOnce(method, {
      request: asked.bytes,
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
        return failure(nothingFor(method.typeUrl, asked.request));
      case "failed":
        return failure(fetched.error);
    }
  };
  return async (request) => {
    const method = methods.get(request.path);
    if (!method) return notFound(request.path, methods.keys());
    const misfit = misfitOf(request);
    if (misfit) return misfit;
    const connection = memory.connection(peerId(request.peer, undefined));
    let exceeded: LimitError | undefined;
    const held = connection.stream((error) => exceeded = error);
    try {
      return await answer(request, method, held);
    } catch (error) {
      if (exceeded) return failure(exceeded);
      if (!(error instanceof TooLarge)) {
        return failure(ConnectError.from(error, Code.Internal));
      }
      const { message } = error;
      method.tooLarge(request.peer, message);
      return failure(new ConnectError(message, Code.ResourceExhausted), 413);
    } finally {
      held.close();
      connection.close();
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
  held: StreamMemory,
): Promise<Uint8Array> {
  const bytes = new ByteBuffer();
  for await (const part of body) {
    if (bytes.size + part.length > maxBytes) throw new TooLarge(maxBytes);
    held.hold(part.length);
    if (held.isClosed) throw new Error("too much is held");
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
