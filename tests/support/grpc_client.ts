import {
  create,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { Message } from "@bufbuild/protobuf";
import { Buffer } from "node:buffer";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@xds/envoy/envoy/service/discovery/v3";

const ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const DEADLINE = 10_000;

/** How a stream ended. */
export interface Status {
  code: number;
  details: string;
}

/** A gRPC client that does just what a test says: streams of requests, answered or not. */
export class GrpcClient implements Disposable {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  /** @param headers go with each stream */
  constructor(
    port: number,
    tls?: { ca: string; cert?: string; key?: string },
    headers: Readonly<Record<string, string>> = {},
  ) {
    for (const [name, value] of Object.entries(headers)) {
      this.#metadata.set(name, value);
    }
    const pem = (text: string | undefined) =>
      text === undefined ? null : Buffer.from(text);
    const secure = tls &&
      credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
    this.#client = new Client(
      `localhost:${port}`,
      secure ?? credentials.createInsecure(),
      {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.enable_retries": 0,
      },
    );
  }

  /** A state-of-the-world stream, by default on ADS. */
  sotw(
    path = `${ADS}/StreamAggregatedResources`,
  ): GrpcStream<typeof DiscoveryRequestSchema, typeof DiscoveryResponseSchema> {
    return this.#open(path, DiscoveryRequestSchema, DiscoveryResponseSchema);
  }

  /** A delta stream, by default on ADS. */
  delta(
    path = `${ADS}/DeltaAggregatedResources`,
  ): GrpcStream<
    typeof DeltaDiscoveryRequestSchema,
    typeof DeltaDiscoveryResponseSchema
  > {
    return this.#open(
      path,
      DeltaDiscoveryRequestSchema,
      DeltaDiscoveryResponseSchema,
    );
  }

  #open<I extends GenMessage<Message>, O extends GenMessage<Message>>(
    path: string,
    input: I,
    output: O,
  ): GrpcStream<I, O> {
    const stream = this.#client.makeBidiStreamRequest<
      Uint8Array,
      MessageShape<O>
    >(
      path,
      (bytes) => Buffer.from(bytes),
      (bytes) => fromBinary(output, bytes) as MessageShape<O>,
      this.#metadata,
    );
    return new GrpcStream(stream, input);
  }

  [Symbol.dispose]() {
    this.#client.close();
  }
}

/** One stream. */
export class GrpcStream<
  I extends GenMessage<Message>,
  O extends GenMessage<Message>,
> {
  /** How it ended. */
  readonly status: Promise<Status>;
  readonly #stream: ClientDuplexStream<Uint8Array, MessageShape<O>>;
  readonly #input: I;
  readonly #arrived: MessageShape<O>[] = [];
  #wake: () => void = () => {};
  #ended: Status | undefined;

  constructor(
    stream: ClientDuplexStream<Uint8Array, MessageShape<O>>,
    input: I,
  ) {
    this.#stream = stream;
    this.#input = input;
    const { promise, resolve } = Promise.withResolvers<Status>();
    this.status = promise;
    stream.on("data", (response: MessageShape<O>) => {
      this.#arrived.push(response);
      this.#wake();
    });
    stream.on("error", (_: ServiceError) => {
      // The status says it.
    });
    stream.on("status", ({ code, details }: StatusObject) => {
      this.#ended = { code, details };
      resolve(this.#ended);
      this.#wake();
    });
  }

  /** Sends a request. */
  send(request: MessageInitShape<I>) {
    this.sendBytes(
      toBinary(this.#input, create(this.#input, request) as MessageShape<I>),
    );
  }

  /** Sends bytes as if they were a request. */
  sendBytes(bytes: Uint8Array) {
    this.#stream.write(bytes);
  }

  /** The next response; fails if the stream ends before, or none comes. */
  async next(): Promise<MessageShape<O>> {
    const late = AbortSignal.timeout(DEADLINE);
    while (this.#arrived.length === 0) {
      if (this.#ended) {
        throw new Error(`the stream ended: ${JSON.stringify(this.#ended)}`);
      }
      if (late.aborted) throw new Error(`no response within ${DEADLINE} ms`);
      await new Promise<void>((resolve) => {
        const done = () => {
          late.removeEventListener("abort", done);
          resolve();
        };
        this.#wake = done;
        late.addEventListener("abort", done);
      });
    }
    return this.#arrived.shift()!;
  }

  /** How many responses have come that were not asked for by {@linkcode next}. */
  get waiting(): number {
    return this.#arrived.length;
  }

  /** Ends the client's side of the stream, as a client does that is done. */
  end() {
    this.#stream.end();
  }

  /** Resets the stream. */
  cancel() {
    this.#stream.cancel();
  }

  /** Stops reading, so that the connection's windows fill up. */
  pause() {
    this.#stream.pause();
  }
}
