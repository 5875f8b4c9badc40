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
import { unknownPeer } from "../../lib/server/peer.ts";
import type { Session } from "../../lib/server/_session.ts";
import { discoveryMethods } from "../../lib/server/_streams.ts";
import type { Cache, Protocol, RoutesOptions } from "../../mod.ts";

type Streams = ReturnType<typeof discoveryMethods>["streams"];
const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";
const PREFIX = 5;

/** A server without sockets, and what it has written. */
export class InProcessServer {
  /** How many responses were written. */
  responses = 0;
  /** Each once, however many streams it was written to. */
  readonly frames = new Set<Uint8Array>();
  readonly #methods: Streams;

  constructor(cache: Cache, options: Omit<RoutesOptions, "cache"> = {}) {
    this.#methods = discoveryMethods({ cache, ...options }).streams;
  }

  /** Opens an aggregated stream. */
  open(protocol: Protocol): InProcessClient {
    const method = protocol === "sotw"
      ? "StreamAggregatedResources"
      : "DeltaAggregatedResources";
    const session = this.#methods.get(SERVICE + method)!.open(
      unknownPeer,
      () => new Headers(),
    );
    return new InProcessClient(this, protocol, session);
  }

  /** Notes a response. */
  wrote(frame: Uint8Array) {
    this.responses++;
    this.frames.add(frame);
  }
}

/** A client that subscribes and acknowledges. */
export class InProcessClient {
  readonly #server: InProcessServer;
  readonly #protocol: Protocol;
  readonly #session: Session;
  #names: string[] = [];

  constructor(server: InProcessServer, protocol: Protocol, session: Session) {
    this.#server = server;
    this.#protocol = protocol;
    this.#session = session;
  }

  /** Why the stream ended: an error, null if it ended as it should, undefined if it has not. */
  get ended(): Error | null | undefined {
    return this.#session.ended;
  }

  /** Sends its first request, of a type. */
  subscribe(
    request:
      & {
        node: { id: string; cluster?: string };
        typeUrl: string;
        names?: string[];
      }
      & {
        version?: string;
        versions?: Record<string, string>;
      },
  ) {
    const { node, typeUrl, names = [], version, versions } = request;
    this.#names = names;
    if (this.#protocol === "sotw") {
      this.#sendSotw({
        node,
        typeUrl,
        resourceNames: names,
        versionInfo: version,
      });
    } else {
      this.#sendDelta({
        node,
        typeUrl,
        resourceNamesSubscribe: names,
        initialResourceVersions: versions,
      });
    }
  }

  /** Reads what there is, without an answer to it. */
  read(): Uint8Array[] {
    const read: Uint8Array[] = [];
    for (let frame; (frame = this.#session.take());) {
      this.#server.wrote(frame);
      read.push(frame.subarray(PREFIX));
    }
    return read;
  }

  /** Reads what there is, and acknowledges it, until there is no more. */
  settle() {
    for (let read; (read = this.read()).length > 0;) {
      for (const message of read) this.#acknowledge(message);
    }
  }

  /** Goes away. */
  leave() {
    this.#session.end(null);
  }

  #acknowledge(message: Uint8Array) {
    if (this.#protocol === "sotw") {
      const { typeUrl, versionInfo, nonce } = fromBinary(
        DiscoveryResponseSchema,
        message,
      );
      this.#sendSotw({
        typeUrl,
        versionInfo,
        resourceNames: this.#names,
        responseNonce: nonce,
      });
    } else {
      const { typeUrl, nonce } = fromBinary(
        DeltaDiscoveryResponseSchema,
        message,
      );
      this.#sendDelta({ typeUrl, responseNonce: nonce });
    }
  }

  #sendSotw(request: MessageInitShape<typeof DiscoveryRequestSchema>) {
    const message = create(DiscoveryRequestSchema, request);
    this.#session.receive(toBinary(DiscoveryRequestSchema, message));
  }

  #sendDelta(request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>) {
    const message = create(DeltaDiscoveryRequestSchema, request);
    this.#session.receive(toBinary(DeltaDiscoveryRequestSchema, message));
  }
}
