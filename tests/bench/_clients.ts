import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
} from "node:http2";
import { DiscoveryRequestSchema } from "@xds/envoy/envoy/service/discovery/v3";
import { TypeUrl } from "../../mod.ts";

/** Clients that subscribe to all clusters by ADS and acknowledge at once. */
export class Clients implements Disposable {
  readonly #connections: ClientHttp2Session[] = [];
  readonly #count: number;
  #received = 0;
  #done = () => {};

  constructor(port: number, connections: number, streamsEach: number) {
    this.#count = connections * streamsEach;
    for (let i = 0; i < connections; i++) {
      const connection = connect(`http://127.0.0.1:${port}`, {
        settings: { initialWindowSize: 1 << 24 },
      });
      connection.on("connect", () => connection.setLocalWindowSize(1 << 24));
      this.#connections.push(connection);
      for (let j = 0; j < streamsEach; j++) this.#open(connection);
    }
  }

  /** Resolves once every client has received one more response. */
  received(): Promise<void> {
    return new Promise((resolve) => this.#done = resolve);
  }

  #open(connection: ClientHttp2Session) {
    const stream = connection.request({
      ":method": "POST",
      ":path":
        "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {});
    stream.write(request({ node: { id: "node" } }));
    let missing = 0;
    let head: number[] = [];
    let tail = new Uint8Array();
    stream.on("data", (chunk: Uint8Array) => {
      for (let at = 0; at < chunk.length;) {
        if (missing === 0) {
          for (; head.length < 5 && at < chunk.length; at++) {
            head.push(chunk[at]);
          }
          if (head.length < 5) break;
          missing = head[1] << 24 | head[2] << 16 | head[3] << 8 | head[4];
          head = [];
          tail = new Uint8Array();
        }
        const part = chunk.subarray(at, at + missing);
        at += part.length;
        missing -= part.length;
        const kept = new Uint8Array([...tail, ...part.subarray(-32)]);
        tail = kept.subarray(-32);
        if (missing === 0) this.#acknowledge(stream, tail);
      }
    });
  }

  /** The nonce is a response's last field. */
  #acknowledge(stream: ClientHttp2Stream, tail: Uint8Array) {
    const responseNonce = /(\d+)$/.exec(new TextDecoder().decode(tail))![1];
    stream.write(request({ responseNonce }));
    if (++this.#received % this.#count === 0) this.#done();
  }

  [Symbol.dispose]() {
    for (const connection of this.#connections) connection.destroy();
  }
}

function request(
  fields: { node?: { id: string }; responseNonce?: string },
): Uint8Array {
  const message = toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, { typeUrl: TypeUrl.Cluster, ...fields }),
  );
  const frame = new Uint8Array(5 + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, 5);
  return frame;
}
