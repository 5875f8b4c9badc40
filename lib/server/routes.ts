import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextKey,
  createContextKey,
} from "@connectrpc/connect";
import {
  contentTypeMatcher,
  type UniversalHandler,
  type UniversalHandlerFn,
  type UniversalServerRequest,
} from "@connectrpc/connect/protocol";
import type { Cache } from "../cache/mod.ts";
import {
  DEFAULT_MAX_NAMES,
  type Protocol,
  Responses,
} from "../protocol/mod.ts";
import { isolated, type Observer } from "./events.ts";
import { MessageReader, setStatus } from "./_grpc.ts";
import { Session } from "./_session.ts";
import { type Peer, unknownPeer } from "./peer.ts";
import { discoveryServices, streamedProtocol } from "./services.ts";

/** What a client may take of a server. Past a limit its stream ends with `RESOURCE_EXHAUSTED`; others go on. */
export interface Limits {
  /** Names that a stream may ask for of one type. Default: 100 000. */
  names?: number;
  /** Size of a request, in bytes. Default: 16 MiB. */
  messageBytes?: number;
}

/** What the discovery services need. */
export interface RoutesOptions {
  /** What to serve. */
  cache: Cache;
  /** Told of what happens. */
  observer?: Observer;
  /** What a client may take. */
  limits?: Limits;
  /** Ends all streams, with status OK, when it is aborted. */
  signal?: AbortSignal;
}

/** Under which a server adapter may put the peer of a request, for observers to see. */
export const peerKey: ContextKey<Peer> = createContextKey<Peer>(unknownPeer, {
  description: "xds peer",
});

const DEFAULT_MESSAGE_BYTES = 16 * 1024 * 1024;
const grpc = contentTypeMatcher(/^application\/grpc(\+proto)?$/i);
const nothing = new Uint8Array();
let streams = 0;

/**
 * Every v3 discovery service for a Connect router of one's own, aggregated and by type, state of the world and delta.
 *
 * Streams are gRPC, over HTTP/2. A response that goes to many of them is encoded and framed once.
 *
 * @example
 * ```ts
 * import { SnapshotCache, xdsRoutes } from "@xds/control-plane";
 * import { connectNodeAdapter } from "@connectrpc/connect-node";
 * import { createServer } from "node:http2";
 *
 * const cache = new SnapshotCache();
 * const server = createServer(connectNodeAdapter({ routes: xdsRoutes({ cache }) }));
 * ```
 */
export function xdsRoutes(
  options: RoutesOptions,
): (router: ConnectRouter) => void {
  const observer = isolated(options.observer);
  let serial = 0;
  const responses: Record<Protocol, Responses> = {
    sotw: new Responses("sotw", () => ++serial),
    delta: new Responses("delta", () => ++serial),
  };
  const open = (protocol: Protocol, typeUrl: string | undefined, peer: Peer) =>
    new Session({
      id: ++streams,
      peer,
      protocol,
      typeUrl,
      cache: options.cache,
      responses: responses[protocol],
      maxNames: options.limits?.names ?? DEFAULT_MAX_NAMES,
      observer,
    });
  return (router) => {
    for (const { service, typeUrl } of discoveryServices) {
      router.service(service, {});
      for (const method of service.methods) {
        const protocol = streamedProtocol(method);
        if (!protocol) continue;
        const serve: UniversalHandlerFn = (request) => {
          const session = open(
            protocol,
            typeUrl,
            request.contextValues?.get(peerKey) ?? unknownPeer,
          );
          return Promise.resolve(streamResponse(request, session, options));
        };
        replace(router, handler(service, method, serve));
      }
    }
  };
}

function handler(
  service: DescService,
  method: DescMethod,
  serve: UniversalHandlerFn,
): UniversalHandler {
  const checked: UniversalHandlerFn = (request) => {
    if (request.method !== "POST") return Promise.resolve({ status: 405 });
    if (!grpc(request.header.get("Content-Type"))) {
      return Promise.resolve({ status: 415 });
    }
    if (!request.httpVersion.startsWith("2")) {
      return Promise.resolve({ status: 505 });
    }
    return serve(request);
  };
  return Object.assign(checked, {
    service,
    method,
    protocolNames: ["grpc"],
    requestPath: `/${service.typeName}/${method.name}`,
    allowedMethods: ["POST"],
    supportedContentType: grpc,
  });
}

/** Puts a handler of ours in the place of the one that the router made for the method. */
function replace(router: ConnectRouter, own: UniversalHandler) {
  const place = router.handlers.findIndex((other) =>
    other.requestPath === own.requestPath
  );
  router.handlers.splice(place, 1, own);
}

function streamResponse(
  request: UniversalServerRequest,
  session: Session,
  options: RoutesOptions,
) {
  const header = new Headers({
    "Content-Type": "application/grpc+proto",
    "Grpc-Accept-Encoding": "identity",
  });
  const trailer = new Headers();
  const end = () => session.end(null);
  const cut = () => session.end(disconnected(request.signal.reason));
  options.signal?.addEventListener("abort", end);
  request.signal.addEventListener("abort", cut);
  if (options.signal?.aborted) end();
  readRequests(
    request,
    session,
    options.limits?.messageBytes ?? DEFAULT_MESSAGE_BYTES,
  );

  const finish = () => {
    options.signal?.removeEventListener("abort", end);
    request.signal.removeEventListener("abort", cut);
    setStatus(
      trailer,
      session.ended ? ConnectError.from(session.ended) : undefined,
    );
    return { done: true as const, value: undefined };
  };
  // The first chunk is empty: it sends the headers, by which a client knows that its stream was accepted.
  let headersSent = false;
  const body: AsyncIterator<Uint8Array> = {
    async next() {
      if (!headersSent) {
        headersSent = true;
        return { done: false, value: nothing };
      }
      const frame = await session.next();
      return frame ? { done: false, value: frame } : finish();
    },
    throw(reason) {
      session.end(disconnected(reason));
      return Promise.resolve(finish());
    },
    return() {
      session.end(null);
      return Promise.resolve(finish());
    },
  };
  return {
    status: 200,
    header,
    trailer,
    body: { [Symbol.asyncIterator]: () => body },
  };
}

async function readRequests(
  request: UniversalServerRequest,
  session: Session,
  maxBytes: number,
) {
  const reader = new MessageReader(maxBytes);
  // Not `for await`: to leave its loop would reset the stream, and with it the status that says why.
  const chunks = (request.body as AsyncIterable<Uint8Array>)
    [Symbol.asyncIterator]();
  try {
    for (
      let next = await chunks.next();
      !next.done;
      next = await chunks.next()
    ) {
      if (session.ended !== undefined) continue;
      for (const message of reader.read(next.value)) session.receive(message);
    }
    session.end(null);
  } catch (error) {
    session.end(error instanceof ConnectError ? error : disconnected(error));
  }
}

function disconnected(cause: unknown): ConnectError {
  return new ConnectError(
    "the client went away",
    Code.Canceled,
    undefined,
    undefined,
    cause,
  );
}
