/**
 * A control plane for one Envoy: a listener on port 10000 that routes to one of two upstreams, which it brings along.
 *
 * deno run --allow-net examples/server.ts
 *
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type BlockedEvent,
  createSnapshot,
  ListenError,
  serve,
  type ServerEvent,
  shortName,
  type Snapshot,
  SnapshotCache,
} from "@xds/control-plane";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { ApiVersion } from "@xds/envoy/envoy/config/core/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { RouterSchema } from "@xds/envoy/envoy/extensions/filters/http/router/v3";
import { HttpConnectionManagerSchema } from "@xds/envoy/envoy/extensions/filters/network/http_connection_manager/v3";

const NODE = "test-id";
const XDS_PORT = 18_000;
const LISTENER_PORT = 10_000;

/** By ADS: from the stream that the client has open already. */
const ads = {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { case: "ads", value: {} },
} as const;

function address(portValue: number) {
  const socketAddress = {
    address: "127.0.0.1",
    portSpecifier: { case: "portValue", value: portValue },
  } as const;
  return { address: { case: "socketAddress", value: socketAddress } } as const;
}

/** Everything that Envoy needs to pass requests on port 10000 to an upstream. */
function snapshotFor(upstream: { name: string; port: number }): Snapshot {
  const router = anyPack(RouterSchema, create(RouterSchema));
  const http = create(HttpConnectionManagerSchema, {
    statPrefix: "http",
    routeSpecifier: {
      case: "rds",
      value: { routeConfigName: "routes", configSource: ads },
    },
    httpFilters: [{
      name: "router",
      configType: { case: "typedConfig", value: router },
    }],
  });
  return createSnapshot({
    resources: [
      create(ListenerSchema, {
        name: "listener",
        address: address(LISTENER_PORT),
        filterChains: [{
          filters: [{
            name: "http",
            configType: {
              case: "typedConfig",
              value: anyPack(HttpConnectionManagerSchema, http),
            },
          }],
        }],
      }),
      create(RouteConfigurationSchema, {
        name: "routes",
        virtualHosts: [{
          name: "all",
          domains: ["*"],
          routes: [{
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            action: {
              case: "route",
              value: {
                clusterSpecifier: { case: "cluster", value: upstream.name },
              },
            },
          }],
        }],
      }),
      create(ClusterSchema, {
        name: upstream.name,
        clusterDiscoveryType: {
          case: "type",
          value: Cluster_DiscoveryType.EDS,
        },
        edsClusterConfig: { edsConfig: ads },
        connectTimeout: { seconds: 1n },
      }),
      create(ClusterLoadAssignmentSchema, {
        clusterName: upstream.name,
        endpoints: [{
          lbEndpoints: [{
            hostIdentifier: {
              case: "endpoint",
              value: { address: address(upstream.port) },
            },
          }],
        }],
      }),
    ],
  });
}

/** A tiny HTTP server that says its name. */
function startUpstream(name: string) {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(
    options,
    () => new Response(`hello from ${name}\n`),
  );
  return { name, port: server.addr.port };
}

function print(event: ServerEvent) {
  const type = "typeUrl" in event ? shortName(event.typeUrl) : "";
  switch (event.kind) {
    case "node":
      return console.log(
        `connected     ${event.client.node.id} (${event.stream.protocol})`,
      );
    case "subscribe": {
      const { wildcard, names } = event.subscription;
      return console.log(
        `subscribed    ${type} ${
          [...wildcard ? ["*"] : [], ...names].join(" ")
        }`,
      );
    }
    case "blocked":
      return console.log(
        `blocked       ${type} ${event.names.join(" ")} (${event.reason}) ${
          waitingFor(event)
        }`.trimEnd(),
      );
    case "not_requested":
      return console.log(
        `unrequested   ${type} ${event.names.join(" ")}`,
      );
    case "send":
      return console.log(
        `sent          ${type} ${event.version}: ${
          [...event.names, ...event.removed.map((name) => `-${name}`)].join(" ")
        }`,
      );
    case "ack":
      return console.log(`acknowledged  ${type} ${event.version}`);
    case "nack":
      return console.log(
        `NACKED        ${type} ${event.refusal.version}: ${
          oneLine(event.refusal.message)
        }`,
      );
    case "close":
      return console.log(
        `disconnected  ${event.stream.client?.node.id ?? "unknown"}${
          event.error ? `: ${oneLine(event.error.message)}` : ""
        }`,
      );
  }
}

function waitingFor({ waitingFor }: BlockedEvent): string {
  const awaited = waitingFor.map(({ typeUrl, names }) =>
    [shortName(typeUrl), ...names].join(" ")
  );
  return awaited.length > 0 ? `until ${awaited.join(", ")}` : "";
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, "; ");
}

const upstreams = [
  startUpstream("upstream-one"),
  startUpstream("upstream-two"),
];
let current = 0;
const cache = new SnapshotCache({ ads: true });
cache.set(NODE, snapshotFor(upstreams[current]));
try {
  await serve({
    cache,
    hostname: "127.0.0.1",
    port: XDS_PORT,
    observer: print,
  });
} catch (error) {
  if (!(error instanceof ListenError)) throw error;
  const { code } = error.cause as { code?: string };
  console.error(
    code === "EADDRINUSE"
      ? `port ${XDS_PORT}, which examples/envoy.yaml names, is in use: stop what listens there, and run this again`
      : error.message,
  );
  Deno.exit(1);
}

const start = Deno.args.includes("--envoy-is-started")
  ? "Envoy is started:   as examples/envoy.yaml says"
  : "start an Envoy:     envoy -c examples/envoy.yaml";
console.log(`Serving xDS on 127.0.0.1:${XDS_PORT}. Now

  ${start}
  send it a request:  curl http://127.0.0.1:${LISTENER_PORT}/
  shift its traffic:  press Enter here, or: kill -USR1 ${Deno.pid}
`);

function shift() {
  current = 1 - current;
  console.log(`shifting      to ${upstreams[current].name}`);
  cache.set(NODE, snapshotFor(upstreams[current]));
}

// At SIGUSR1, Deno itself opens its debugger, too; SIGUSR2 is for who minds that.
Deno.addSignalListener("SIGUSR1", shift);
Deno.addSignalListener("SIGUSR2", shift);
for await (const chunk of Deno.stdin.readable) {
  if (chunk.includes(10)) shift();
}
