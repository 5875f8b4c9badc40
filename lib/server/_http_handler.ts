import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
} from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import type { Peer } from "../cache/mod.ts";
import { ByteBuffer } from "./_byte_buffer.ts";
import { compressions } from "./_compression.ts";
import { setStatus } from "./_grpc.ts";
import {
  readAll,
  REST_PREFIX,
  type RestAnswer,
  type RestRequest,
} from "./_rest.ts";
import { MAX_TIME } from "./limits.ts";
import { peerKey } from "./peer.ts";

const CONTENT_TYPE = "content-type";

/** A request of either version of HTTP. */
export interface HttpRequest {
  readonly httpVersion: "1.1" | "2.0";
  readonly method: string;
  /** Scheme and authority, as in a URL. */
  readonly origin: string;
  /** With its query. */
  readonly path: string;
  readonly header: Headers;
  readonly body: AsyncIterable<Uint8Array>;
  readonly peer: Peer;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** Answers requests of either version of HTTP. */
export type HttpHandler = (
  request: HttpRequest,
) => Promise<UniversalServerResponse>;

/** Answers what is asked of Connect's routes, and over REST if that is served. */
export function httpHandler(
  routes: (router: ConnectRouter) => void,
  rest: ((request: RestRequest) => Promise<RestAnswer>) | undefined,
  openTimeout: number,
): HttpHandler {
  const router = createConnectRouter({ acceptCompression: compressions });
  routes(router);
  const handlers = new Map<string, UniversalHandler>();
  for (const handler of router.handlers) {
    handlers.set(handler.requestPath, handler);
  }
  return async (request) => {
    const path = request.path.split("?", 1)[0];
    if (rest && path.startsWith(REST_PREFIX)) {
      return restResponse(await rest(restRequest(request, path)));
    }
    const handler = handlers.get(path);
    if (!handler) return notFound(path, request.header);
    const { httpVersion, method, signal, peer } = request;
    const header = withoutParameters(request.header);
    // What is streamed may be waited for.
    const isUnary = handler.method.methodKind === "unary";
    const body = isUnary ? gathered(request.body, openTimeout) : request.body;
    const url = URL.parse(request.path, request.origin)?.href;
    if (!url) return { status: 400 };
    const contextValues = createContextValues().set(peerKey, peer);
    return await handler(
      { httpVersion, method, url, header, body, signal, contextValues },
    );
  };
}

/** The media type of gRPC says nothing by its parameters, and Connect knows none. */
function withoutParameters(header: Headers): Headers {
  const type = header.get(CONTENT_TYPE) ?? "";
  if (!/^application\/grpc[^;]*;/i.test(type)) return header;
  const plain = new Headers(header);
  plain.set(CONTENT_TYPE, type.split(";", 1)[0].trim());
  return plain;
}

function notFound(path: string, header: Headers): UniversalServerResponse {
  const isGrpc = /^application\/grpc($|[+;])/i.test(
    header.get(CONTENT_TYPE) ?? "",
  );
  if (isGrpc) {
    const header = new Headers({ [CONTENT_TYPE]: "application/grpc" });
    const trailer = new Headers();
    const message = `nothing is served at ${path}`;
    setStatus(
      new ConnectError(message, Code.Unimplemented),
      (name, value) => trailer.set(name, value),
    );
    return { status: 200, header, trailer };
  }
  const body = new TextEncoder().encode(`Nothing is served at ${path}\n`);
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return restResponse({ status: 404, headers, body });
}

function restRequest(request: HttpRequest, path: string): RestRequest {
  const { method, header, body, peer, signal } = request;
  return {
    method,
    path,
    header: (name) => header.get(name) ?? undefined,
    headers: () => header,
    read: (maxBytes, held) => readAll(body, maxBytes, held),
    peer,
    gone: signal,
  };
}

function restResponse(
  { status, headers, body }: RestAnswer,
): UniversalServerResponse {
  const header = new Headers(headers);
  if (!body) return { status, header };
  header.set("content-length", String(body.length));
  async function* once(bytes: Uint8Array) {
    yield bytes;
  }
  return { status, header, body: once(body) };
}

/** Bytes of a request that is one message, which are put together before it is looked at; a larger one, in parts of that. */
const GATHERED = 16 * 1024;

/**
 * A body in parts that are not small, but for the last. Connect looks at all parts of a message anew for each that comes,
 * so that one that comes in very many would take it hours. All of it is to be there within a time.
 */
async function* gathered(
  body: AsyncIterable<Uint8Array>,
  openTimeout: number,
): AsyncGenerator<Uint8Array> {
  const bytes = new ByteBuffer();
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const timer = openTimeout > MAX_TIME ? undefined : setTimeout(() => {
    const message =
      `the request was not there within ${openTimeout} ms; send it at once`;
    late.reject(new ConnectError(message, Code.DeadlineExceeded));
  }, openTimeout);
  const parts = body[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await Promise.race([parts.next(), late.promise]);
      if (next.done) break;
      bytes.add(next.value);
      if (bytes.size >= GATHERED) yield bytes.take();
    }
    if (bytes.size > 0) yield bytes.take();
  } finally {
    clearTimeout(timer);
  }
}
