import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type { Refusal, Subscription, View } from "../cache/mod.ts";
import { type Resource, shortName, TypeUrl } from "../resource/mod.ts";
import { rank } from "./order.ts";
import type { StreamRequest } from "./request.ts";
import type { Protocol, Response, Responses } from "./response.ts";
import { type Answer, TypeState } from "./type_state.ts";

/** What happens to a stream. */
export type StreamEvent =
  /** The client sent a request. */
  | { kind: "request"; request: StreamRequest }
  /** A cache has something new for a type; `names` are those that may have changed, where the cache knows. */
  | {
    kind: "changed";
    typeUrl: string;
    view: View;
    names?: ReadonlySet<string>;
  }
  /** The transport can take a response. */
  | { kind: "pull" };

/** What is to be done about it, in this order. */
export type StreamAction =
  /** The first request came: the client is known. */
  | { kind: "open"; node: Node }
  /** Watch a type for the client. */
  | { kind: "watch"; typeUrl: string; subscription: Subscription }
  /** The client's subscription to a type that is watched has changed. */
  | { kind: "subscribe"; typeUrl: string; subscription: Subscription }
  /** The client accepted a response. */
  | { kind: "ack"; typeUrl: string; response: Response }
  /** The client refused a response. */
  | { kind: "nack"; typeUrl: string; response: Response; refusal: Refusal }
  /** A request was passed over, since it answers a response that is no longer the newest. */
  | { kind: "stale"; typeUrl: string; nonce: string }
  /** There may be something to send: pull. */
  | { kind: "ready" }
  /** Send this. */
  | { kind: "send"; typeUrl: string; response: Response; view: View }
  /** The client has answered all that it was sent of a type and lacks nothing of the view but what it refused. */
  | {
    kind: "settled";
    typeUrl: string;
    view: View;
    refusal: Refusal | undefined;
  }
  /** End the stream with an error that the client caused. */
  | { kind: "fail"; code: FailureCode; message: string };

/** gRPC status codes that a client can bring upon itself. */
export type FailureCode = "invalid_argument" | "resource_exhausted";

/** What a stream is. */
export interface StreamOptions {
  /** State of the world, or delta. */
  protocol: Protocol;
  /** What makes the responses, shared by all streams of the protocol on a server. */
  responses: Responses;
  /** The type of a single-type service; undefined on ADS. */
  typeUrl?: string;
  /** How many names a client may ask for of one type. Default: 100 000. */
  maxNames?: number;
}

/** How many names a client may ask for of one type unless it is said otherwise. */
export const DEFAULT_MAX_NAMES = 100_000;

/**
 * One xDS stream as a state machine: an event goes in, what is to be done comes out. It does no I/O, has no clock, and
 * calls nobody back. Of each type at most one response is under way; what changes meanwhile is sent as one once it was
 * answered, so that a slow client costs no more than its newest state.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */
export class Stream {
  readonly #options: StreamOptions;
  readonly #maxNames: number;
  /** In the order in which they are served. */
  readonly #types: TypeState[] = [];
  #node: Node | undefined;

  /** Makes a stream that has just been opened. */
  constructor(options: StreamOptions) {
    this.#options = options;
    this.#maxNames = options.maxNames ?? DEFAULT_MAX_NAMES;
  }

  /** Takes an event and returns what is to be done. Not to be called again before that is done or noted. */
  step(event: StreamEvent): StreamAction[] {
    switch (event.kind) {
      case "request":
        return this.#request(event.request);
      case "changed":
        this.#find(event.typeUrl)?.offer(event.view, event.names);
        return [{ kind: "ready" }];
      case "pull":
        return this.#pull();
    }
  }

  #request(request: StreamRequest): StreamAction[] {
    const node = this.#node ?? request.node;
    if (!node) {
      return [
        fail(
          "invalid_argument",
          "the first request on a stream must carry the client's node, and this one has none",
        ),
      ];
    }
    const typeUrl = request.typeUrl || this.#options.typeUrl;
    const problem = this.#typeProblem(typeUrl);
    if (typeUrl === undefined || problem) {
      return [fail("invalid_argument", problem ?? "")];
    }

    const known = this.#find(typeUrl);
    const state = known ??
      new TypeState(typeUrl, this.#options.protocol, this.#options.responses);
    const size = state.sizeAfter(request.wanted);
    if (size > this.#maxNames) {
      const message =
        `${size} names of ${
          shortName(typeUrl)
        } are more than the ${this.#maxNames} that a stream may ask for; ` +
        "ask for fewer, or subscribe to the wildcard";
      return [fail("resource_exhausted", message)];
    }

    const verdict = state.request(request);
    if (verdict.kind === "stale") {
      return [{ kind: "stale", typeUrl, nonce: request.nonce }];
    }
    const actions: StreamAction[] = [];
    if (!this.#node) actions.push({ kind: "open", node });
    this.#node = node;
    if (verdict.answer) actions.push(answered(typeUrl, verdict.answer));
    if (!known) {
      this.#insert(state);
      actions.push({
        kind: "watch",
        typeUrl,
        subscription: state.subscription,
      });
    } else if (verdict.subscriptionChanged) {
      actions.push({
        kind: "subscribe",
        typeUrl,
        subscription: state.subscription,
      });
    }
    actions.push({ kind: "ready" });
    return actions;
  }

  #typeProblem(typeUrl: string | undefined): string | undefined {
    const own = this.#options.typeUrl;
    if (typeUrl === undefined) {
      return "a request on an aggregated stream must carry a type URL, and this one has none";
    }
    if (own !== undefined && typeUrl !== own) {
      return `this service serves ${own}, not ${JSON.stringify(typeUrl)}`;
    }
    if (!/.\/./.test(typeUrl)) {
      return `${
        JSON.stringify(typeUrl)
      } is no type URL; it has the form type.googleapis.com/envoy.config.cluster.v3.Cluster`;
    }
    return undefined;
  }

  #pull(): StreamAction[] {
    const actions: StreamAction[] = [];
    for (const state of this.#types) {
      const next = state.next();
      if (next) {
        const { response, view, changed } = next;
        if (state.typeUrl === TypeUrl.Cluster) this.#resendEndpoints(changed);
        actions.push({ kind: "send", typeUrl: state.typeUrl, response, view });
        return actions;
      }
      const settlement = state.settlement();
      if (settlement) {
        actions.push({
          kind: "settled",
          typeUrl: state.typeUrl,
          ...settlement,
        });
      }
    }
    return actions;
  }

  /** A client that gets a cluster anew warms it, and needs its endpoints again for that, changed or not. */
  #resendEndpoints(clusters: readonly Resource[]) {
    const endpoints = this.#find(TypeUrl.ClusterLoadAssignment);
    if (!endpoints) return;
    for (const cluster of clusters) {
      const references = cluster.references.references.filter(({ typeUrl }) =>
        typeUrl === TypeUrl.ClusterLoadAssignment
      );
      endpoints.resend(references.map(({ name }) => name));
    }
  }

  #find(typeUrl: string): TypeState | undefined {
    return this.#types.find((state) => state.typeUrl === typeUrl);
  }

  #insert(state: TypeState) {
    const behind = this.#types.findIndex((other) =>
      rank(other.typeUrl) > rank(state.typeUrl)
    );
    this.#types.splice(behind < 0 ? this.#types.length : behind, 0, state);
  }
}

function fail(code: FailureCode, message: string): StreamAction {
  return { kind: "fail", code, message };
}

function answered(
  typeUrl: string,
  { response, refusal }: Answer,
): StreamAction {
  return refusal
    ? { kind: "nack", typeUrl, response, refusal }
    : { kind: "ack", typeUrl, response };
}
