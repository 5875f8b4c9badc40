import type { Registry } from "@bufbuild/protobuf";
import type { Peer } from "../cache/mod.ts";
import { readAll, type RestRequest, restRoutes } from "./_rest.ts";
import { Ending } from "./_ending.ts";
import { Rotation } from "./_rotation.ts";
import { discoveryMethods, type RoutesOptions } from "./_streams.ts";
import { unknownPeer } from "./peer.ts";

/** What is REST's own. */
export interface RestOptions {
  /**
   * How long a request may wait until there is something that its client does not have, in milliseconds. Default:
   * 30 000. Where the client says how long it waits, in the header `x-envoy-expected-rq-timeout-ms` as Envoy does, that is
   * kept to instead if it is shorter: the answer comes after half of it. (Envoy's `request_timeout` is a second
   * unless it is set.)
   */
  deadline?: number;
  /** Schemas of messages that Envoy's API lacks and that resources hold in an `Any`. */
  types?: Registry;
}

/** What {@linkcode restHandler} needs. */
export interface RestHandlerOptions<Identity = unknown>
  extends RoutesOptions<Identity>, RestOptions {}

/** Who sent a request. What `Deno.serve` passes beside one will do. */
export interface RestInfo {
  /** The other end of the connection; goes before `remoteAddr`. */
  readonly peer?: Peer;
  /** Its address. */
  readonly remoteAddr?: { readonly hostname?: string; readonly port?: number };
}

/**
 * Every v3 discovery service as REST, for a server of one's own: `POST /v3/discovery:clusters` and so on, a
 * `DiscoveryRequest` in, a `DiscoveryResponse` out, both in protobuf's JSON. {@linkcode serve} has it built in.
 *
 * A request is answered at once if its `version_info` is not the newest, and otherwise as soon as there is something
 * newer; with 304 if that does not come within the deadline. Errors are JSON, too: a `google.rpc.Status`.
 *
 * Every request is a subscription of its own: all that a server knows of what the client has is the version. Where the
 * versions are the caller's (and not derived from content), a client that asks for one more name is therefore answered
 * only once the version moves; and a client that refuses a response asks for it again. A client is connected while it
 * waits, and only then, so that `SnapshotCache.settled` does not wait for what it makes of an answer.
 *
 * A resource that holds a message of a type that neither Envoy's API nor `types` has cannot be said in JSON. The
 * response that would hold it is refused with 501 and an error that names the type and its place; to leave the resource
 * out would be to delete it.
 *
 * @example
 * ```ts
 * import { restHandler, SnapshotCache } from "@xds/control-plane";
 *
 * const cache = new SnapshotCache();
 * await using server = Deno.serve({ hostname: "127.0.0.1", port: 0 }, restHandler({ cache }));
 * ```
 *
 * @throws {RangeError} if a limit, or the deadline, is none that can be kept to
 * @throws {TypeError} if there is no limit of a name that is in `limits`
 */
export function restHandler<Identity = unknown>(
  options: RestHandlerOptions<Identity>,
): (request: Request, info?: RestInfo) => Promise<Response> {
  const ending = new Ending(options.signal);
  const methods = discoveryMethods(options);
  const answer = restRoutes(methods, options, ending, new Rotation());
  return async (request, info = {}) => {
    const { status, headers, body } = await answer(plain(request, info));
    return new Response(body, { status, headers });
  };
}

function plain(request: Request, info: RestInfo): RestRequest {
  return {
    method: request.method,
    path: new URL(request.url).pathname,
    header: (name) => request.headers.get(name) ?? undefined,
    headers: () => request.headers,
    read: (maxBytes, held) =>
      readAll(request.body ?? nothing(), maxBytes, held),
    peer: peerOf(info),
    gone: request.signal,
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function peerOf({ peer, remoteAddr }: RestInfo): Peer {
  if (peer || !remoteAddr) return peer ?? unknownPeer;
  const { hostname = "", port = 0 } = remoteAddr;
  return { hostname, port, certificate: undefined };
}
