import { ConnectError, type ConnectRouter } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalHandlerFn,
  UniversalServerRequest,
} from "@connectrpc/connect/protocol";
import { Ending } from "./_ending.ts";
import { MessageReader, setStatus } from "./_grpc.ts";
import type { Session } from "./_session.ts";
import {
  type DiscoveryMethods,
  discoveryMethods,
  grpcContentType,
  type RoutesOptions,
  type StreamMethod,
} from "./_streams.ts";
import type { StatusRoutes } from "./csds.ts";
import { clientGone } from "./_status.ts";
import { fetchService } from "./fetch.ts";
import { peerKey, unknownPeer } from "./peer.ts";
import { discoveryServices } from "./services.ts";

const nothing = new Uint8Array();

/** What {@linkcode xdsRoutes} needs. */
export interface XdsRoutesOptions<Identity = unknown>
  extends RoutesOptions<Identity> {
  /**
   * Serves the client status discovery service, too: `clientStatusRoutes` of `@xds/control-plane/csds`. Default: it is not
   * served.
   */
  csds?: StatusRoutes;
}

/**
 * Every v3 discovery service for a Connect router of one's own, aggregated and by type, state of the world and delta.
 *
 * Streams are gRPC, over HTTP/2. A response that goes to many of them is encoded and framed once.
 *
 * The unary methods, `FetchClusters` and so on, are served by all protocols that the router speaks, and behave as
 * go-control-plane's: a client whose `version_info` is the newest is answered at once with status `UNKNOWN` and the
 * message `skip fetch: version up to date`. One for which there is nothing gets `UNAVAILABLE`, after up to five seconds.
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
 *
 * @throws {RangeError} if a limit is none that can be kept to
 * @throws {TypeError} if there is no limit of a name that is in `limits`
 */
export function xdsRoutes<Identity = unknown>(
  options: XdsRoutesOptions<Identity>,
): (router: ConnectRouter) => void {
  const { csds, signal } = options;
  const methods = discoveryMethods({ ...options, inspected: !!csds });
  const add = routesOf(methods, new Ending(signal));
  return (router) => {
    add(router);
    csds?.(router, methods.sessions);
  };
}

/** Routes by methods that there are already. */
export function routesOf(
  { streams, fetches }: DiscoveryMethods,
  ending: Ending,
): (router: ConnectRouter) => void {
  return (router) => {
    for (const { service } of discoveryServices) {
      fetchService(router, service, fetches, ending);
    }
    for (const [path, method] of streams) {
      // A handler of ours in the place of the one that the router made for the method.
      const place = router.handlers.findIndex(({ requestPath }) =>
        requestPath === path
      );
      router.handlers.splice(place, 1, handler(path, method, ending));
    }
  };
}

function handler(
  requestPath: string,
  streamed: StreamMethod,
  ending: Ending,
): UniversalHandler {
  const serve: UniversalHandlerFn = (request) => {
    if (request.method !== "POST") return Promise.resolve({ status: 405 });
    if (!grpcContentType(request.header.get("Content-Type"))) {
      return Promise.resolve({ status: 415 });
    }
    if (!request.httpVersion.startsWith("2")) {
      return Promise.resolve({ status: 505 });
    }
    const session = streamed.open(
      request.contextValues?.get(peerKey) ?? unknownPeer,
      () => request.header,
    );
    const requests = readRequests(request, session, streamed.maxBytes);
    return Promise.resolve(respond(request, session, requests, ending));
  };
  return Object.assign(serve, {
    service: streamed.service,
    method: streamed.method,
    protocolNames: ["grpc"],
    requestPath,
    allowedMethods: ["POST"],
    supportedContentType: grpcContentType,
  });
}

function respond(
  request: UniversalServerRequest,
  session: Session,
  requests: Requests,
  ending: Ending,
) {
  const header = new Headers({
    "Content-Type": "application/grpc+proto",
    "Grpc-Accept-Encoding": "identity",
  });
  const trailer = new Headers();
  const end = () => session.end(null);
  const cut = () => session.end(clientGone(request.signal.reason));
  ending.add(end);
  request.signal.addEventListener("abort", cut);
  if (ending.isOver) end();

  const finish = () => {
    ending.delete(end);
    request.signal.removeEventListener("abort", cut);
    setStatus(session.ended, (name, value) => trailer.set(name, value));
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
      while (true) {
        const frame = session.take();
        if (frame) return { done: false, value: frame };
        // What was asked for before the client's end is answered, as far as that is there already.
        if (requests.isRead && !session.standsStill) session.end(null);
        if (session.ended !== undefined) return finish();
        await new Promise<void>((resolve) => session.wake = resolve);
      }
    },
    throw(reason) {
      session.end(clientGone(reason));
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

/** The requests of a stream. */
interface Requests {
  /** Whether the client has nothing more to say. */
  isRead: boolean;
}

/** Reads requests as they come, and ends the session for what is wrong with them. */
function readRequests(
  request: UniversalServerRequest,
  session: Session,
  maxBytes: number,
): Requests {
  const requests: Requests = { isRead: false };
  readAll(request, session, maxBytes, requests);
  return requests;
}

async function readAll(
  request: UniversalServerRequest,
  session: Session,
  maxBytes: number,
  requests: Requests,
) {
  const reader = new MessageReader(
    maxBytes,
    (message) => {
      session.receive(message);
      return false;
    },
  );
  // Not `for await`: to leave its loop would reset the stream, and with it the status that says why.
  const chunks = (request.body as AsyncIterable<Uint8Array>)
    [Symbol.asyncIterator]();
  try {
    for (
      let next = await chunks.next();
      !next.done;
      next = await chunks.next()
    ) {
      if (session.ended === undefined) reader.read(next.value);
    }
    requests.isRead = true;
    session.wake();
  } catch (error) {
    session.end(error instanceof ConnectError ? error : clientGone(error));
  }
}
