import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { TypeUrl } from "../../mod.ts";
import { Http2Client } from "../faults/_http2_client.ts";
import { ADS } from "./_wire.ts";

/** A client that behaves: it acknowledges what it is sent, and notes how long that took. */
export class Witness implements Disposable {
  /** Milliseconds from when each change was made until it was here. */
  delays: number[] = [];
  readonly #client: Http2Client;

  private constructor(client: Http2Client) {
    this.#client = client;
  }

  static async connect(port: number): Promise<Witness> {
    const came: { take?: (stream: number, message: Uint8Array) => void } = {};
    const client = await Http2Client.connect(port, {
      onMessage: (stream, message) => came.take?.(stream, message),
    });
    const witness = new Witness(client);
    came.take = (stream, message) => witness.#take(stream, message);
    const stream = client.open(ADS);
    client.send(stream, request({ node: { id: "good" } }));
    return witness;
  }

  #take(stream: number, message: Uint8Array) {
    const { versionInfo, nonce } = fromBinary(DiscoveryResponseSchema, message);
    const now = performance.timeOrigin + performance.now();
    this.delays.push(Math.max(0, now - Number(versionInfo)));
    this.#client.send(stream, request({ versionInfo, responseNonce: nonce }));
  }

  [Symbol.dispose]() {
    this.#client[Symbol.dispose]();
  }
}

function request(fields: object): Uint8Array {
  return toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, { typeUrl: TypeUrl.Cluster, ...fields }),
  );
}
