/** The xDS protocols as state machines: what a client lacks, when it is sent, and what its answers mean. */
export {
  BoundsError,
  DEFAULT_NODE_BYTES,
  type RequestBounds,
} from "./_bounds.ts";
export { memoryOf } from "./_node.ts";
export {
  decodeDeltaRequest,
  decodeSotwRequest,
  type NameChanges,
  type StreamRequest,
  type WantedNames,
} from "./request.ts";
export {
  type Lack,
  type Part,
  PREFIX_BYTES,
  type Protocol,
  Response,
  Responses,
} from "./response.ts";
export type { StreamAction, StreamEvent } from "./events.ts";
export {
  DEFAULT_MAX_NAMES,
  DEFAULT_MAX_TYPES,
  Stream,
  type StreamOptions,
} from "./stream.ts";
