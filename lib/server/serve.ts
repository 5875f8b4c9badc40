import type { Socket } from "node:net";
import { type Cache, type Clock, systemClock } from "../cache/mod.ts";
import { combined } from "../cache/_observers.ts";
import { Ending } from "./_ending.ts";
import { whenExpired } from "./_expiry.ts";
import { GrpcServer } from "./_grpc_server.ts";
import { type HttpHandler, httpHandler } from "./_http_handler.ts";
import { limitTeller } from "./_limit_teller.ts";
import { type Address, closed, listen } from "./_listen.ts";
import type { RestServer } from "./_rest_server.ts";
import { restRoutes } from "./_rest.ts";
import { Rotation } from "./_rotation.ts";
import {
  type DiscoveryMethods,
  discoveryMethods,
  type RoutesOptions,
} from "./_streams.ts";
import type { Access } from "./access.ts";
import type { StatusAccess } from "./csds.ts";
import type { Observer } from "./events.ts";
import { type EffectiveLimits, type Limits, limitsOf } from "./limits.ts";
import { peerOfSocket } from "./peer.ts";
import type { RestOptions } from "./rest.ts";
import { routesOf } from "./routes.ts";
import type { TlsOptions } from "./tls.ts";

export { type Address, ListenError } from "./_listen.ts";

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
   * After how long something that is blocked is told of again, by a `stall` event, in milliseconds. Default: 10 000.
   */
  stallAfter?: number;
  /**
   * Whether a first request of a type that names nothing asks for all of it. Default, and where the function returns
   * undefined: that of listeners, clusters and scoped routes does. That of secrets never does: an Envoy whose listener failed
   * requests none.
   */
  legacyWildcard?: RoutesOptions["legacyWildcard"];
  /**
   * Serves REST on a port of its own, as {@linkcode restHandler} does, over HTTP/1.1, for Envoys whose `api_type` is
   * `REST`. Default: it is not served.
   */
  rest?: RestServeOptions;
  /**
   * Serves the client status discovery service (CSDS), too, to everybody (`true`) or to whom the function says: it tells
   * what every client was sent, if not what is in secrets. Default: it is not served.
   */
  csds?: boolean | StatusAccess;
  /** Shuts the server down when it is aborted. */
  signal?: AbortSignal;
}

/** What {@linkcode serve} needs to serve REST. */
export interface RestServeOptions extends RestOptions {
  /** Port to listen on; 0 lets the system pick one. */
  port: number;
  /** Address to listen on. Default: the `hostname` of gRPC. */
  hostname?: string;
}

/** A server that listens. Disposing of it shuts it down. */
export interface XdsServer extends AsyncDisposable {
  /** Where it listens. */
  readonly addr: Address;
  /** Where it listens for REST; undefined if that is not served. */
  readonly restAddr: Address | undefined;
  /** Resolves once it has shut down. */
  readonly finished: Promise<void>;
  /**
   * Stops listening, ends every stream with status OK, and resolves once all connections are closed. Those that are not
   * after `deadline` milliseconds (default: 5 000) are cut.
   */
  shutdown(options?: { deadline?: number }): Promise<void>;
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
  const { hostname = "0.0.0.0", port = 18_000, tls, rest, signal } = options;
  // What takes a part of the time to start is loaded by those who need it.
  const secure = tls && await import("./_secure_listener.ts");
  if (tls) secure!.checkTls(tls);
  signal?.throwIfAborted();

  const parts = partsOf(options);
  const { sockets } = parts;
  const grpc = new GrpcServer({
    ...parts,
    handle: await handlerOf(options, parts, undefined),
    secure: tls && ((listening) => secure!.secureListener(tls, listening)),
  });
  const http = rest && await restServer(options, rest, parts);
  const listeners = [grpc.listener, ...(http ? [http.listener] : [])];
  const addr = await listen(grpc.listener, hostname, port);
  const restAddr = http &&
    await listenForRest(http, rest.hostname ?? hostname, rest.port, grpc);

  const finished = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const stop = async (deadline: number) => {
    signal?.removeEventListener("abort", abort);
    const all = Promise.all(listeners.map(closed));
    parts.end();
    grpc.closeAll();
    http?.closeAll();
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, deadline);
    await all;
    clearTimeout(cut);
    finished.resolve();
  };
  const shutdown: XdsServer["shutdown"] = (
    { deadline = DEFAULT_DEADLINE } = {},
  ) => stopping ??= stop(deadline);
  const abort = () => void shutdown();
  signal?.addEventListener("abort", abort);
  // It may have been aborted while this began to listen.
  if (signal?.aborted) abort();
  return {
    addr,
    restAddr,
    finished: finished.promise,
    shutdown,
    [Symbol.asyncDispose]: () => shutdown(),
  };
}

/** What the servers of a process share. */
interface Parts {
  readonly methods: DiscoveryMethods;
  readonly limits: EffectiveLimits;
  readonly rotation: Rotation;
  readonly clock: Clock;
  readonly ending: Ending;
  /** Connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
  end(): void;
  admit(socket: Socket): boolean;
  tell: ReturnType<typeof limitTeller>;
}

function partsOf<Identity>(options: ServeOptions<Identity>): Parts {
  const { clock = systemClock, csds = false } = options;
  const limits = limitsOf(options.limits);
  const end = new AbortController();
  const tell = limitTeller(limits, combined(options.observer));
  const sockets = new Set<Socket>();
  return {
    methods: discoveryMethods({ ...options, inspected: csds !== false }),
    limits,
    rotation: new Rotation(),
    clock,
    ending: new Ending(end.signal),
    sockets,
    end: () => end.abort(),
    admit(socket) {
      if (sockets.size >= limits.connections) {
        tell("connections", peerOfSocket(socket));
        socket.destroy();
        return false;
      }
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      return true;
    },
    tell,
  };
}

/** What answers all but discovery streams: unary methods, CSDS and, if its options are given, REST. */
async function handlerOf<Identity>(
  { csds = false }: ServeOptions<Identity>,
  { methods, ending, limits, rotation }: Parts,
  rest: RestOptions | undefined,
): Promise<HttpHandler> {
  // Loaded by those who want it: its messages take a good part of the time that all of this takes to load.
  const status = csds && await import("./csds.ts");
  return httpHandler(
    (router) => {
      routesOf(methods, ending)(router);
      if (status) status.clientStatusRoutes(csds)(router, methods.sessions);
    },
    rest && restRoutes(methods, rest, ending, rotation),
    limits.openTimeout,
  );
}

async function restServer<Identity>(
  options: ServeOptions<Identity>,
  rest: RestOptions,
  parts: Parts,
): Promise<RestServer> {
  const { RestServer } = await import("./_rest_server.ts");
  const { admit, clock, limits, tell } = parts;
  const server: RestServer = new RestServer({
    handle: await handlerOf(options, parts, rest),
    tls: options.tls,
    limits,
    admit,
    opened(socket) {
      const peer = peerOfSocket(socket);
      const expiry = whenExpired(peer, clock, () => server.close(socket));
      socket.on("close", () => expiry?.[Symbol.dispose]());
    },
    tooMany: (socket) => tell("streamsPerConnection", peerOfSocket(socket)),
  });
  return server;
}

/** Begins to listen for REST; if that is not possible, the server of gRPC is closed. */
async function listenForRest(
  http: RestServer,
  hostname: string,
  port: number,
  grpc: GrpcServer,
): Promise<Address> {
  try {
    return await listen(http.listener, hostname, port);
  } catch (error) {
    grpc.listener.close();
    throw error;
  }
}
