import {
  create,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { TypeUrl } from "../../lib/resource/mod.ts";
import { PREFIX_BYTES, type Protocol } from "../../lib/protocol/mod.ts";
import type { Session } from "../../lib/server/_session.ts";
import { unknownPeer } from "../../lib/server/peer.ts";
import type { DiscoveryMethods } from "../../lib/server/_streams.ts";

/** What a response says, as far as it takes to answer it. */
export interface Said {
  typeUrl: string;
  nonce: string;
  version: string;
}

/** What a request of either protocol may say. */
export interface Request {
  node?: { id: string };
  typeUrl: string;
  nonce?: string;
  error?: string;
  /** State of the world: all names; delta: names to subscribe to. */
  names?: string[];
  /** Delta only. */
  unsubscribe?: string[];
  /** State of the world only. */
  version?: string;
}

/** What an Envoy asks for of a scene's resources, in its order. */
export const subscriptions: readonly { typeUrl: string; names: string[] }[] = [
  { typeUrl: TypeUrl.Cluster, names: [] },
  { typeUrl: TypeUrl.ClusterLoadAssignment, names: ["a"] },
  { typeUrl: TypeUrl.Listener, names: [] },
  { typeUrl: TypeUrl.RouteConfiguration, names: ["r"] },
];

const ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

/** A client with no manners: it says just what it is told to say, whatever it was sent. */
export class RudeClient implements Disposable {
  readonly protocol: Protocol;
  readonly #session: Session;

  constructor({ streams }: DiscoveryMethods, protocol: Protocol) {
    this.protocol = protocol;
    const method = protocol === "sotw"
      ? "StreamAggregatedResources"
      : "DeltaAggregatedResources";
    this.#session = streams.get(`${ADS}/${method}`)!.open(
      unknownPeer,
      () => new Headers(),
    );
  }

  /** Why the server ended the stream; undefined if it has not. */
  get ended(): Error | null | undefined {
    return this.#session.ended;
  }

  say(request: Request) {
    this.#session.receive(
      this.protocol === "sotw" ? sotw(request) : delta(request),
    );
  }

  /** Says what may be no request at all. */
  sayBytes(bytes: Uint8Array) {
    this.#session.receive(bytes);
  }

  /** Reads all that there is to read. */
  read(): Said[] {
    const said: Said[] = [];
    for (
      let frame = this.#session.take();
      frame;
      frame = this.#session.take()
    ) {
      const bytes = frame.subarray(PREFIX_BYTES);
      if (this.protocol === "sotw") {
        const response = fromBinary(DiscoveryResponseSchema, bytes);
        said.push({ ...response, version: response.versionInfo });
      } else {
        const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
        said.push({ ...response, version: response.systemVersionInfo });
      }
    }
    return said;
  }

  /** Accepts all that there is to read, and what comes of that; what that was. */
  answer(): Said[] {
    const all: Said[] = [];
    for (let said = this.read(); said.length > 0; said = this.read()) {
      for (const each of said) this.say(accepting(each, this.protocol));
      all.push(...said);
    }
    return all;
  }

  [Symbol.dispose]() {
    this.#session.end(null);
  }
}

function sotw(request: Request): Uint8Array {
  const { node, typeUrl, nonce, names, version } = request;
  const fields: MessageInitShape<typeof DiscoveryRequestSchema> = {
    node,
    typeUrl,
    responseNonce: nonce,
    resourceNames: names,
    versionInfo: version,
    errorDetail: errorDetail(request),
  };
  return toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, fields),
  );
}

function delta(request: Request): Uint8Array {
  const { node, typeUrl, nonce, names, unsubscribe } = request;
  const fields: MessageInitShape<typeof DeltaDiscoveryRequestSchema> = {
    node,
    typeUrl,
    responseNonce: nonce,
    resourceNamesSubscribe: names,
    resourceNamesUnsubscribe: unsubscribe,
    errorDetail: errorDetail(request),
  };
  return toBinary(
    DeltaDiscoveryRequestSchema,
    create(DeltaDiscoveryRequestSchema, fields),
  );
}

function errorDetail({ error: message }: Request) {
  return message === undefined ? undefined : { code: 3, message };
}

/** The request that accepts a response. */
export function accepting(said: Said, protocol: Protocol): Request {
  const { typeUrl, nonce, version } = said;
  // In delta, to name them would be to ask for them again.
  if (protocol === "delta") return { typeUrl, nonce };
  const { names } = subscriptions.find((known) => known.typeUrl === typeUrl)!;
  return { typeUrl, nonce, version, names };
}
