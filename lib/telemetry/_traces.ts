import {
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { shortName, TypeUrl } from "../resource/mod.ts";
import { withoutSecrets } from "../server/_secrets.ts";
import type { ServerEvent } from "../server/mod.ts";

interface OpenStream {
  readonly span: Span;
  /** Of responses that were not answered yet, by type. */
  readonly pushes: Map<string, Span>;
}

/** A span for each stream, and in it one for each response, from when it is sent until it is answered. */
export function traceEvents(tracer: Tracer): (event: ServerEvent) => void {
  const open = new Map<number, OpenStream>();
  const push = (event: Extract<ServerEvent, { kind: "send" }>) => {
    const known = open.get(event.stream.id);
    if (!known) return;
    const type = shortName(event.typeUrl);
    const attributes = {
      "xds.type": type,
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
    if (refusal !== undefined) {
      span?.setStatus({ code: SpanStatusCode.ERROR, message: refusal });
    }
    span?.end();
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
        open.set(stream.id, { span, pushes: new Map() });
        break;
      }
      case "node":
        open.get(stream.id)?.span.setAttribute(
          "xds.node.id",
          event.client.node.id,
        );
        break;
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
