import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { Message } from "@bufbuild/protobuf";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TypedExtensionConfigSchema } from "@xds/envoy/envoy/config/core/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { SecretSchema } from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import { parse } from "yaml";
import { createSnapshot, registryForJson, type Snapshot } from "../../mod.ts";
import { pem } from "../support/certs.ts";

/** A file of `cases/`: its first line states the expected result, the rest are snapshots. */
export interface Case {
  /** The expected result. */
  readonly expect: string;
  /** The snapshots by name; a file that holds only one has it as `only`. */
  readonly snapshots: Readonly<Record<string, Snapshot>>;
  /** Clusters of Envoy's bootstrap, as JSON. */
  readonly staticClusters: readonly JsonValue[];
}

const SCHEMAS: Record<string, GenMessage<Message>> = {
  clusters: ClusterSchema,
  endpoints: ClusterLoadAssignmentSchema,
  listeners: ListenerSchema,
  routes: RouteConfigurationSchema,
  secrets: SecretSchema,
  ecds: TypedExtensionConfigSchema,
};

/**
 * Loads a case. In its YAML, `$anyPort` stands for an address with a port that the system chooses, `$endpoints` for one
 * endpoint at the port of the upstream, `$ads` for the aggregated stream as a config source, `$router` for the filter
 * that ends a chain of HTTP filters, and `$certificate` and `$key` for PEM.
 *
 * @param name the file without its extension
 * @param upstream the port of the upstream
 */
export async function loadCase(name: string, upstream: number): Promise<Case> {
  const file = `${import.meta.dirname}/cases/${name}.yaml`;
  const text = await Deno.readTextFile(file);
  const values = placeholders(upstream);
  const { static_clusters = [], ...rest } = substitute(
    parse(text),
    values,
  ) as JsonObject;
  const isOne = Object.keys(rest).some((key) => key in SCHEMAS);
  const parts = isOne ? { only: rest } : rest as Record<string, JsonObject>;
  const snapshots: Record<string, Snapshot> = {};
  for (const [key, part] of Object.entries(parts)) {
    snapshots[key] = await snapshotOf(part);
  }
  const expect = text.slice(0, text.indexOf("\n")).replace("# expect: ", "");
  return { expect, snapshots, staticClusters: static_clusters as JsonValue[] };
}

async function snapshotOf(part: JsonObject): Promise<Snapshot> {
  const resources: Message[] = [];
  for (const [key, all] of Object.entries(part)) {
    for (const json of all as JsonObject[]) {
      const registry = await registryForJson(json);
      resources.push(fromJson(SCHEMAS[key], json, { registry }));
    }
  }
  return createSnapshot({ resources });
}

function placeholders(upstream: number): Record<string, JsonValue> {
  const address = (port_value: number) => ({
    socket_address: { address: "127.0.0.1", port_value },
  });
  const lb_endpoints = [{ endpoint: { address: address(upstream) } }];
  return {
    $anyPort: address(0),
    $endpoints: [{ lb_endpoints }],
    $ads: { ads: {}, resource_api_version: "V3" },
    $router: {
      name: "router",
      typed_config: {
        "@type":
          "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
      },
    },
    $certificate: pem("server.pem"),
    $key: pem("server.key"),
  };
}

function substitute(
  json: JsonValue,
  values: Record<string, JsonValue>,
): JsonValue {
  if (typeof json === "string") return values[json] ?? json;
  if (Array.isArray(json)) return json.map((each) => substitute(each, values));
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, each]) => [key, substitute(each, values)]),
  );
}
