import { create } from "@bufbuild/protobuf";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { TypedExtensionConfigSchema } from "@xds/envoy/envoy/config/core/v3";
import {
  ClusterLoadAssignmentSchema,
} from "@xds/envoy/envoy/config/endpoint/v3";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import { ClusterConfigSchema } from "@xds/envoy/envoy/extensions/clusters/aggregate/v3";
import {
  HealthCheckSchema,
} from "@xds/envoy/envoy/extensions/filters/http/health_check/v3";
import {
  SecretSchema,
  UpstreamTlsContextSchema,
} from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import { createResource, type Resource } from "../../lib/resource/mod.ts";
import { any, configSource, listener } from "../support/resources.ts";

/** A resource in a script: `Cluster a:tls=s:v=2` has a name and properties. */
interface Words {
  readonly name: string;
  readonly props: ReadonlyMap<string, string>;
}

const makers: Readonly<Record<string, (words: Words) => Resource>> = {
  Cluster: cluster,
  Endpoints: ({ name, props }) => {
    const isBad = [...props.keys()].some((key) => key.startsWith("bad"));
    const priority = Number(props.get("v") ?? 0) + (isBad ? 100 : 0);
    return createResource(ClusterLoadAssignmentSchema, {
      clusterName: name,
      endpoints: [{ priority }],
    });
  },
  Listener: listenerOf,
  Route: routeOf,
  Secret: ({ name, props }) => {
    const data = props.get("v") ?? "";
    return createResource(create(SecretSchema, {
      name,
      type: {
        case: "genericSecret",
        value: {
          secret: { specifier: { case: "inlineString", value: `x${data}` } },
        },
      },
    }));
  },
  Extension: ({ name, props }) =>
    createResource(create(TypedExtensionConfigSchema, {
      name,
      typedConfig: any(HealthCheckSchema, {
        passThroughMode: props.get("v") !== undefined,
      }),
    })),
};

const made = new Map<string, Resource>();
const rejected = new WeakMap<Resource, "bad" | "bad-rule">();

/**
 * Makes the resources that a script names: `Cluster a b:static Endpoints a Listener l:rds=r Route r:to=a`.
 *
 * - Cluster: by EDS unless `static` or `of=a+b` (an aggregate of these); `eds=x` is its service name, `tls=s` its secret
 * - Listener: `rds=r`, `inline=a+b` (clusters), `tls=s`, `ecds=f`, `port=1000`, `wait=5` (seconds that its sources wait)
 * - Route: `to=a+b`
 * - any: `v=2` differs in content; an Envoy rejects `bad`, and a whole response with `bad-rule`
 */
export function resources(text: string): Resource[] {
  const found: Resource[] = [];
  let type = "";
  for (const word of text.split(" ").filter((word) => word)) {
    if (Object.hasOwn(makers, word)) {
      type = word;
      continue;
    }
    const key = `${type} ${word}`;
    let resource = made.get(key);
    if (!resource) {
      const [name, ...rest] = word.split(":");
      const props = new Map(rest.map((its) => {
        const [prop, value = ""] = its.split("=");
        return [prop, value];
      }));
      resource = makers[type]({ name, props });
      for (const kind of ["bad", "bad-rule"] as const) {
        if (props.has(kind)) rejected.set(resource, kind);
      }
      made.set(key, resource);
    }
    found.push(resource);
  }
  return found;
}

/** How Envoy rejects a resource of a script; undefined if it does not. */
export function rejectionOf(
  resource: Resource,
): { message: string; violatesRule: boolean } | undefined {
  const kind = rejected.get(resource);
  if (!kind) return undefined;
  return { message: "invalid", violatesRule: kind === "bad-rule" };
}

function cluster({ name, props }: Words): Resource {
  const tls = props.get("tls");
  const parts = props.get("of")?.split("+");
  const service = props.get("eds") ?? "";
  const isEds = !props.has("static") && !parts;
  const isBad = [...props.keys()].some((key) => key.startsWith("bad"));
  return createResource(create(ClusterSchema, {
    name,
    connectTimeout: { seconds: BigInt(props.get("v") ?? 5) },
    // Content of its own.
    altStatName: isBad ? "bad" : "",
    clusterDiscoveryType: parts
      ? {
        case: "clusterType",
        value: {
          name: "envoy.clusters.aggregate",
          typedConfig: any(ClusterConfigSchema, { clusters: parts }),
        },
      }
      : {
        case: "type",
        value: isEds ? Cluster_DiscoveryType.EDS : Cluster_DiscoveryType.STATIC,
      },
    edsClusterConfig: isEds
      ? { serviceName: service, edsConfig: configSource("ads") }
      : undefined,
    transportSocket: tls === undefined ? undefined : {
      name: "tls",
      configType: {
        case: "typedConfig",
        value: any(UpstreamTlsContextSchema, {
          commonTlsContext: {
            tlsCertificateSdsSecretConfigs: [{
              name: tls,
              sdsConfig: configSource("ads"),
            }],
          },
        }),
      },
    },
  }));
}

function routesTo(name: string, clusters: readonly string[], version = "") {
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts: clusters.map((cluster) => ({
      name: `${cluster}${version}`,
      domains: [`${cluster}.test`],
      routes: [{
        match: { pathSpecifier: { case: "prefix" as const, value: "/" } },
        action: {
          case: "route" as const,
          value: {
            clusterSpecifier: { case: "cluster" as const, value: cluster },
          },
        },
      }],
    })),
  });
}

function routeOf({ name, props }: Words): Resource {
  const clusters = props.get("to")?.split("+") ?? [];
  const isBad = [...props.keys()].find((key) => key.startsWith("bad")) ?? "";
  const version = `${props.get("v") ?? ""}${isBad}`;
  return createResource(routesTo(name, clusters, version));
}

function listenerOf({ name, props }: Words): Resource {
  const inline = props.get("inline")?.split("+");
  const secret = props.get("tls");
  const filter = props.get("ecds");
  const wait = BigInt(props.get("wait") ?? 10);
  const source = configSource("ads", wait);
  const value = {
    routeConfigName: props.get("rds") ?? "",
    configSource: source,
  };
  const made = listener(name, {
    port: Number(props.get("port") ?? 0),
    routeSpecifier: inline
      ? { case: "routeConfig", value: routesTo("inline", inline) }
      : { case: "rds", value },
    httpFilters: filter === undefined ? [] : [{
      name: filter,
      configType: {
        case: "configDiscovery",
        value: {
          configSource: source,
          typeUrls: [
            "type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck",
          ],
        },
      },
    }],
    tls: secret === undefined
      ? undefined
      : { secret, source: "ads", config: source },
  });
  const isBad = [...props.keys()].some((key) => key.startsWith("bad"));
  made.statPrefix = `${props.get("v") ?? ""}${isBad ? "bad" : ""}`;
  return createResource(made);
}
