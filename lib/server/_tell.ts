import { ConnectError } from "@connectrpc/connect";
import type { StreamAction, StreamRequest } from "../protocol/mod.ts";
import type { Client } from "../cache/mod.ts";
import type { Question } from "./_grants.ts";
import type { Stalls, StreamStalls } from "./_stalls.ts";
import { LimitError } from "./_status.ts";
import type { Observer, ServerEvent, StreamInfo } from "./events.ts";
import type { LimitName } from "./limits.ts";

/** Tells an observer what happens on one stream. */
export class Teller {
  readonly #observer: Observer;
  readonly #stream: StreamInfo;
  readonly #openedAt = performance.now();
  /** When the last response of each type was sent. */
  readonly #sentAt = new Map<string, number>();
  readonly #stalls: StreamStalls | undefined;

  constructor(observer: Observer, stream: StreamInfo, stalls?: Stalls) {
    this.#observer = observer;
    this.#stream = stream;
    this.#stalls = stalls?.ofStream(observer);
  }

  /** The stream was opened. */
  open() {
    this.#observer({ kind: "open", stream: this.#stream });
  }

  /** A request came. */
  request(
    { node, typeUrl, nonce, error, wanted }: StreamRequest,
    bytes: number,
  ) {
    const stream = this.#stream;
    this.#observer({
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
    });
  }

  /** The client is known, or another than before. */
  node(client: Client, previous: Client | undefined) {
    this.#observer({ kind: "node", stream: this.#stream, client, previous });
  }

  /** Something is done for the client. */
  action(client: Client, action: StreamAction & { typeUrl: string }) {
    const now = performance.now();
    if (action.kind === "send") this.#sentAt.set(action.typeUrl, now);
    const latency = now - (this.#sentAt.get(action.typeUrl) ?? now);
    const event = actionEvent(this.#stream, client, action, latency);
    if (event?.kind === "blocked") this.#stalls?.begin(event);
    if (event) this.#observer(event);
    else if (action.kind === "unblocked") this.#stalls?.end(action.typeUrl);
  }

  /** No cache serves a type. */
  unserved(client: Client, typeUrl: string) {
    const stream = this.#stream;
    this.#observer({ kind: "unserved", stream, client, typeUrl });
  }

  /** The client was turned away. */
  refuse(question: Question | undefined, error: ConnectError) {
    this.#observer({
      kind: "refuse",
      stream: this.#stream,
      node: question?.node,
      typeUrl: question?.typeUrl ?? "",
      code: error.code,
      message: error.rawMessage,
      error,
    });
  }

  /** The client reached a limit. */
  limit(limit: LimitName, value: number, message: string) {
    const stream = this.#stream;
    const { peer } = stream;
    this.#observer({ kind: "limit", limit, value, peer, stream, message });
  }

  /** The stream ended: for an error, or as it should. */
  close(error: Error | null) {
    this.#stalls?.[Symbol.dispose]();
    const status = error ? ConnectError.from(error) : undefined;
    if (status instanceof LimitError) {
      this.limit(status.limit, status.value, status.rawMessage);
    }
    this.#observer({
      kind: "close",
      stream: this.#stream,
      client: this.#stream.client,
      duration: performance.now() - this.#openedAt,
      code: status?.code ?? 0,
      message: status?.rawMessage ?? "",
      error: error ?? undefined,
    });
  }
}

/**
 * What observers are told of something that is done for a client; undefined if nothing.
 *
 * @param latency milliseconds since the last response of the type was sent
 */
function actionEvent(
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
    case "blocked":
      return { kind: "blocked", ...about, ...action.blocked };
    case "not_requested":
      return { kind: "not_requested", ...about, names: action.names };
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
