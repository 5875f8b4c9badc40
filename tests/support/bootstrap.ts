import { toJson } from "@bufbuild/protobuf";
import { ConfigSourceSchema } from "@xds/envoy/envoy/config/core/v3";
import { configSource, type Source } from "./resources.ts";

/** How an Envoy speaks to a control plane. */
export interface BootstrapOptions {
  /** Its node's id. */
  node: string;
  /** Where the control plane listens. */
  port: number;
  /** The aggregated stream, or a service for each type. */
  source: Source;
  /** Whether the aggregated stream is delta. */
  delta?: boolean;
  /** The name of a layer of the runtime, by RTDS. */
  runtimeLayer?: string;
  /** Speaks TLS to the control plane. */
  tls?: { ca: string; cert: string; key: string };
  /** Speaks HTTP/1 to the control plane, which REST allows. */
  http1?: boolean;
}

/** A bootstrap in which all that can come from the control plane does. */
export function bootstrap(options: BootstrapOptions): Record<string, unknown> {
  const source = toJson(ConfigSourceSchema, configSource(options.source), {
    useProtoFieldName: true,
  });
  const ads = {
    api_type: options.delta ? "DELTA_GRPC" : "GRPC",
    transport_api_version: "V3",
    grpc_services: [{ envoy_grpc: { cluster_name: "control_plane" } }],
  };
  const layers = options.runtimeLayer && {
    layered_runtime: {
      layers: [{
        name: "rtds",
        rtds_layer: { name: options.runtimeLayer, rtds_config: source },
      }],
    },
  };
  return {
    node: { id: options.node, cluster: "test" },
    dynamic_resources: {
      ...options.source === "ads" && { ads_config: ads },
      cds_config: source,
      lds_config: source,
    },
    ...layers || {},
    static_resources: { clusters: [controlPlane(options)] },
  };
}

function controlPlane({ port, tls, http1 }: BootstrapOptions) {
  const socket_address = { address: "127.0.0.1", port_value: port };
  const context = tls && {
    "@type":
      "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    sni: "localhost",
    common_tls_context: {
      alpn_protocols: [http1 ? "http/1.1" : "h2"],
      tls_certificates: [{
        certificate_chain: { inline_string: tls.cert },
        private_key: { inline_string: tls.key },
      }],
      validation_context: { trusted_ca: { inline_string: tls.ca } },
    },
  };
  return {
    name: "control_plane",
    type: "STATIC",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type":
          "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: http1
          ? { http_protocol_options: {} }
          : { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: "control_plane",
      endpoints: [{
        lb_endpoints: [{ endpoint: { address: { socket_address } } }],
      }],
    },
    ...context && { transport_socket: { name: "tls", typed_config: context } },
  };
}
