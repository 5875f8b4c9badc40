import type { MessageInitShape } from "@bufbuild/protobuf";
import type { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import type { Peer } from "../cache/mod.ts";
import type { Protocol } from "../protocol/mod.ts";
import type { ResourceType } from "./held.ts";
import type { TestResponse } from "./response.ts";

/** How a client answers by itself: with an error message to refuse a response, undefined to accept it. */
export type Answer = (response: TestResponse) => string | undefined;

/** Options of a {@linkcode TestClient}. */
export interface TestClientOptions {
  /** What the client says of itself, or just its id. Default: `"test"`. */
  node?: string | MessageInitShape<typeof NodeSchema>;
  /** State of the world, or delta. Default: `"sotw"`. */
  protocol?: Protocol;
  /** The type whose own service the client uses. Default: it uses the aggregated one (ADS). */
  service?: ResourceType;
  /** Answers every response as it comes: `"ack"` accepts it. Default: the test answers. */
  answer?: "ack" | Answer;
  /**
   * Whether the client asks for what its resources refer to, as Envoy does: endpoints of clusters, routes of listeners,
   * secrets of both, and so on; and no longer once nothing does. Default: false.
   */
  follow?: boolean;
  /** The other end of the client's connection, as the cache sees it. Default: nothing is known of it. */
  peer?: Peer;
  /**
   * Whether the server takes a first request without names as one for all. Default: it does for listeners, clusters and
   * scoped routes; the client asks for all of another type by `"*"`.
   */
  legacyWildcard?: boolean;
  /**
   * Finds a resource's name in its message, which is the only place for it in state of the world. Default: the message's
   * first field.
   */
  name?: (typeUrl: string, bytes: Uint8Array) => string;
  /** How long to wait for what a test awaits, in milliseconds. Default: 5 000. */
  deadline?: number;
}

/** How long to wait. */
export interface WaitOptions {
  /** Ends the wait: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** How long to wait, in milliseconds. Default: the client's. */
  deadline?: number;
}
