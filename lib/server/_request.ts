import {
  decodeDeltaRequest,
  decodeSotwRequest,
  type Protocol,
  type StreamRequest,
} from "../protocol/mod.ts";
import { failure, reasonOf } from "./_status.ts";

/**
 * Reads a request.
 *
 * @throws {ConnectError} if the bytes are none
 */
export function decodeRequest(
  protocol: Protocol,
  message: Uint8Array,
): StreamRequest {
  const isSotw = protocol === "sotw";
  try {
    return isSotw ? decodeSotwRequest(message) : decodeDeltaRequest(message);
  } catch (cause) {
    const name = isSotw ? "DiscoveryRequest" : "DeltaDiscoveryRequest";
    const text =
      `a message of ${message.length} bytes does not parse as ${name}: ${
        reasonOf(cause)
      }`;
    throw failure("invalid_argument", text, cause);
  }
}
