import {
  createMutableRegistry,
  type DescService,
  type MutableRegistry,
  toBinary,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
} from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalHandlerFn,
} from "@connectrpc/connect/protocol";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "@xds/envoy/envoy/service/discovery/v3";
import { shortName } from "../resource/mod.ts";
import type { Ending } from "./_ending.ts";
import { type Fetched, fetchOnce } from "./_fetch.ts";
import { registryFor, responseIn } from "./_json.ts";
import { encodeMessage } from "./_grpc.ts";
import { measured } from "./_measured.ts";
import type { FetchMethod } from "./_streams.ts";
import { peerKey } from "./peer.ts";

const MESSAGE = "grpc-message";

/** How long a request waits for the cache to say what there is, in milliseconds. */
const DEADLINE = 5_000;

/** What go-control-plane says, in the words that its clients look for. */
const UNCHANGED = "skip fetch: version up to date";

/**
 * Adds a service to a router with its unary methods: `FetchClusters` and the like. What they answer is as
 * go-control-plane's: a client that has the newest version already gets status `UNKNOWN` and "skip fetch: version up to
 * date", at once; one for which there is nothing yet, `UNAVAILABLE` after five seconds.
 */
export function fetchService(
  router: ConnectRouter,
  service: DescService,
  fetches: readonly FetchMethod[],
  ending: Ending,
) {
  // Filled with the types of what is sent as JSON before it is: there is no loading them in between.
  const registry = createMutableRegistry();
  const implementation: Record<string, ReturnType<typeof handler>> = {};
  for (const fetch of fetches) {
    if (fetch.service !== service) continue;
    implementation[fetch.method.localName] = handler(fetch, registry, ending);
  }
  router.service(service, implementation as Record<string, never>, {
    jsonOptions: { registry },
    readMaxBytes: fetches[0].maxBytes,
  });
  for (const [place, handler] of router.handlers.entries()) {
    if (handler.service !== service) continue;
    const fetch = fetches.find(({ method }) => method === handler.method);
    if (fetch) router.handlers.splice(place, 1, ours(handler, fetch));
  }
}

/**
 * A handler of the router's that says what it refuses for its size, and whose status messages are encoded no more than
 * they have to be, as {@linkcode setStatus} does: grpc-js shows the rest as it comes.
 */
function ours(handler: UniversalHandler, fetch: FetchMethod): UniversalHandler {
  const { allowedMethods, method, protocolNames, requestPath, service } =
    handler;
  const { supportedContentType } = handler;
  const handle = measured(handler, fetch);
  const serve: UniversalHandlerFn = async (request) => {
    const response = await handle(request);
    const { body, trailer } = response;
    if (!body || !trailer) return response;
    async function* rewritten(body: AsyncIterable<Uint8Array>) {
      yield* body;
      const message = trailer!.get(MESSAGE);
      if (message === null) return;
      trailer!.set(MESSAGE, encodeMessage(decodeURIComponent(message)));
    }
    return { ...response, body: rewritten(body) };
  };
  return Object.assign(serve, {
    allowedMethods,
    method,
    protocolNames,
    requestPath,
    service,
    supportedContentType,
  });
}

function handler(
  fetch: FetchMethod,
  registry: MutableRegistry,
  ending: Ending,
) {
  return async (
    request: DiscoveryRequest,
    context: HandlerContext,
  ): Promise<DiscoveryResponse> => {
    const fetched = await fetchOnce(fetch, {
      request: toBinary(DiscoveryRequestSchema, request),
      peer: context.values.get(peerKey),
      headers: () => context.requestHeader,
      forNews: false,
      deadline: DEADLINE,
      gone: context.signal,
      ending,
    });
    if (fetched.kind !== "response") throw errorOf(fetched, fetch, request);
    const response = responseIn(fetched.frame);
    if (context.requestHeader.get("Content-Type")?.includes("json")) {
      for (const type of await registryFor(response)) registry.add(type);
    }
    return response;
  };
}

function errorOf(
  fetched: Exclude<Fetched, { kind: "response" }>,
  { typeUrl }: FetchMethod,
  request: DiscoveryRequest,
): ConnectError {
  if (fetched.kind === "failed") return fetched.error;
  if (fetched.kind === "unchanged") {
    return new ConnectError(UNCHANGED, Code.Unknown);
  }
  return nothingFor(typeUrl, request);
}

/** That the cache has not said what there is for a client. */
export function nothingFor(
  typeUrl: string,
  { node }: DiscoveryRequest,
): ConnectError {
  const message = `there is no ${shortName(typeUrl)} for node ${
    JSON.stringify(node?.id ?? "")
  } yet; ask again once something is set for it`;
  return new ConnectError(message, Code.Unavailable);
}
