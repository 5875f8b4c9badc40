import type { StreamAction, StreamRequest } from "../protocol/mod.ts";
import type { Client } from "../cache/mod.ts";
import type { ServerEvent, StreamInfo } from "./events.ts";

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

/**
 * What observers are told of something that is done for a client; undefined if nothing.
 *
 * @param latency milliseconds since the last response of the type was sent
 */
export function actionEvent(
  stream: StreamInfo,
  client: Client,
  action: StreamAction,
  latency: number,
): ServerEvent | undefined {
  if (!("typeUrl" in action)) return undefined;
  const about = { stream, client, typeUrl: action.typeUrl };
  switch (action.kind) {
    case "watch":
    case "subscribe": {
      const { subscription } = action;
      return { kind: "subscribe", ...about, subscription };
    }
    case "ack": {
      const { version, nonce, names, removed } = action.response;
      const answered = { version, nonce, names, removed, latency };
      return { kind: "ack", ...about, ...answered };
    }
    case "nack": {
      const { refusal, response: { version, nonce } } = action;
      return { kind: "nack", ...about, version, nonce, refusal, latency };
    }
    case "stale":
      return { kind: "stale", ...about, nonce: action.nonce };
    case "wait":
      return { kind: "wait", ...about, ...action.wait };
    case "send": {
      const { version, nonce, names, removed, isHeartbeat, frame } =
        action.response;
      return {
        kind: "send",
        ...about,
        version,
        nonce,
        names,
        removed,
        heartbeat: isHeartbeat,
        bytes: frame.length,
      };
    }
  }
}
