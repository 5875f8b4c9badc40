import { create, toBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryRequestSchema } from "@xds/envoy/envoy/service/discovery/v3";
import type { Cache } from "../../mod.ts";
import { Responses } from "../../lib/protocol/mod.ts";
import { unknownPeer } from "../../lib/server/peer.ts";
import { Session } from "../../lib/server/_session.ts";

/** Delta streams of one server, from a request's bytes to a response's, with no network. */
export class Sessions {
  /** How many responses they took. */
  responses = 0;
  /** How many bytes these had. */
  bytes = 0;
  readonly #cache: Cache;
  readonly #ready = new Set<OneSession>();
  readonly #shared: Responses;

  constructor(cache: Cache) {
    this.#cache = cache;
    let serial = 0;
    this.#shared = new Responses("delta", () => ++serial);
  }

  /** Opens a stream that asks for some names, or for all. */
  open(typeUrl: string, names: readonly string[] = []) {
    const one = new OneSession(this.#cache, this.#shared, typeUrl, this.#ready);
    one.ask(names);
    this.settle();
  }

  /** Takes all responses that there are, and acknowledges them. */
  settle() {
    while (this.#ready.size > 0) {
      const ready = [...this.#ready];
      this.#ready.clear();
      for (const one of ready) {
        for (let size = one.take(); size > 0; size = one.take()) {
          this.responses++;
          this.bytes += size;
        }
      }
    }
  }
}

class OneSession {
  readonly #session: Session;
  readonly #typeUrl: string;
  #nonce = "";

  constructor(
    cache: Cache,
    responses: Responses,
    typeUrl: string,
    ready: Set<OneSession>,
  ) {
    this.#typeUrl = typeUrl;
    this.#session = new Session({
      id: 1,
      peer: unknownPeer,
      protocol: "delta",
      typeUrl: undefined,
      cache,
      responses,
      maxNames: 100_000,
      legacyWildcard: () => true,
      access: undefined,
      observer: (event) => {
        if (event.kind === "send") this.#nonce = event.nonce;
      },
    });
    this.#session.wake = () => ready.add(this);
  }

  ask(resourceNamesSubscribe: readonly string[]) {
    this.#send({ node: { id: "node" }, resourceNamesSubscribe });
  }

  /** Takes a response and acknowledges it; its size, 0 if there is none. */
  take(): number {
    const frame = this.#session.take();
    if (!frame) return 0;
    this.#send({ responseNonce: this.#nonce });
    return frame.length;
  }

  #send(fields: {
    node?: { id: string };
    resourceNamesSubscribe?: readonly string[];
    responseNonce?: string;
  }) {
    const request = create(DeltaDiscoveryRequestSchema, {
      typeUrl: this.#typeUrl,
      ...fields,
      resourceNamesSubscribe: [...fields.resourceNamesSubscribe ?? []],
    });
    this.#session.receive(toBinary(DeltaDiscoveryRequestSchema, request));
  }
}
