import {
  BoundsError,
  decodeDeltaRequest,
  decodeSotwRequest,
  type Protocol,
  type RequestBounds,
  type StreamRequest,
} from "../protocol/mod.ts";
import { failure, LimitError, reasonOf } from "./_status.ts";

/**
 * Decodes a request.
 *
 * @throws {ConnectError} if the bytes are none
 * @throws {LimitError} if it holds more than is allowed
 */
export function decodeRequest(
  protocol: Protocol,
  message: Uint8Array,
  bounds?: RequestBounds,
): StreamRequest {
  const isSotw = protocol === "sotw";
  try {
    return isSotw
      ? decodeSotwRequest(message, bounds)
      : decodeDeltaRequest(message, bounds);
  } catch (cause) {
    if (cause instanceof BoundsError) {
      throw new LimitError(cause.bound, cause.value, cause.message);
    }
    const name = isSotw ? "DiscoveryRequest" : "DeltaDiscoveryRequest";
    const text =
      `a message of ${message.length} bytes does not parse as ${name}: ${
        reasonOf(cause)
      }`;
    throw failure("invalid_argument", text, cause);
  }
}
