import {
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { TypeUrl } from "../resource/mod.ts";
import { withoutSecrets } from "../server/_secrets.ts";
import type { BlockedEvent, ServerEvent } from "../server/mod.ts";

interface OpenStream {
  readonly span: Span;
  /** Of responses that were not answered yet, by type. */
  readonly pushes: Map<string, Span>;
  /** Of what is blocked, by type. */
  readonly blocked: Map<string, Span>;
}

/**
 * A span for each stream, and in it one for each response, from when it is sent until it is answered, and one for each
 * type of which something is blocked, until it goes on.
 */
export function traceEvents(
  tracer: Tracer,
  typeName: (typeUrl: string) => string,
): (event: ServerEvent) => void {
  const open = new Map<number, OpenStream>();
  const push = (event: Extract<ServerEvent, { kind: "send" }>) => {
    const known = open.get(event.stream.id);
    if (!known) return;
    const type = typeName(event.typeUrl);
    const attributes = {
      "xds.type": type,
      "xds.heartbeat": event.heartbeat,
      "xds.version": event.version,
      "xds.nonce": event.nonce,
      "xds.resources": event.names.length,
      "xds.removed": event.removed.length,
      "xds.response.size": event.bytes,
    };
    const parent = trace.setSpan(context.active(), known.span);
    const options = { kind: SpanKind.PRODUCER, attributes };
    const span = tracer.startSpan(`xds push ${type}`, options, parent);
    known.pushes.get(event.typeUrl)?.end();
    known.pushes.set(event.typeUrl, span);
  };
  const answered = (
    event: Extract<ServerEvent, { kind: "ack" | "nack" }>,
    refusal: string | undefined,
  ) => {
    const pushes = open.get(event.stream.id)?.pushes;
    const span = pushes?.get(event.typeUrl);
    pushes?.delete(event.typeUrl);
    span?.setAttribute("xds.ack", refusal === undefined);
    if (refusal !== undefined) {
      span?.setStatus({ code: SpanStatusCode.ERROR, message: refusal });
    }
    span?.end();
  };
  const blocked = (event: BlockedEvent) => {
    const known = open.get(event.stream.id);
    if (!known) return;
    const { typeUrl, reason, removal, names, waitingFor } = event;
    const type = typeName(typeUrl);
    let span = known.blocked.get(typeUrl);
    if (!span) {
      const parent = trace.setSpan(context.active(), known.span);
      const attributes = { "xds.type": type };
      span = tracer.startSpan(`xds blocked ${type}`, { attributes }, parent);
      known.blocked.set(typeUrl, span);
    }
    span.setAttributes({
      "xds.blocked.reason": reason,
      "xds.removal": removal,
      "xds.names": first(names),
      "xds.waiting_for.types": waitingFor.map(({ typeUrl }) =>
        typeName(typeUrl)
      ),
      "xds.waiting_for.names": first(waitingFor.flatMap(({ names }) => names)),
    });
  };
  return (event) => {
    if (event.kind === "limit") {
      // A stream that ends for it has it as its error.
      const span = event.stream && open.get(event.stream.id)?.span;
      span?.addEvent("xds limit", { "xds.limit": event.limit });
      return;
    }
    const { stream } = event;
    switch (event.kind) {
      case "open": {
        const attributes = {
          "rpc.system": "grpc",
          "xds.protocol": stream.protocol,
          "network.peer.address": stream.peer.hostname,
          "network.peer.port": stream.peer.port,
        };
        const options = { kind: SpanKind.SERVER, attributes };
        const span = tracer.startSpan("xds stream", options);
        open.set(stream.id, { span, pushes: new Map(), blocked: new Map() });
        break;
      }
      case "node":
        open.get(stream.id)?.span.setAttribute(
          "xds.node.id",
          event.client.node.id,
        );
        break;
      case "subscribe":
        open.get(stream.id)?.span.addEvent("xds subscribe", {
          "xds.type": typeName(event.typeUrl),
          "xds.wildcard": event.subscription.wildcard,
          "xds.names": event.subscription.names.size,
        });
        break;
      case "blocked":
        blocked(event);
        break;
      case "stall":
        open.get(stream.id)?.blocked.get(event.typeUrl)
          ?.addEvent("xds stall", { "xds.duration": event.duration / 1000 });
        break;
      case "unblocked": {
        const known = open.get(stream.id)?.blocked;
        known?.get(event.typeUrl)?.end();
        known?.delete(event.typeUrl);
        break;
      }
      case "send":
        push(event);
        break;
      case "ack":
        answered(event, undefined);
        break;
      case "nack":
        answered(
          event,
          // A client may quote what it refused.
          event.typeUrl === TypeUrl.Secret
            ? "[redacted]"
            : withoutSecrets(event.refusal.message),
        );
        break;
      case "close": {
        const known = open.get(stream.id);
        open.delete(stream.id);
        known?.pushes.forEach((span) => span.end());
        known?.blocked.forEach((span) => span.end());
        known?.span.setAttribute("rpc.grpc.status_code", event.code);
        if (event.error) {
          const { message } = event;
          known?.span.setStatus({ code: SpanStatusCode.ERROR, message });
        }
        known?.span.end();
        break;
      }
    }
  };
}

/** How many names a span lists. */
const NAMES = 20;

function first(names: Iterable<string>): string[] {
  return [...names].slice(0, NAMES);
}
