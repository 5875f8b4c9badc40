import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { contentTypeMatcher } from "@connectrpc/connect/protocol";
import {
  type Cache,
  type Client,
  type Clock,
  type Peer,
  systemClock,
} from "../cache/mod.ts";
import { type Protocol, Responses } from "../protocol/mod.ts";
import { streamLimits } from "./_allowance.ts";
import { steadyClock } from "./_clock.ts";
import { type ConnectionMemory, ServerMemory } from "./_memory.ts";
import { Session, type SessionOptions } from "./_session.ts";
import { peerId } from "./_peers.ts";
import { SentTimes } from "./_sent_times.ts";
import { Stalls } from "./_stalls.ts";
import { type Heard, hearing } from "./_fetch.ts";
import type { Access } from "./access.ts";
import { combined } from "../cache/_observers.ts";
import type { Observer } from "./events.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { discoveryServices, isFetch, streamedProtocol } from "./services.ts";

/** What the discovery services need. */
export interface RoutesOptions<Identity = unknown> extends Access<Identity> {
  /** What to serve. */
  cache: Cache;
  /** Told of what happens; several are told one after the other. */
  observer?: Observer | readonly Observer[];
  /**
   * After how long something that is blocked is told of again, by a `stall` event, in milliseconds. Default: 10 000.
   */
  stallAfter?: number;
  /** What a client may take. */
  limits?: Limits;
  /**
   * Whether a first request of a type that names nothing asks for all of it. Default, and where the function returns
   * undefined: that of listeners, clusters and scoped routes does. That of secrets never does: an Envoy whose listener failed
   * requests none.
   */
  legacyWildcard?:
    | boolean
    | ((client: Client, typeUrl: string) => boolean | undefined);
  /** What limits and `stallAfter` go by. Default: the time that the process runs. */
  clock?: Clock;
  /** Ends all streams, with status OK, when it is aborted. */
  signal?: AbortSignal;
}

/** What the methods of the services need. */
export interface MethodsOptions<Identity> extends RoutesOptions<Identity> {
  /** Whether somebody may ask what is on the streams. Default: false. */
  inspected?: boolean;
}

/** A method that streams a discovery protocol. */
export interface StreamMethod {
  readonly service: DescService;
  readonly method: DescMethod;
  /** Size of a request, in bytes, beyond which it is turned away. */
  readonly maxBytes: number;
  /**
   * Opens a session for a stream of it; its headers are asked for if anybody wants to see them. Where there is no
   * connection that is counted for, it is counted as one.
   */
  open(peer: Peer, headers: () => Headers, memory?: ConnectionMemory): Session;
}

/** A method that answers one request of a type. */
export interface FetchMethod {
  readonly service: DescService;
  readonly method: DescMethod;
  readonly typeUrl: string;
  /** Size of a request, in bytes, beyond which it is turned away. */
  readonly maxBytes: number;
  /** Names that may be in it. */
  readonly maxNames: number;
  /** Says that a request was turned away for its size. */
  tooLarge(peer: Peer, message: string): void;
  /** Opens a session for one request; `heard` is kept up to date. */
  open(peer: Peer, headers: () => Headers, heard: Heard): Session;
}

/** The methods of all services. */
export interface DiscoveryMethods {
  /** Those that stream, by their paths. */
  readonly streams: ReadonlyMap<string, StreamMethod>;
  /** Those that do not. */
  readonly fetches: readonly FetchMethod[];
  /** The streams that are open. */
  readonly sessions: ReadonlySet<Session>;
  /** What is held on behalf of clients. */
  readonly memory: ServerMemory;
}

/** The media types of gRPC with protobuf messages; parameters make no difference. */
export const grpcContentType = contentTypeMatcher(
  /^application\/grpc(\+proto)?\s*(;|$)/i,
);

let opened = 0;

/**
 * The methods of all services. What they send is shared between them.
 *
 * @throws {RangeError} if a limit is none, or `stallAfter` no time
 */
export function discoveryMethods<Identity>(
  options: MethodsOptions<Identity>,
): DiscoveryMethods {
  const { cache, legacyWildcard } = options;
  const limits = limitsOf(options.limits);
  const { names: maxNames, types: maxTypes, messageBytes: maxBytes } = limits;
  const { nodeBytes } = limits;
  const { clock = steadyClock, stallAfter = 10_000 } = options;
  const kept = streamLimits(limits, clock);
  const stalls = new Stalls(clock, stallAfter);
  const now = () => (options.clock ?? systemClock).now();
  let serial = 0;
  const responses: Record<Protocol, Responses> = {
    sotw: new Responses("sotw", () => ++serial),
    delta: new Responses("delta", () => ++serial),
  };
  const shared = {
    cache,
    maxNames,
    maxTypes,
    nodeBytes,
    legacyWildcard: typeof legacyWildcard === "function"
      ? legacyWildcard
      : () => legacyWildcard,
    access: accessOf(options),
    observer: combined(options.observer),
  };
  const tooLarge = (peer: Peer, message: string) =>
    shared.observer?.({
      kind: "limit",
      limit: "messageBytes",
      value: maxBytes,
      peer,
      stream: undefined,
      message,
    });
  const sessions = new Set<Session>();
  const memory = new ServerMemory(limits);
  const open = (options: SessionOptions): Session => {
    const { peer, memory: given } = options;
    const counted = given ?? memory.connection(peerId(peer, undefined));
    const session = new Session({ ...options, memory: counted }, () => {
      sessions.delete(session);
      if (!given) counted.close();
    });
    sessions.add(session);
    return session;
  };
  const streams = new Map<string, StreamMethod>();
  const fetches: FetchMethod[] = [];
  for (const { service, typeUrl } of discoveryServices) {
    for (const method of service.methods) {
      const about = { service, method, maxBytes };
      const session = (
        protocol: Protocol,
        peer: Peer,
        headers: () => Headers,
      ) => ({
        ...shared,
        id: ++opened,
        peer,
        headers,
        protocol,
        typeUrl,
        responses: responses[protocol],
      });
      const protocol = streamedProtocol(method);
      if (protocol) {
        streams.set(`/${service.typeName}/${method.name}`, {
          ...about,
          open: (peer, headers, memory) =>
            open({
              ...session(protocol, peer, headers),
              limits: kept.streams,
              memory,
              stalls,
              times: options.inspected ? new SentTimes(now) : undefined,
            }),
        });
      } else if (typeUrl !== undefined && isFetch(method)) {
        const open = (peer: Peer, headers: () => Headers, heard: Heard) =>
          new Session({
            ...session("sotw", peer, headers),
            cache: hearing(cache, heard),
            limits: kept.fetches,
            trustsVersion: true,
          });
        fetches.push({ ...about, typeUrl, maxNames, tooLarge, open });
      }
    }
  }
  return { streams, fetches, sessions, memory };
}

/** Who may do what; undefined if all may do all. */
function accessOf<Identity>(options: Access<Identity>): Access | undefined {
  const { authenticate, authorize } = options;
  if (!authenticate && !authorize) return undefined;
  // The identity that one is passed is always what the other returned.
  return { authenticate, authorize } as Access;
}
