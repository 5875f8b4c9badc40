import type { ConnectError } from "@connectrpc/connect";
import type { Server, Socket } from "node:net";
import type { Clock, Peer } from "../cache/mod.ts";
import { ErrorCode, type Request, type Stream } from "../http2/mod.ts";
import type { Ending } from "./_ending.ts";
import { certificateExpired, whenExpired } from "./_expiry.ts";
import { exchange } from "./_http2_exchange.ts";
import { Http2Socket } from "./_http2_socket.ts";
import type { HttpHandler } from "./_http_handler.ts";
import type { ToldLimit } from "./_limit_teller.ts";
import { clearListener, type Listening } from "./_listener.ts";
import { PeerResets } from "./_peer_resets.ts";
import { peerId } from "./_peers.ts";
import type { Rotation } from "./_rotation.ts";
import type { DiscoveryMethods } from "./_streams.ts";
import { isGrpc, XdsStream } from "./_xds_stream.ts";
import { type EffectiveLimits, MAX_TIME } from "./limits.ts";
import { peerOfSocket } from "./peer.ts";

/** What a server of gRPC needs. */
export interface GrpcServerOptions {
  readonly methods: DiscoveryMethods;
  /** Answers all but discovery streams. */
  readonly handle: HttpHandler;
  readonly limits: EffectiveLimits;
  readonly rotation: Rotation;
  readonly clock: Clock;
  readonly ending: Ending;
  /** Makes what listens over TLS; in the clear if it is left out. */
  readonly secure?: (listening: Listening) => Server;
  /** Takes a connection; false if there are too many, so that it is to be cut. */
  admit(socket: Socket): boolean;
  /** A limit was reached. */
  tell(limit: ToldLimit, peer: Peer): void;
}

/** Serves gRPC over HTTP/2, discovery streams first of all. */
export class GrpcServer {
  /** What listens. */
  readonly listener: Server;
  readonly #options: GrpcServerOptions;
  readonly #resets: PeerResets;
  readonly #connections = new Set<Http2Socket>();
  readonly #undecided = new Set<Socket>();

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    const { limits, secure = clearListener, tell } = options;
    this.#resets = new PeerResets(limits.resetsPerSecond);
    this.listener = secure({
      http2: (socket, acceptedAt) => this.#take(socket, acceptedAt),
      handshakeTimeout: Math.min(limits.handshakeTimeout, MAX_TIME),
      late: (socket) => tell("handshakeTimeout", peerOfSocket(socket)),
      undecided: this.#undecided,
    });
    this.listener.prependListener("connection", options.admit);
  }

  /** Ends all streams, and closes connections once theirs have ended. */
  closeAll() {
    for (const session of [...this.#options.methods.sessions]) {
      session.end(null);
    }
    for (const connection of this.#connections) connection.shutdown();
    for (const socket of this.#undecided) socket.destroySoon();
  }

  #take(socket: Socket, acceptedAt: number) {
    const { methods, limits, rotation, clock, tell } = this.#options;
    const { memory } = methods;
    let expired: ConnectError | undefined;
    const peer = peerOfSocket(socket);
    const id = peerId(peer, undefined);
    const connection = new Http2Socket(socket, {
      peer,
      acceptedAt,
      limits,
      memory: memory.connection(id),
      resets: this.#resets.of(id, acceptedAt),
      pending: memory.pending,
      rotation,
      open: (stream, request) => {
        this.#open(stream, request, connection);
        if (expired) this.#endStreams(peer, expired);
      },
      limit: (limit) => tell(limit, peer),
    });
    this.#connections.add(connection);
    const expiry = whenExpired(peer, clock, () => {
      expired = certificateExpired(peer);
      connection.shutdown(expired.rawMessage);
      this.#endStreams(peer, expired);
    });
    // One that was resumed, so that nobody has looked at it: not to be told of by an answer, after which a client may
    // try again at once.
    if (expired) socket.destroy();
    socket.on("close", () => {
      expiry?.[Symbol.dispose]();
      this.#connections.delete(connection);
    });
  }

  #open(stream: Stream, request: Request, connection: Http2Socket) {
    const { methods, handle, ending } = this.#options;
    if (ending.isOver) {
      stream.reset(ErrorCode.RefusedStream);
      return;
    }
    const method = methods.streams.get(request.path);
    if (method && isGrpc(request)) {
      stream.handler = new XdsStream(stream, request, method, connection);
    } else exchange(stream, request, connection, handle);
  }

  /** Ends the streams of one connection. */
  #endStreams(peer: Peer, error: Error) {
    for (const session of [...this.#options.methods.sessions]) {
      if (session.peer === peer) session.end(error);
    }
  }
}
