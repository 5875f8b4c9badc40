import type { ConnectError } from "@connectrpc/connect";
import type { AddressInfo, Server, Socket } from "node:net";
import { combined } from "../cache/_observers.ts";
import {
  type Cache,
  type Clock,
  type Peer,
  systemClock,
} from "../cache/mod.ts";
import {
  type ConnectionLimit,
  ErrorCode,
  type Request,
  type Stream,
} from "../http2/mod.ts";
import type { Access } from "./access.ts";
import type { StatusAccess } from "./csds.ts";
import type { Observer } from "./events.ts";
import { certificateExpired, whenExpired } from "./_expiry.ts";
import { exchange } from "./_http2_exchange.ts";
import { Http2Socket } from "./_http2_socket.ts";
import { type HttpHandler, httpHandler } from "./_http_handler.ts";
import { clearListener, type Listening } from "./_listener.ts";
import { PeerResets } from "./_peer_resets.ts";
import { peerId } from "./_peers.ts";
import { restRoutes } from "./_rest.ts";
import { Rotation } from "./_rotation.ts";
import {
  type DiscoveryMethods,
  discoveryMethods,
  type RoutesOptions,
} from "./_streams.ts";
import { isGrpc, XdsStream } from "./_xds_stream.ts";
import {
  type EffectiveLimits,
  type Limits,
  limitsOf,
  MAX_TIME,
} from "./limits.ts";
import { peerOfSocket } from "./peer.ts";
import type { RestOptions } from "./rest.ts";
import { routesOf } from "./routes.ts";
import type { TlsOptions } from "./tls.ts";

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
  /** What limits of streams, `stallAfter` and the expiry of certificates go by. Default: the system's. */
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
 * @throws {TypeError} if there is no limit of a name that is in `limits`
 */
export async function serve<Identity = unknown>(
  options: ServeOptions<Identity>,
): Promise<XdsServer> {
  const { hostname = "0.0.0.0", port = 18_000, tls, signal } = options;
  const { clock = systemClock } = options;
  // What takes a part of the time to start is loaded by those who need it.
  const secure = tls && await import("./_secure_listener.ts");
  if (tls) secure!.checkTls(tls);
  signal?.throwIfAborted();

  const ending = new AbortController();
  const limits = limitsOf(options.limits);
  const inspected = options.csds !== undefined && options.csds !== false;
  const methods = discoveryMethods({ ...options, inspected });
  const handle = await handlerOf(options, methods, ending.signal);
  const http1 = options.rest
    ? new (await import("./_http1.ts")).Http1Connections(handle)
    : undefined;
  const tell = limitTeller(limits, combined(options.observer));

  const rotation = new Rotation();
  const { memory } = methods;
  const resets = new PeerResets(limits.resetsPerSecond);

  const connections = new Set<Http2Socket>();
  const undecided = new Set<Socket>();
  const listening: Listening = {
    http2: (socket, acceptedAt) => {
      let expired: ConnectError | undefined;
      const peer = peerOfSocket(socket);
      const id = peerId(peer, undefined);
      const connection = new Http2Socket(socket, {
        peer,
        acceptedAt,
        limits,
        memory: memory.connection(id),
        resets: resets.of(id, acceptedAt),
        pending: memory.pending,
        rotation,
        open: (stream, request) => {
          if (ending.signal.aborted) {
            stream.reset(ErrorCode.RefusedStream);
            return;
          }
          open(stream, request, connection, methods, handle);
          if (expired) endStreams(methods, peer, expired);
        },
        limit: (limit) => tell(limit, peer),
      });
      connections.add(connection);
      const expiry = whenExpired(peer, clock, () => {
        expired = certificateExpired(peer);
        connection.shutdown(expired.rawMessage);
        endStreams(methods, peer, expired);
      });
      // One that was resumed, so that nobody has looked at it: not to be told of by an answer, after which a client may
      // try again at once.
      if (expired) socket.destroy();
      socket.on("close", () => {
        expiry?.[Symbol.dispose]();
        connections.delete(connection);
      });
    },
    http1: http1 && ((socket) => {
      http1.add(socket);
      const peer = peerOfSocket(socket);
      const expiry = whenExpired(peer, clock, () => http1.close(socket));
      socket.on("close", () => expiry?.[Symbol.dispose]());
    }),
    handshakeTimeout: Math.min(limits.handshakeTimeout, MAX_TIME),
    late: (socket) => tell("handshakeTimeout", peerOfSocket(socket)),
    undecided,
  };
  const listener = tls
    ? secure!.secureListener(tls, listening)
    : clearListener(listening);
  const sockets = new Set<Socket>();
  listener.prependListener("connection", (socket: Socket) => {
    if (sockets.size >= limits.connections) {
      tell("connections", peerOfSocket(socket));
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await listen(listener, hostname, port);
  // As when there are no files left. Those that are connected are served on.
  listener.on("error", (error) => {
    console.error("xds: connections cannot be accepted:", error);
  });

  const finished = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const stop = async (deadline: number) => {
    signal?.removeEventListener("abort", abort);
    const closed = new Promise<void>((resolve) =>
      listener.close(() => resolve())
    );
    ending.abort();
    for (const session of [...methods.sessions]) session.end(null);
    for (const connection of connections) connection.shutdown();
    http1?.closeAll();
    for (const socket of undecided) socket.destroySoon();
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
  // It may have been aborted meanwhile.
  if (signal?.aborted) abort();

  return {
    addr: { hostname: address.address, port: address.port, transport: "tcp" },
    finished: finished.promise,
    shutdown,
    [Symbol.asyncDispose]: () => shutdown(),
  };
}

/** What answers all but discovery streams. */
async function handlerOf<Identity>(
  { csds = false, rest = false }: ServeOptions<Identity>,
  methods: DiscoveryMethods,
  ending: AbortSignal,
): Promise<HttpHandler> {
  // Loaded by those who want it: its messages take a good part of the time that all of this takes to load.
  const status = csds && await import("./csds.ts");
  return httpHandler(
    (router) => {
      routesOf(methods, ending)(router);
      if (status) status.clientStatusRoutes(csds)(router, methods.sessions);
    },
    rest === false
      ? undefined
      : restRoutes(methods.fetches, rest === true ? {} : rest, ending),
  );
}

/** Takes a request of HTTP/2. */
function open(
  stream: Stream,
  request: Request,
  connection: Http2Socket,
  methods: DiscoveryMethods,
  handle: HttpHandler,
) {
  const method = methods.streams.get(request.path);
  if (method && isGrpc(request)) {
    stream.handler = new XdsStream(stream, request, method, connection);
  } else exchange(stream, request, connection.peer, handle);
}

/** Ends the streams of one connection. */
function endStreams({ sessions }: DiscoveryMethods, peer: Peer, error: Error) {
  for (const session of [...sessions]) {
    if (session.peer === peer) session.end(error);
  }
}

/** Tells the observer of a connection's limit that was reached. */
function limitTeller(
  limits: EffectiveLimits,
  observer: Observer | undefined,
): (limit: ConnectionLimit | "connections", peer: Peer) => void {
  const messages: Record<ConnectionLimit | "connections", string> = {
    connections:
      `there may be ${limits.connections} connections; this one was cut`,
    streamsPerConnection:
      `a connection may have ${limits.streamsPerConnection} streams open; this one was refused`,
    resetsPerSecond:
      `a peer may begin and give up ${limits.resetsPerSecond} streams a second, and four times as many at once`,
    handshakeTimeout:
      `HTTP/2 did not begin within ${limits.handshakeTimeout} ms`,
    idleTimeout: `there was no stream for ${limits.idleTimeout} ms`,
    keepalive: `nothing came within ${limits.keepalive.timeout} ms of a ping`,
    maxConnectionAge:
      `the connection is ${limits.maxConnectionAge} ms old, give or take a tenth`,
  };
  return (limit, peer) => {
    const value = limit === "keepalive"
      ? limits.keepalive.timeout
      : limits[limit];
    const message = messages[limit];
    observer?.({
      kind: "limit",
      limit,
      value,
      peer,
      stream: undefined,
      message,
    });
  };
}

function listen(
  listener: Server,
  hostname: string,
  port: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error & { code?: string }) => {
      const where = `${hostname}:${port}`;
      const reason = cause.code === "EADDRINUSE"
        ? "another process listens there; choose another port, or 0 for one that is free"
        : cause.message;
      reject(
        new ListenError(`cannot listen on ${where}: ${reason}`, { cause }),
      );
    };
    listener.once("error", fail);
    listener.listen(port, hostname, () => {
      listener.off("error", fail);
      resolve();
    });
  });
}
