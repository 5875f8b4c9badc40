import type { Attributes, Meter } from "@opentelemetry/api";
import { LATENCY_BUCKETS } from "./_buckets.ts";
import { Counter } from "./_counter.ts";
import type { ServerEvent, StreamInfo } from "../server/mod.ts";

/** What is known of a stream while it is open. */
interface OpenStream {
  node: string | undefined;
  /** Type URLs that it asks for. */
  readonly types: string[];
  /** Under what it is counted that something of it waits. */
  waiting: Map<string, Attributes> | undefined;
}

/** Counts what an observer of a server is told of; `typeName` is what a type is called. */
export function meterEvents(
  meter: Meter,
  typeName: (typeUrl: string) => string,
): (event: ServerEvent) => void {
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
  const requests = Counter.of(meter, "xds.server.requests", {
    description: "Requests received",
    unit: "{request}",
  });
  const responses = Counter.of(meter, "xds.server.responses", {
    description: "Responses sent",
    unit: "{response}",
  });
  const resources = Counter.of(meter, "xds.server.response.resources", {
    description: "Resources in responses sent",
    unit: "{resource}",
  });
  const bytes = Counter.of(meter, "xds.server.response.size", {
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
  const blocked = meter.createCounter("xds.server.blocked", {
    description:
      "Times that a change began to wait: for names to be requested, another type to be acknowledged, or time to pass",
    unit: "{response}",
  });
  const activeBlocked = meter.createUpDownCounter("xds.server.active_blocked", {
    description: "Types of streams of which something is blocked now",
    unit: "{response}",
  });
  const blockedDuration = meter.createHistogram("xds.server.blocked.duration", {
    description: "How long changes were blocked that went on",
    unit: "s",
    advice: { explicitBucketBoundaries: LATENCY_BUCKETS },
  });
  const stalls = meter.createCounter("xds.server.stalls", {
    description: "Changes that are blocked for long",
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

  const open = new Map<number, OpenStream>();
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

  const keyOf = ({ protocol }: StreamInfo, typeUrl: string) =>
    `${protocol} ${typeUrl && typeName(typeUrl)}`;

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
      attributes["xds.type"] = typeName(event.typeUrl);
    }
    switch (event.kind) {
      case "open":
        open.set(stream.id, { node: undefined, types: [], waiting: undefined });
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
        for (const typeUrl of known?.types ?? []) {
          const type = typeName(typeUrl);
          subscriptions.add(-1, { ...attributes, "xds.type": type });
        }
        for (const waiting of known?.waiting?.values() ?? []) {
          activeBlocked.add(-1, waiting);
        }
        streamDuration.record(event.duration / 1000, {
          ...attributes,
          "rpc.grpc.status_code": event.code,
        });
        break;
      }
      case "subscribe": {
        const types = open.get(stream.id)?.types;
        if (!types || types.includes(event.typeUrl)) break;
        types.push(event.typeUrl);
        subscriptions.add(1, attributes);
        break;
      }
      case "request":
        requests.add(1, keyOf(stream, event.typeUrl), attributes);
        break;
      case "send": {
        const { heartbeat } = event;
        attributes["xds.heartbeat"] = heartbeat;
        const key = `${keyOf(stream, event.typeUrl)} ${heartbeat}`;
        responses.add(1, key, attributes);
        resources.add(event.names.length, key, attributes);
        bytes.add(event.bytes, key, attributes);
        break;
      }
      case "ack":
        acks.record(event.latency / 1000, { ...attributes, "xds.ack": true });
        break;
      case "nack":
        acks.record(event.latency / 1000, { ...attributes, "xds.ack": false });
        nacks.add(1, attributes);
        break;
      case "blocked": {
        attributes["xds.blocked.reason"] = event.reason;
        blocked.add(1, attributes);
        const known = open.get(stream.id);
        if (!known) break;
        const waiting = known.waiting ??= new Map();
        // It is told again when it waits for something else.
        const before = waiting.get(event.typeUrl);
        if (before) activeBlocked.add(-1, before);
        waiting.set(event.typeUrl, attributes);
        activeBlocked.add(1, attributes);
        break;
      }
      case "stall":
        attributes["xds.blocked.reason"] = event.event.reason;
        stalls.add(1, attributes);
        break;
      case "unblocked": {
        attributes["xds.blocked.reason"] = event.event.reason;
        const waiting = open.get(stream.id)?.waiting;
        const before = waiting?.get(event.typeUrl);
        if (before) activeBlocked.add(-1, before);
        waiting?.delete(event.typeUrl);
        blockedDuration.record(event.duration / 1000, attributes);
        break;
      }
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
