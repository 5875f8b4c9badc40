import type { Attributes, Meter } from "@opentelemetry/api";
import { shortName } from "../resource/mod.ts";
import type { ServerEvent } from "../server/mod.ts";

/** Seconds; an ACK takes a round trip and what the client needs to take a response in. */
const LATENCY_BUCKETS = [
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
];

/** Counts what an observer is told of. */
export function meterEvents(meter: Meter): (event: ServerEvent) => void {
  const streams = meter.createUpDownCounter("xds.server.active_streams", {
    description: "Streams that are open",
    unit: "{stream}",
  });
  const clients = meter.createUpDownCounter("xds.server.active_clients", {
    description: "Nodes that have a stream open",
    unit: "{client}",
  });
  const subscriptions = meter.createUpDownCounter(
    "xds.server.active_subscriptions",
    {
      description: "Types that open streams ask for",
      unit: "{subscription}",
    },
  );
  const streamDuration = meter.createHistogram("xds.server.stream.duration", {
    description: "How long streams were open",
    unit: "s",
  });
  const requests = meter.createCounter("xds.server.requests", {
    description: "Requests received",
    unit: "{request}",
  });
  const responses = meter.createCounter("xds.server.responses", {
    description: "Responses sent",
    unit: "{response}",
  });
  const resources = meter.createCounter("xds.server.response.resources", {
    description: "Resources in responses sent",
    unit: "{resource}",
  });
  const bytes = meter.createCounter("xds.server.response.size", {
    description: "Size of the responses sent",
    unit: "By",
  });
  const acks = meter.createHistogram("xds.server.ack.duration", {
    description:
      "Time from a response to the client's answer to it, be that an ACK or a NACK",
    unit: "s",
    advice: { explicitBucketBoundaries: LATENCY_BUCKETS },
  });
  const nacks = meter.createCounter("xds.server.nacks", {
    description: "Responses that a client refused",
    unit: "{response}",
  });
  const holds = meter.createCounter("xds.server.holds", {
    description:
      "Times that a response began to wait: for names to be asked for, or for another type to be acknowledged",
    unit: "{response}",
  });
  const refusals = meter.createCounter("xds.server.refused_clients", {
    description: "Clients turned away by authenticate or authorize",
    unit: "{client}",
  });
  const limits = meter.createCounter("xds.server.limits", {
    description: "Times that a client reached a limit",
    unit: "{event}",
  });
  const stale = meter.createCounter("xds.server.stale_requests", {
    description:
      "Requests that answer a response which is no longer the newest",
    unit: "{request}",
  });

  const open = new Map<number, { node?: string; types: Set<string> }>();
  const nodes = new Map<string, number>();
  const enter = (node: string) => {
    const count = nodes.get(node) ?? 0;
    nodes.set(node, count + 1);
    if (count === 0) clients.add(1);
  };
  const leave = (node: string) => {
    const count = nodes.get(node)! - 1;
    if (count > 0) nodes.set(node, count);
    else if (nodes.delete(node)) clients.add(-1);
  };

  return (event) => {
    if (event.kind === "limit") {
      const { stream, limit } = event;
      const about = stream && { "xds.protocol": stream.protocol };
      limits.add(1, { "xds.limit": limit, ...about });
      return;
    }
    const { stream } = event;
    const attributes: Attributes = { "xds.protocol": stream.protocol };
    if ("typeUrl" in event && event.typeUrl) {
      attributes["xds.type"] = shortName(event.typeUrl);
    }
    switch (event.kind) {
      case "open":
        open.set(stream.id, { types: new Set() });
        streams.add(1, attributes);
        break;
      case "node": {
        const known = open.get(stream.id);
        if (known?.node !== undefined) leave(known.node);
        if (known) known.node = event.client.node.id;
        enter(event.client.node.id);
        break;
      }
      case "close": {
        const known = open.get(stream.id);
        open.delete(stream.id);
        if (known?.node !== undefined) leave(known.node);
        streams.add(-1, attributes);
        for (const type of known?.types ?? []) {
          subscriptions.add(-1, { ...attributes, "xds.type": type });
        }
        streamDuration.record(event.duration / 1000, {
          ...attributes,
          "rpc.grpc.status_code": event.code,
        });
        break;
      }
      case "subscribe": {
        const known = open.get(stream.id);
        const type = shortName(event.typeUrl);
        if (!known || known.types.has(type)) break;
        known.types.add(type);
        subscriptions.add(1, attributes);
        break;
      }
      case "request":
        requests.add(1, attributes);
        break;
      case "send":
        attributes["xds.heartbeat"] = event.heartbeat;
        responses.add(1, attributes);
        resources.add(event.names.length, attributes);
        bytes.add(event.bytes, attributes);
        break;
      case "ack":
        acks.record(event.latency / 1000, { ...attributes, "xds.ack": true });
        break;
      case "nack":
        acks.record(event.latency / 1000, { ...attributes, "xds.ack": false });
        nacks.add(1, attributes);
        break;
      case "hold":
      case "wait":
        holds.add(1, { ...attributes, "xds.hold.reason": event.kind });
        break;
      case "refuse":
        attributes["rpc.grpc.status_code"] = event.code;
        refusals.add(1, attributes);
        break;
      case "stale":
        stale.add(1, attributes);
        break;
    }
  };
}
