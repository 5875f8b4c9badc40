import { createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { type IncomingMessage, ServerResponse } from "node:http";
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Cache, Clock } from "../cache/mod.ts";
import type { Access } from "./access.ts";
import type { StatusAccess } from "./csds.ts";
import type { Observer } from "./events.ts";
import {
  allowHttp1,
  createClearServer,
  Http1Connections,
  refuseHttp1,
} from "./_http1.ts";
import { isGrpc, serveStream } from "./_http2.ts";
import { REST_PREFIX, restRoutes } from "./_rest.ts";
import { pathOf, serveRest } from "./_rest_node.ts";
import { discoveryMethods, type RoutesOptions } from "./_streams.ts";
import type { Limits } from "./limits.ts";
import { peerKey, peerOf } from "./peer.ts";
import type { RestOptions } from "./rest.ts";
import { routesOf } from "./routes.ts";
import { checkTls, type TlsOptions } from "./tls.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions<Identity = unknown> extends Access<Identity> {
  /** What to serve. */
  cache: Cache;
  /** Address to listen on. Default: `"0.0.0.0"`. */
  hostname?: string;
  /** Port to listen on; 0 lets the system pick one. Default: 18000. */
  port?: number;
  /** Serves TLS, mutual if `clientCa` is given. Default: HTTP/2 in the clear (h2c). */
  tls?: TlsOptions;
  /** What a client may take. */
  limits?: Limits;
  /** What limits of streams and `stallAfter` go by. Default: the time that the process runs. */
  clock?: Clock;
  /** Told of what happens; several are told one after the other. */
  observer?: Observer | readonly Observer[];
  /**
   * After how long something that is held or waits is told of again, by a `stall` event, in milliseconds. Default: 10 000.
   */
  stallAfter?: number;
  /**
   * Whether a first request of a type that names nothing asks for all of it. Default: it does, as Envoys mean it. A
   * proxyless gRPC client never does.
   */
  legacyWildcard?: RoutesOptions["legacyWildcard"];
  /**
   * Serves REST on the same port, as {@linkcode restHandler} does, for Envoys whose `api_type` is `REST`; and with it
   * HTTP/1, which nothing else needs. Default: false, since what speaks HTTP/1 can be reached by web pages.
   */
  rest?: boolean | RestOptions;
  /**
   * Serves the client status discovery service (CSDS), too, to everybody (`true`) or to whom the function says: it tells
   * what every client was sent, if not what is in secrets. Default: it is not served.
   */
  csds?: boolean | StatusAccess;
  /** Shuts the server down when it is aborted. */
  signal?: AbortSignal;
}

/** A server that listens. Disposing of it shuts it down. */
export interface XdsServer extends AsyncDisposable {
  /** Where it listens. */
  readonly addr: {
    readonly hostname: string;
    readonly port: number;
    readonly transport: "tcp";
  };
  /** Resolves once it has shut down. */
  readonly finished: Promise<void>;
  /**
   * Stops listening, ends every stream with status OK, and resolves once all connections are closed. Those that are not
   * after `deadline` milliseconds (default: 5 000) are cut.
   */
  shutdown(options?: { deadline?: number }): Promise<void>;
}

/** A server that could not listen; the system's error is the `cause`. */
export class ListenError extends Error {
  /** The kind of error. */
  override readonly name = "ListenError";
}

const DEFAULT_DEADLINE = 5_000;

/**
 * Serves every v3 discovery service from a cache: over gRPC, aggregated (ADS) and by type, state of the world and
 * delta.
 *
 * @example A server on a port that the system picks
 * ```ts
 * import { createSnapshot, serve, SnapshotCache } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 *
 * const cache = new SnapshotCache({ ads: true });
 * cache.set("edge-1", createSnapshot({ resources: [create(ClusterSchema, { name: "users" })] }));
 * await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
 * console.log(`serving xDS on ${server.addr.port}`);
 * ```
 *
 * @example Who may have what: a token says which node a client may be, and secrets are for those that own them
 * ```ts
 * import { serve, SnapshotCache, TypeUrl } from "@xds/control-plane";
 *
 * const owners = new Map([["s3cret-of-edge-1", "edge-1"]]);
 * await using server = await serve({
 *   cache: new SnapshotCache(),
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   authenticate: (_peer, headers) => owners.get(headers.get("authorization")?.replace(/^Bearer /, "") ?? ""),
 *   authorize: ({ identity, node, typeUrl, subscription }) =>
 *     node.id === identity &&
 *     (typeUrl !== TypeUrl.Secret ||
 *       (!subscription.wildcard && [...subscription.names].every((name) => name.startsWith(`${identity}/`)))),
 * });
 * ```
 *
 * @throws {ListenError} if it cannot listen, as when the port is in use
 * @throws {TlsError} if a certificate or key does not parse
 * @throws {RangeError} if a limit, `stallAfter`, or REST's deadline, is none that can be kept to
 */
export async function serve<Identity = unknown>(
  options: ServeOptions<Identity>,
): Promise<XdsServer> {
  const { hostname = "0.0.0.0", port = 18_000, tls, signal } = options;
  if (tls) checkTls(tls);
  signal?.throwIfAborted();

  const ending = new AbortController();
  const http1 = new Http1Connections();
  const handle = await handlerOf(options, http1, ending.signal);
  const { http2, listener } = listenerOf(options, handle, http1);

  const connections = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  listener.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  http2.on("session", (connection: ServerHttp2Session) => {
    connections.add(connection);
    connection.on("close", () => connections.delete(connection));
    // A connection that breaks ends its streams, each of which says so; there is nobody else to tell.
    connection.on("error", () => connection.destroy());
  });
  await listen(listener, hostname, port);

  const finished = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const stop = async (deadline: number) => {
    signal?.removeEventListener("abort", abort);
    const closed = new Promise<void>((resolve) =>
      listener.close(() => resolve())
    );
    ending.abort();
    for (const connection of connections) connection.close();
    http1.close();
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, deadline);
    await closed;
    clearTimeout(cut);
    finished.resolve();
  };
  const shutdown: XdsServer["shutdown"] = (
    { deadline = DEFAULT_DEADLINE } = {},
  ) => stopping ??= stop(deadline);
  const abort = () => void shutdown();
  signal?.addEventListener("abort", abort);

  const address = listener.address() as AddressInfo;
  return {
    addr: { hostname: address.address, port: address.port, transport: "tcp" },
    finished: finished.promise,
    shutdown,
    [Symbol.asyncDispose]: () => shutdown(),
  };
}

/** Handles a request of either version of HTTP. */
type Handler = (
  request: Http2ServerRequest | IncomingMessage,
  response: Http2ServerResponse | ServerResponse,
) => void;

async function handlerOf<Identity>(
  options: ServeOptions<Identity>,
  http1: Http1Connections,
  ending: AbortSignal,
): Promise<Handler> {
  const { csds = false } = options;
  const methods = discoveryMethods({ ...options, inspected: csds !== false });
  // Loaded by those who want it: its messages take a good part of the time that all of this takes to load.
  const status = csds && await import("./csds.ts");
  const others = connectNodeAdapter({
    routes: (router) => {
      routesOf(methods, ending)(router);
      if (status) status.clientStatusRoutes(csds)(router, methods.sessions);
    },
    contextValues: (request) =>
      createContextValues().set(peerKey, peerOf(request)),
  });
  const { rest = false } = options;
  const answer = rest &&
    restRoutes(methods.fetches, rest === true ? {} : rest, ending);
  return (request, response) => {
    const stream = methods.streams.get(request.url ?? "");
    if (response instanceof ServerResponse) http1.begin(response);
    else if (stream && isGrpc(request)) {
      serveStream(request, response, stream, ending);
      return;
    }
    if (answer && pathOf(request).startsWith(REST_PREFIX)) {
      serveRest(request, response, answer);
    } else others(request, response);
  };
}

/** What speaks HTTP/2, and what listens. */
function listenerOf<Identity>(
  { tls, rest = false }: ServeOptions<Identity>,
  handle: Handler,
  http1: Http1Connections,
): { http2: Http2Server | Http2SecureServer; listener: Server } {
  if (tls) {
    const http2 = createSecureServer({
      cert: tls.cert,
      key: tls.key,
      ca: tls.clientCa,
      requestCert: tls.clientCa !== undefined,
      rejectUnauthorized: tls.clientCa !== undefined,
      allowHTTP1: rest !== false,
    }, handle);
    if (rest === false) refuseHttp1(http2);
    else allowHttp1(http2, http1);
    return { http2, listener: http2 };
  }
  const http2 = createServer(handle);
  const listener = rest === false
    ? http2
    : createClearServer(http2, handle, http1);
  return { http2, listener };
}

function listen(
  listener: Server,
  hostname: string,
  port: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once("error", (cause: Error & { code?: string }) => {
      const where = `${hostname}:${port}`;
      const reason = cause.code === "EADDRINUSE"
        ? "another process listens there; choose another port, or 0 for one that is free"
        : cause.message;
      reject(
        new ListenError(`cannot listen on ${where}: ${reason}`, { cause }),
      );
    });
    listener.listen(port, hostname, () => resolve());
  });
}
