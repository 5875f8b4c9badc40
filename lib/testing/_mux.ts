import type { Resource } from "../resource/mod.ts";
import type { ModelRequest, ModelResponse } from "./model.ts";

/**
 * Receives what a response contains for one watch. `removed` is undefined in state of the world.
 *
 * @throws {RejectedError} to reject the response
 */
export type Deliver = (
  owner: string,
  resources: readonly Resource[],
  removed: readonly string[] | undefined,
) => void;

/** Told that a response was rejected, of each watch of its type: nothing waits for a first resource any longer. */
export type Fail = (owner: string) => void;

/** An Envoy's subscriptions on one stream, in one protocol. */
export interface Mux {
  /** All it knows, as plain data. */
  state: unknown;
  /** Adds a watch of names, or of everything if there are none. */
  watch(typeUrl: string, names: readonly string[], owner: string): void;
  /** Drops a watch. */
  unwatch(typeUrl: string, owner: string): void;
  /** Holds back requests of types. */
  pause(...typeUrls: string[]): void;
  /** Undoes one `pause`. */
  resume(...typeUrls: string[]): void;
  /** A stream is open. */
  connect(): void;
  /** The stream ended. */
  disconnect(): void;
  /** A response arrived. */
  receive(response: ModelResponse): void;
  /** Returns requests since the last call. */
  take(): ModelRequest[];
}

/** A watch of some names, or of everything. */
export interface MuxWatch {
  readonly owner: string;
  readonly names: readonly string[];
}
