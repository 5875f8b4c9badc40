/**
 * The client status discovery service (CSDS), for a Connect router of one's own: an entry by itself, since its messages
 * take as long to load as a good part of the rest.
 *
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
} from "@connectrpc/connect";
import { ClientResourceStatus } from "@xds/envoy/envoy/admin/v3";
import {
  type ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ClientConfig_GenericXdsConfigSchema,
  ClientConfigSchema,
  ClientStatusDiscoveryService,
  type ClientStatusRequest,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
  ConfigStatus,
} from "@xds/envoy/envoy/service/status/v3";
import type { Client, Peer, ResourceState } from "../cache/mod.ts";
import { memoryOf } from "../protocol/mod.ts";
import { type Resource, traitsOf } from "../resource/mod.ts";
import { checkMatchers, matchesNode } from "./_node_matcher.ts";
import { withoutContent, withoutSecrets } from "./_secrets.ts";
import { Pause, Queue } from "./_status_queue.ts";
import { peerKey } from "./peer.ts";

/** A resource that a client asks for or was told of. */
export interface InspectedResource {
  /** Its type. */
  readonly typeUrl: string;
  /** Its name. */
  readonly name: string;
  /** Where the client stands with it. */
  readonly state: ResourceState;
  /** When the client was sent it last, in milliseconds since 1970; undefined if it was not, on its stream. */
  readonly sentAt: number | undefined;
}

/** A stream, as far as it is to be told of. */
export interface InspectedStream {
  /** The client; undefined until its first request came. */
  readonly client: Client | undefined;
  /** What the client asks for or was told of, with where it stands. */
  inspect(): Iterable<InspectedResource>;
}

/** Who may ask what all clients were sent: given the other end of the connection and the request's headers. */
export type StatusAccess = (
  peer: Peer,
  headers: Headers,
) => boolean | Promise<boolean>;

/** Adds the client status discovery service to a router; it tells of the streams that are open when it is asked. */
export type StatusRoutes = (
  router: ConnectRouter,
  streams: Iterable<InspectedStream>,
) => void;

/**
 * The client status discovery service (CSDS) for {@linkcode xdsRoutes}: what each client was sent, resource by resource,
 * when, and what it made of it. Of secrets it tells names and versions, and never what is in them. `serve` has it built
 * in.
 *
 * @param access who may ask: everybody (`true`), or to whom the function says
 *
 * @example
 * ```ts
 * import { SnapshotCache, xdsRoutes } from "@xds/control-plane";
 * import { clientStatusRoutes } from "@xds/control-plane/csds";
 *
 * const csds = clientStatusRoutes((peer) => peer.certificate?.commonName === "operator");
 * const routes = xdsRoutes({ cache: new SnapshotCache(), csds });
 * ```
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/status/v3/csds.proto
 */
export function clientStatusRoutes(access: StatusAccess | true): StatusRoutes {
  return (router, streams) => addRoutes(router, streams, access);
}

function addRoutes(
  router: ConnectRouter,
  streams: Iterable<InspectedStream>,
  access: StatusAccess | true,
) {
  const admit = async ({ values, requestHeader }: HandlerContext) => {
    if (access === true) return;
    if (await access(values.get(peerKey), requestHeader)) return;
    const message = "this client may not ask for the status of others";
    throw new ConnectError(message, Code.PermissionDenied);
  };
  const queue = new Queue();
  const answer = (request: ClientStatusRequest) => {
    checkMatchers(request.nodeMatchers);
    return queue.run(() => clientStatus(streams, request));
  };
  router.service(ClientStatusDiscoveryService, {
    async fetchClientStatus(request, context) {
      await admit(context);
      return answer(request);
    },
    async *streamClientStatus(requests, context) {
      await admit(context);
      for await (const request of requests) yield await answer(request);
    },
  });
}

/** Resources that an answer may tell of, and bytes that may be in it: it is one message. */
const MAX_RESOURCES = 20_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** Milliseconds that an answer is made for until others have their turn. */
const SLICE = 3;

/**
 * What the clients that a request means hold. The streams of a node are told of together.
 *
 * @throws {ConnectError} with `RESOURCE_EXHAUSTED` if that is more than an answer can hold
 */
async function clientStatus(
  streams: Iterable<InspectedStream>,
  request: ClientStatusRequest,
): Promise<ClientStatusResponse> {
  const { nodeMatchers, excludeResourceContents } = request;
  const byNode = new Map<string, ClientConfig>();
  let [resources, bytes] = [0, 0];
  const pause = new Pause(SLICE);
  for (const stream of [...streams]) {
    const node = stream.client?.node;
    if (!node || !matchesNode(node, nodeMatchers)) continue;
    let config = byNode.get(node.id);
    if (!config) {
      byNode.set(node.id, config = create(ClientConfigSchema, { node }));
      bytes += memoryOf(node);
    }
    for (const resource of stream.inspect()) {
      const one = toConfig(resource, excludeResourceContents);
      config.genericXdsConfigs.push(one);
      resources++;
      bytes += one.xdsConfig?.value.length ?? 0;
      bytes += one.errorState?.failedConfiguration?.value.length ?? 0;
      if (resources > MAX_RESOURCES || bytes > MAX_BYTES) throw tooMuch();
      if (pause.isDue) await pause.wait();
    }
    if (pause.isDue) await pause.wait();
  }
  return create(ClientStatusResponseSchema, { config: [...byNode.values()] });
}

function tooMuch(): ConnectError {
  return new ConnectError(
    `the answer would tell of more than ${MAX_RESOURCES} resources, or have more than ${MAX_BYTES} bytes; ` +
      "ask for fewer clients with node_matchers, or set exclude_resource_contents",
    Code.ResourceExhausted,
  );
}

function toConfig(
  { typeUrl, name, state, sentAt }: InspectedResource,
  withoutContents: boolean,
): ClientConfig_GenericXdsConfig {
  const { version, resource, refusal, standing } = state;
  const isSecret = traitsOf(typeUrl).secret;
  const isHidden = withoutContents || isSecret;
  const contentOf = (resource: Resource | undefined) =>
    resource && !isHidden ? { typeUrl, value: resource.bytes } : undefined;
  const sent = sentAt === undefined ? undefined : timestampFromMs(sentAt);
  return create(ClientConfig_GenericXdsConfigSchema, {
    typeUrl,
    name,
    lastUpdated: refusal ? undefined : sent,
    versionInfo: (refusal ? standing?.version : version) ?? "",
    xdsConfig: contentOf(refusal ? standing : resource),
    configStatus: configStatus(state),
    clientStatus: clientResourceStatus(state),
    errorState: refusal && {
      failedConfiguration: contentOf(resource),
      lastUpdateAttempt: sent,
      details: isSecret
        ? withoutContent(refusal.message, name, resource?.bytes)
        : withoutSecrets(refusal.message),
      versionInfo: refusal.version,
    },
  });
}

function configStatus({ state, version, newest }: ResourceState): ConfigStatus {
  switch (state) {
    case "refused":
      return ConfigStatus.ERROR;
    case "sent":
      return ConfigStatus.STALE;
    case "accepted":
      return version === newest ? ConfigStatus.SYNCED : ConfigStatus.NOT_SENT;
    case "absent":
      return newest === undefined ? ConfigStatus.SYNCED : ConfigStatus.NOT_SENT;
    default:
      return ConfigStatus.NOT_SENT;
  }
}

function clientResourceStatus({ state }: ResourceState): ClientResourceStatus {
  switch (state) {
    case "refused":
      return ClientResourceStatus.NACKED;
    case "accepted":
      return ClientResourceStatus.ACKED;
    case "absent":
      return ClientResourceStatus.DOES_NOT_EXIST;
    case "sent":
    case "unsent":
      return ClientResourceStatus.REQUESTED;
    default:
      return ClientResourceStatus.UNKNOWN;
  }
}
