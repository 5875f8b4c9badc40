import {
  decodeDeltaRequest,
  decodeSotwRequest,
  type Protocol,
  type StreamRequest,
} from "../protocol/mod.ts";
import { failure, reasonOf } from "./_status.ts";
import type { ServerEvent, StreamInfo } from "./events.ts";

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

/** What observers are told of a request. */
export function requestEvent(
  stream: StreamInfo,
  { node, typeUrl, nonce, error, wanted }: StreamRequest,
  bytes: number,
): ServerEvent {
  return {
    kind: "request",
    stream,
    node,
    typeUrl: typeUrl || (stream.typeUrl ?? ""),
    nonce,
    answers: nonce !== "",
    names: wanted.kind === "all"
      ? wanted.names.length
      : wanted.subscribe.length + wanted.unsubscribe.length,
    error,
    bytes,
  };
}
