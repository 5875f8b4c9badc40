import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { pem } from "../support/certs.ts";

/** Sound resources of many kinds, as JSON, that mutations are made of; all of them together are a snapshot that Envoy accepts. */
export interface Base {
  /** The full name of its message. */
  readonly type: string;
  /** The resource's name. */
  readonly name: string;
  readonly json: JsonObject;
}

const HTTP = "envoy.extensions.filters.http.";
const NETWORK = "envoy.extensions.filters.network.";
const TLS = "envoy.extensions.transport_sockets.tls.v3.";
const ads = { resource_api_version: "V3", ads: {} };

function typed(type: string, fields: JsonObject = {}): JsonObject {
  return { "@type": `type.googleapis.com/${type}`, ...fields };
}

function extension(
  name: string,
  type: string,
  fields?: JsonObject,
): JsonObject {
  return { name, typed_config: typed(type, fields) };
}

function socket(port: number): JsonObject {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

const percent = { default_value: { numerator: 50, denominator: "HUNDRED" } };
const headerToAdd: JsonObject = {
  header: { key: "x-added", value: "yes" },
  append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
};
const headerMatcher: JsonObject = {
  name: "x-matched",
  string_match: { exact: "yes" },
};
const grpc: JsonObject = {
  envoy_grpc: { cluster_name: "static", authority: "grpc" },
  timeout: "1s",
  initial_metadata: [{ key: "x-caller", value: "envoy" }],
};

const certificate = (name: "server" | "client"): JsonObject => ({
  certificate_chain: { inline_string: pem(`${name}.pem`) },
  private_key: { inline_string: pem(`${name}.key`) },
});

const endpoints: JsonObject = {
  cluster_name: "eds",
  endpoints: [{
    locality: { region: "r", zone: "z" },
    priority: 0,
    load_balancing_weight: 2,
    lb_endpoints: [{
      endpoint: {
        address: socket(9),
        hostname: "nine",
        health_check_config: { port_value: 9 },
      },
      health_status: "HEALTHY",
      load_balancing_weight: 3,
    }],
  }],
  policy: {
    overprovisioning_factor: 140,
    endpoint_stale_after: "60s",
    drop_overloads: [{
      category: "all",
      drop_percentage: { numerator: 1, denominator: "MILLION" },
    }],
  },
};

const healthCheck: JsonObject = {
  timeout: "1s",
  interval: "600s",
  unhealthy_threshold: 3,
  healthy_threshold: 2,
  no_traffic_interval: "600s",
  http_health_check: {
    host: "checked",
    path: "/healthy",
    request_headers_to_add: [headerToAdd],
    expected_statuses: [{ start: 200, end: 300 }],
    method: "GET",
  },
};

const LOAD_BALANCING = "envoy.extensions.load_balancing_policies.";

function loadBalancing(name: string, message: string, fields: JsonObject) {
  return extension(
    `envoy.load_balancing_policies.${name}`,
    `${LOAD_BALANCING}${name}.v3.${message}`,
    fields,
  );
}

const policies: Base[] = [
  loadBalancing("ring_hash", "RingHash", {
    minimum_ring_size: 100,
    maximum_ring_size: 200,
    consistent_hashing_lb_config: { hash_balance_factor: 150 },
  }),
  loadBalancing("maglev", "Maglev", { table_size: 101 }),
  loadBalancing("round_robin", "RoundRobin", {
    slow_start_config: { slow_start_window: "10s" },
    locality_lb_config: { zone_aware_lb_config: { min_cluster_size: 2 } },
  }),
  loadBalancing(
    "client_side_weighted_round_robin",
    "ClientSideWeightedRoundRobin",
    {
      error_utilization_penalty: 1,
    },
  ),
  loadBalancing("subset", "Subset", {
    fallback_policy: "ANY_ENDPOINT",
    subset_selectors: [{ keys: ["stage"] }],
    subset_lb_policy: {
      policies: [{
        typed_extension_config: loadBalancing("random", "Random", {}),
      }],
    },
  }),
].map((policy, i) => ({
  type: "envoy.config.cluster.v3.Cluster",
  name: `policy-${i}`,
  json: {
    name: `policy-${i}`,
    type: "STATIC",
    load_balancing_policy: { policies: [{ typed_extension_config: policy }] },
    load_assignment: { ...endpoints, cluster_name: `policy-${i}` },
  },
}));

const header = (name: string): JsonObject =>
  typed("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", {
    header_name: name,
  });

function plainCluster(name: string, fields: JsonObject): Base {
  return {
    type: "envoy.config.cluster.v3.Cluster",
    name,
    json: {
      name,
      load_assignment: { ...endpoints, cluster_name: name },
      ...fields,
    },
  };
}

/** Clusters with an extension each, of many kinds. */
const extended: Base[] = [
  {
    type: "envoy.config.cluster.v3.Cluster",
    name: "aggregate",
    json: {
      name: "aggregate",
      lb_policy: "CLUSTER_PROVIDED",
      cluster_type: extension(
        "envoy.clusters.aggregate",
        "envoy.extensions.clusters.aggregate.v3.ClusterConfig",
        { clusters: ["static"] },
      ),
    },
  },
  plainCluster("dns", {
    cluster_type: extension(
      "envoy.cluster.dns",
      "envoy.extensions.clusters.dns.v3.DnsCluster",
      { dns_refresh_rate: "600s", dns_jitter: "1s" },
    ),
  }),
  plainCluster("thrift", {
    type: "STATIC",
    health_checks: [{
      ...without(healthCheck, "http_health_check"),
      custom_health_check: extension(
        "envoy.health_checkers.thrift",
        "envoy.extensions.health_checkers.thrift.v3.Thrift",
        { method_name: "ping", transport: "HEADER", protocol: "BINARY" },
      ),
    }],
    transport_socket: extension(
      "proxy",
      "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
      {
        config: { version: "V1" },
        transport_socket: extension(
          "raw",
          "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
        ),
      },
    ),
  }),
  plainCluster("spiffe", {
    type: "STATIC",
    transport_socket: extension("tls", `${TLS}UpstreamTlsContext`, {
      common_tls_context: {
        validation_context: {
          custom_validator_config: extension(
            "envoy.tls.cert_validator.spiffe",
            `${TLS}SPIFFECertValidatorConfig`,
            {
              trust_domains: [{
                name: "here",
                trust_bundle: { inline_string: pem("ca.pem") },
              }],
            },
          ),
        },
      },
    }),
  }),
  plainCluster("filtered", {
    type: "STATIC",
    metadata: {
      typed_filter_metadata: {
        own: typed("envoy.config.core.v3.HeaderValue", {
          key: "k",
          value: "v",
        }),
      },
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          explicit_http_config: {
            http_protocol_options: {
              header_key_format: {
                stateful_formatter: extension(
                  "preserve",
                  "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig",
                  { formatter_type_on_envoy_headers: "PROPER_CASE" },
                ),
              },
            },
          },
          http_filters: [
            extension("mutation", `${HTTP}header_mutation.v3.HeaderMutation`, {
              mutations: { request_mutations: [{ remove: "x-removed" }] },
            }),
            extension("codec", `${HTTP}upstream_codec.v3.UpstreamCodec`),
          ],
        },
      ),
    },
  }),
];

/** Routes with an extension each, of many kinds. */
const extendedRoutes: JsonObject[] = [{
  match: {
    path_match_policy: extension(
      "template",
      "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
      { path_template: "/a/{b}" },
    ),
  },
  route: {
    cluster: "static",
    path_rewrite_policy: extension(
      "template",
      "envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
      { path_template_rewrite: "/{b}" },
    ),
    retry_policy: {
      retry_on: "5xx",
      retry_priority: extension(
        "priorities",
        "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
        { update_frequency: 2 },
      ),
      retry_host_predicate: [extension(
        "metadata",
        "envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig",
        {
          metadata_match: {
            typed_filter_metadata: {
              own: typed("envoy.config.core.v3.HeaderValue", { key: "k" }),
            },
          },
        },
      )],
    },
    rate_limits: [{
      actions: [{
        extension: extension(
          "expr",
          "envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor",
          { descriptor_key: "k", text: "request.method" },
        ),
      }],
    }],
  },
}];

const clusters: Base[] = [{
  type: "envoy.config.cluster.v3.Cluster",
  name: "static",
  json: {
    name: "static",
    type: "STATIC",
    connect_timeout: "2s",
    lb_policy: "ROUND_ROBIN",
    round_robin_lb_config: {
      slow_start_config: { slow_start_window: "10s" },
    },
    load_assignment: { ...endpoints, cluster_name: "static" },
    health_checks: [healthCheck],
    circuit_breakers: {
      thresholds: [{
        priority: "HIGH",
        max_connections: 10,
        retry_budget: { budget_percent: { value: 20 } },
      }],
    },
    outlier_detection: {
      consecutive_5xx: 5,
      interval: "10s",
      base_ejection_time: "30s",
      max_ejection_percent: 10,
    },
    upstream_bind_config: {
      source_address: { address: "127.0.0.1", port_value: 0 },
    },
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 60 } },
    common_lb_config: {
      healthy_panic_threshold: { value: 10 },
      zone_aware_lb_config: { min_cluster_size: 2 },
    },
    metadata: { filter_metadata: { "envoy.lb": { canary: true } } },
    preconnect_policy: { per_upstream_preconnect_ratio: 1.5 },
    transport_socket: extension("tls", `${TLS}UpstreamTlsContext`, {
      sni: "localhost",
      max_session_keys: 1,
      common_tls_context: {
        alpn_protocols: ["h2"],
        tls_certificates: [certificate("client")],
        validation_context: {
          trusted_ca: { inline_string: pem("ca.pem") },
          match_typed_subject_alt_names: [{
            san_type: "DNS",
            matcher: { exact: "localhost" },
          }],
        },
        tls_params: { tls_minimum_protocol_version: "TLSv1_2" },
      },
    }),
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          common_http_protocol_options: {
            idle_timeout: "60s",
            max_headers_count: 50,
          },
          explicit_http_config: {
            http2_protocol_options: {
              max_concurrent_streams: 100,
              connection_keepalive: { interval: "30s", timeout: "5s" },
            },
          },
        },
      ),
    },
  },
}, {
  type: "envoy.config.cluster.v3.Cluster",
  name: "ring",
  json: {
    name: "ring",
    type: "STATIC",
    lb_policy: "RING_HASH",
    ring_hash_lb_config: { minimum_ring_size: 100, maximum_ring_size: 200 },
    load_assignment: { ...endpoints, cluster_name: "ring" },
    health_checks: [{
      ...without(healthCheck, "http_health_check"),
      tcp_health_check: { send: { text: "00ff" }, receive: [{ text: "01" }] },
    }],
    common_lb_config: {
      consistent_hashing_lb_config: { hash_balance_factor: 150 },
    },
  },
}, {
  type: "envoy.config.cluster.v3.Cluster",
  name: "policy",
  json: {
    name: "policy",
    type: "STRICT_DNS",
    dns_lookup_family: "V4_ONLY",
    typed_dns_resolver_config: extension(
      "envoy.network.dns_resolver.cares",
      "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
      { query_timeout_seconds: 5, query_tries: 2 },
    ),
    dns_refresh_rate: "600s",
    dns_failure_refresh_rate: { base_interval: "10s", max_interval: "20s" },
    load_balancing_policy: {
      policies: [{
        typed_extension_config: loadBalancing("least_request", "LeastRequest", {
          choice_count: 3,
          slow_start_config: { slow_start_window: "10s" },
        }),
      }],
    },
    load_assignment: { ...endpoints, cluster_name: "policy" },
    health_checks: [{
      ...without(healthCheck, "http_health_check"),
      grpc_health_check: { service_name: "s", authority: "a" },
    }],
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        { explicit_http_config: { http2_protocol_options: {} } },
      ),
    },
  },
}, {
  type: "envoy.config.cluster.v3.Cluster",
  name: "eds",
  json: {
    name: "eds",
    type: "EDS",
    eds_cluster_config: { eds_config: ads, service_name: "eds" },
    lb_subset_config: {
      fallback_policy: "ANY_ENDPOINT",
      subset_selectors: [{ keys: ["stage"] }],
    },
  },
}];

const action: JsonObject = {
  cluster: "static",
  timeout: "15s",
  idle_timeout: "5s",
  prefix_rewrite: "/",
  priority: "DEFAULT",
  cluster_not_found_response_code: "NOT_FOUND",
  retry_policy: {
    retry_on: "5xx",
    num_retries: 2,
    per_try_timeout: "1s",
    retry_back_off: { base_interval: "0.1s", max_interval: "1s" },
    rate_limited_retry_back_off: {
      reset_headers: [{ name: "retry-after", format: "SECONDS" }],
      max_interval: "10s",
    },
    retriable_headers: [headerMatcher],
    host_selection_retry_max_attempts: 2,
  },
  request_mirror_policies: [{ cluster: "ring", runtime_fraction: percent }],
  hash_policy: [
    { header: { header_name: "x-hash" } },
    { cookie: { name: "session", ttl: "60s", path: "/" } },
    { query_parameter: { name: "q" } },
  ],
  rate_limits: [{
    stage: 1,
    actions: [
      { request_headers: { header_name: "x-id", descriptor_key: "id" } },
      { generic_key: { descriptor_value: "v", descriptor_key: "k" } },
      {
        header_value_match: { descriptor_value: "m", headers: [headerMatcher] },
      },
    ],
  }],
  upgrade_configs: [{ upgrade_type: "websocket" }],
  internal_redirect_policy: {
    max_internal_redirects: 2,
    redirect_response_codes: [302],
    response_headers_to_copy: ["x-copied"],
  },
};

const routes: JsonObject = {
  name: "rds",
  request_headers_to_add: [headerToAdd],
  response_headers_to_remove: ["x-removed"],
  internal_only_headers: ["x-internal"],
  virtual_hosts: [{
    name: "all",
    domains: ["*"],
    require_tls: "NONE",
    retry_policy: { retry_on: "reset", num_retries: 1 },
    rate_limits: [{ actions: [{ remote_address: {} }] }],
    routes: [...extendedRoutes, {
      name: "weighted",
      match: {
        safe_regex: { regex: "/weighted.*" },
        headers: [headerMatcher, {
          name: "x-range",
          range_match: { start: 1, end: 9 },
        }],
        query_parameters: [{ name: "q", string_match: { prefix: "p" } }],
        runtime_fraction: percent,
      },
      route: {
        weighted_clusters: {
          clusters: [
            {
              name: "static",
              weight: 90,
              request_headers_to_add: [headerToAdd],
            },
            { name: "ring", weight: 10 },
          ],
          runtime_key_prefix: "weights",
        },
        host_rewrite_path_regex: {
          pattern: { regex: "^/(.+)/.+$" },
          substitution: "\\1",
        },
      },
      tracing: {
        client_sampling: { numerator: 1, denominator: "HUNDRED" },
        custom_tags: [
          { tag: "literal", literal: { value: "v" } },
          { tag: "header", request_header: { name: "x-tag" } },
          { tag: "env", environment: { name: "HOME" } },
        ],
      },
      typed_per_filter_config: {
        "envoy.filters.http.cors": typed(`${HTTP}cors.v3.CorsPolicy`, {
          allow_origin_string_match: [{ exact: "https://here" }],
          allow_methods: "GET",
          max_age: "60",
          filter_enabled: percent,
        }),
        buffer: typed(`${HTTP}buffer.v3.BufferPerRoute`, {
          buffer: { max_request_bytes: 10 },
        }),
        fault: typed(`${HTTP}fault.v3.HTTPFault`, {
          delay: { fixed_delay: "0.1s", percentage: { numerator: 1 } },
          abort: { http_status: 503, percentage: { numerator: 1 } },
        }),
      },
    }, {
      name: "redirect",
      match: { path: "/redirect" },
      redirect: { path_redirect: "/", response_code: "FOUND" },
      decorator: { operation: "op" },
    }, {
      name: "direct",
      match: { path_separated_prefix: "/direct" },
      direct_response: { status: 204, body: { inline_string: "" } },
    }, {
      name: "plain",
      match: { prefix: "/" },
      route: action,
      request_headers_to_remove: ["x-removed"],
      response_headers_to_add: [headerToAdd],
    }],
  }],
};

const httpFilters: JsonObject[] = [
  extension("cors", `${HTTP}cors.v3.Cors`),
  extension("fault", `${HTTP}fault.v3.HTTPFault`, {
    delay: { fixed_delay: "0.1s", percentage: { numerator: 1 } },
    abort: { http_status: 503, percentage: { numerator: 1 } },
    response_rate_limit: {
      fixed_limit: { limit_kbps: 100 },
      percentage: { numerator: 1 },
    },
    headers: [headerMatcher],
  }),
  extension("buffer", `${HTTP}buffer.v3.Buffer`, { max_request_bytes: 1000 }),
  extension("local", `${HTTP}local_ratelimit.v3.LocalRateLimit`, {
    stat_prefix: "local",
    token_bucket: { max_tokens: 10, tokens_per_fill: 1, fill_interval: "1s" },
    status: { code: "TooManyRequests" },
    response_headers_to_add: [headerToAdd],
    filter_enabled: { runtime_key: "on", ...percent },
    stage: 1,
  }),
  extension("limit", `${HTTP}ratelimit.v3.RateLimit`, {
    domain: "d",
    stage: 1,
    request_type: "both",
    timeout: "0.5s",
    rate_limit_service: { grpc_service: grpc, transport_api_version: "V3" },
  }),
  extension("authz", `${HTTP}ext_authz.v3.ExtAuthz`, {
    transport_api_version: "V3",
    http_service: {
      server_uri: { uri: "http://a", cluster: "static", timeout: "1s" },
      authorization_request: { headers_to_add: [{ key: "k", value: "v" }] },
    },
    with_request_body: { max_request_bytes: 100 },
    status_on_error: { code: "Forbidden" },
    filter_enabled: percent,
  }),
  extension("rbac", `${HTTP}rbac.v3.RBAC`, {
    rules: {
      action: "ALLOW",
      policies: {
        all: {
          permissions: [
            { any: true },
            {
              and_rules: { rules: [{ header: headerMatcher }] },
            },
            { destination_port: 80 },
            {
              destination_port_range: { start: 1, end: 9 },
            },
          ],
          principals: [{ any: true }, {
            or_ids: { ids: [{ header: headerMatcher }] },
          }, {
            direct_remote_ip: { address_prefix: "10.0.0.0", prefix_len: 8 },
          }],
        },
      },
    },
  }),
  extension("matcher", `${HTTP}rbac.v3.RBAC`, {
    matcher: {
      matcher_tree: {
        input: { name: "host", typed_config: header("host") },
        exact_match_map: {
          map: {
            here: {
              action: extension("action", "envoy.config.rbac.v3.Action", {
                name: "allow-here",
                action: "ALLOW",
              }),
            },
          },
        },
      },
      on_no_match: {
        action: extension("action", "envoy.config.rbac.v3.Action", {
          name: "deny",
          action: "DENY",
        }),
      },
    },
  }),
  extension("jwt", `${HTTP}jwt_authn.v3.JwtAuthentication`, {
    providers: {
      p: {
        issuer: "i",
        remote_jwks: {
          http_uri: { uri: "http://a", cluster: "static", timeout: "1s" },
          cache_duration: "300s",
        },
        forward_payload_header: "x-payload",
        from_headers: [{ name: "authorization", value_prefix: "Bearer " }],
        claim_to_headers: [{ header_name: "x-claim", claim_name: "c" }],
        clock_skew_seconds: 60,
      },
    },
    rules: [{ match: { prefix: "/" }, requires: { provider_name: "p" } }],
  }),
  extension("lua", `${HTTP}lua.v3.Lua`, {
    default_source_code: { inline_string: "function envoy_on_request(h) end" },
  }),
  extension("compressor", `${HTTP}compressor.v3.Compressor`, {
    compressor_library: extension(
      "gzip",
      "envoy.extensions.compression.gzip.compressor.v3.Gzip",
      { memory_level: 5, window_bits: 12, chunk_size: 8192 },
    ),
    response_direction_config: {
      common_config: { min_content_length: 100 },
      uncompressible_response_codes: [206],
    },
  }),
  extension("check", `${HTTP}health_check.v3.HealthCheck`, {
    pass_through_mode: false,
    headers: [{ name: ":path", string_match: { exact: "/healthz" } }],
    cluster_min_healthy_percentages: { static: { value: 10 } },
  }),
  extension("metadata", `${HTTP}header_to_metadata.v3.Config`, {
    request_rules: [{
      header: "x-version",
      on_header_present: { key: "version", type: "STRING" },
    }],
  }),
  extension("mutation", `${HTTP}header_mutation.v3.HeaderMutation`, {
    mutations: {
      request_mutations: [{ append: headerToAdd }, { remove: "x-removed" }],
    },
  }),
  extension("stats", `${HTTP}grpc_stats.v3.FilterConfig`, {
    stats_for_all_methods: true,
  }),
  {
    name: "ecds",
    config_discovery: {
      config_source: ads,
      type_urls: [
        `type.googleapis.com/${HTTP}header_mutation.v3.HeaderMutation`,
      ],
      default_config: typed(`${HTTP}header_mutation.v3.HeaderMutation`),
    },
  },
  extension("router", `${HTTP}router.v3.Router`, {
    strict_check_headers: ["x-envoy-retry-on"],
  }),
];

const accessLogs: JsonObject[] = [
  {
    ...extension(
      "file",
      "envoy.extensions.access_loggers.file.v3.FileAccessLog",
      {
        path: "/dev/null",
        log_format: { text_format_source: { inline_string: "%PROTOCOL%\n" } },
      },
    ),
    filter: {
      and_filter: {
        filters: [
          {
            status_code_filter: {
              comparison: {
                op: "GE",
                value: { default_value: 500, runtime_key: "status" },
              },
            },
          },
          {
            runtime_filter: {
              runtime_key: "log",
              percent_sampled: { numerator: 1 },
            },
          },
          { response_flag_filter: { flags: ["UH"] } },
          { header_filter: { header: headerMatcher } },
        ],
      },
    },
  },
  extension(
    "grpc",
    "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
    {
      common_config: {
        log_name: "log",
        transport_api_version: "V3",
        grpc_service: grpc,
        buffer_flush_interval: "1s",
      },
    },
  ),
];

function connectionManager(routes: JsonObject, more: JsonObject = {}) {
  return extension(
    "http",
    `${NETWORK}http_connection_manager.v3.HttpConnectionManager`,
    {
      stat_prefix: "http",
      ...routes,
      http_filters: [extension("router", `${HTTP}router.v3.Router`)],
      ...more,
    },
  );
}

const scopedRoutes: JsonObject = {
  scoped_routes: {
    name: "scopes",
    rds_config_source: ads,
    scope_key_builder: {
      fragments: [{
        header_value_extractor: {
          name: "x-scope",
          element: { separator: ";", key: "s" },
          element_separator: ",",
        },
      }],
    },
    scoped_rds: { scoped_rds_config_source: ads },
  },
};

function listener(
  name: string,
  filter: JsonValue,
  more: JsonObject = {},
): Base {
  return {
    type: "envoy.config.listener.v3.Listener",
    name,
    json: {
      name,
      address: socket(0),
      filter_chains: [{ filters: [filter] }],
      ...more,
    },
  };
}

const listeners: Base[] = [
  listener(
    "http",
    connectionManager({
      rds: { route_config_name: "rds", config_source: ads },
    }, {
      codec_type: "AUTO",
      http_filters: httpFilters,
      access_log: accessLogs,
      common_http_protocol_options: {
        idle_timeout: "60s",
        max_headers_count: 50,
        headers_with_underscores_action: "ALLOW",
      },
      http2_protocol_options: {
        max_concurrent_streams: 100,
        initial_stream_window_size: 65536,
        connection_keepalive: { interval: "30s", timeout: "5s" },
      },
      http_protocol_options: {
        header_key_format: { proper_case_words: {} },
      },
      max_request_headers_kb: 60,
      stream_idle_timeout: "60s",
      request_timeout: "60s",
      drain_timeout: "5s",
      server_header_transformation: "OVERWRITE",
      forward_client_cert_details: "SANITIZE",
      set_current_client_cert_details: { subject: true },
      upgrade_configs: [{ upgrade_type: "websocket" }],
      path_normalization_options: {},
      original_ip_detection_extensions: [extension(
        "header",
        "envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig",
        { header_name: "x-ip" },
      )],
      local_reply_config: {
        mappers: [{
          filter: {
            status_code_filter: {
              comparison: {
                op: "EQ",
                value: { default_value: 400, runtime_key: "k" },
              },
            },
          },
          status_code: 401,
          headers_to_add: [headerToAdd],
        }],
      },
      early_header_mutation_extensions: [extension(
        "early",
        "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        { mutations: [{ remove: "x-early" }] },
      )],
      tracing: {
        provider: extension(
          "zipkin",
          "envoy.config.trace.v3.ZipkinConfig",
          {
            collector_cluster: "static",
            collector_endpoint: "/api/v2/spans",
            collector_endpoint_version: "HTTP_JSON",
          },
        ),
        client_sampling: { value: 1 },
        custom_tags: [{ tag: "t", literal: { value: "v" } }],
        max_path_tag_length: 100,
      },
    }),
    {
      listener_filters: [
        extension(
          "tls",
          "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
        ),
        extension(
          "proxy",
          "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
          {
            rules: [{
              tlv_type: 2,
              on_tlv_present: { key: "authority" },
            }],
          },
        ),
      ],
      listener_filters_timeout: "5s",
      per_connection_buffer_limit_bytes: 32768,
      access_log: accessLogs.slice(0, 1),
      connection_balance_config: { exact_balance: {} },
      drain_type: "DEFAULT",
      socket_options: [{ level: 6, name: 1, int_value: 1 }],
      tcp_backlog_size: 10,
    },
  ),
  listener("scoped", connectionManager(scopedRoutes)),
  listener(
    "inline",
    connectionManager({ route_config: { ...routes, name: "inline" } }, {
      http_filters: httpFilters.filter(({ name }) =>
        ["cors", "fault", "buffer", "router"].includes(name as string)
      ),
    }),
  ),
  listener(
    "tcp",
    extension("tcp", `${NETWORK}tcp_proxy.v3.TcpProxy`, {
      stat_prefix: "tcp",
      weighted_clusters: {
        clusters: [{ name: "static", weight: 1 }, { name: "ring", weight: 2 }],
      },
      idle_timeout: "60s",
      max_connect_attempts: 2,
      hash_policy: [{ source_ip: {} }],
      access_log: accessLogs.slice(0, 1),
    }),
    {
      filter_chains: [{
        name: "matched",
        filter_chain_match: {
          prefix_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }],
          source_ports: [80],
          destination_port: 80,
          source_type: "ANY",
          server_names: ["here"],
          transport_protocol: "tls",
        },
        transport_socket_connect_timeout: "5s",
        filters: [
          extension("limit", `${NETWORK}connection_limit.v3.ConnectionLimit`, {
            stat_prefix: "limit",
            max_connections: 10,
            delay: "0.1s",
          }),
          extension("rbac", `${NETWORK}rbac.v3.RBAC`, {
            stat_prefix: "rbac",
            rules: {
              policies: {
                all: {
                  permissions: [{ any: true }],
                  principals: [{ any: true }],
                },
              },
            },
          }),
          extension("authz", `${NETWORK}ext_authz.v3.ExtAuthz`, {
            stat_prefix: "authz",
            grpc_service: grpc,
            transport_api_version: "V3",
          }),
          extension("local", `${NETWORK}local_ratelimit.v3.LocalRateLimit`, {
            stat_prefix: "local",
            token_bucket: { max_tokens: 10, fill_interval: "1s" },
          }),
          extension("rate", `${NETWORK}ratelimit.v3.RateLimit`, {
            stat_prefix: "rate",
            domain: "d",
            descriptors: [{ entries: [{ key: "k", value: "v" }] }],
            rate_limit_service: {
              grpc_service: grpc,
              transport_api_version: "V3",
            },
          }),
          extension("tcp", `${NETWORK}tcp_proxy.v3.TcpProxy`, {
            stat_prefix: "tcp",
            cluster: "static",
            access_log_options: { access_log_flush_interval: "1s" },
          }),
        ],
      }],
      default_filter_chain: {
        filters: [
          extension("tcp", `${NETWORK}tcp_proxy.v3.TcpProxy`, {
            stat_prefix: "tcp",
            cluster: "static",
          }),
        ],
      },
    },
  ),
  listener(
    "redis",
    extension("redis", `${NETWORK}redis_proxy.v3.RedisProxy`, {
      stat_prefix: "redis",
      settings: { op_timeout: "1s", max_buffer_size_before_flush: 10 },
      prefix_routes: {
        catch_all_route: {
          cluster: "static",
          request_mirror_policy: [{ cluster: "ring" }],
        },
      },
      faults: [{
        fault_type: "DELAY",
        fault_enabled: percent,
        delay: "0.1s",
      }],
    }),
  ),
  listener("tls", connectionManager({ route_config: { name: "empty" } }), {
    filter_chains: [{
      filters: [connectionManager({ route_config: { name: "empty" } })],
      transport_socket: extension("tls", `${TLS}DownstreamTlsContext`, {
        require_client_certificate: true,
        session_timeout: "60s",
        ocsp_staple_policy: "LENIENT_STAPLING",
        common_tls_context: {
          tls_certificate_sds_secret_configs: [{
            name: "certificate",
            sds_config: ads,
          }],
          combined_validation_context: {
            default_validation_context: {
              verify_certificate_spki: [
                "NvqYIYSbgK2vCJpQhObf77vv+bQWtc5ek5RIOwPiC9A=",
              ],
            },
            validation_context_sds_secret_config: {
              name: "authority",
              sds_config: ads,
            },
          },
        },
      }),
    }],
  }),
];

/** The resources. */
export const bases: readonly Base[] = [
  ...clusters,
  ...policies,
  ...extended,
  {
    type: "envoy.config.endpoint.v3.ClusterLoadAssignment",
    name: "eds",
    json: endpoints,
  },
  ...listeners,
  {
    type: "envoy.config.route.v3.RouteConfiguration",
    name: "rds",
    json: routes,
  },
  {
    type: "envoy.config.route.v3.ScopedRouteConfiguration",
    name: "scope",
    json: {
      name: "scope",
      route_configuration_name: "rds",
      key: { fragments: [{ string_key: "s" }] },
    },
  },
  {
    type: `${TLS}Secret`,
    name: "certificate",
    json: { name: "certificate", tls_certificate: certificate("server") },
  },
  {
    type: `${TLS}Secret`,
    name: "authority",
    json: {
      name: "authority",
      validation_context: {
        trusted_ca: { inline_string: pem("ca.pem") },
        max_verify_depth: 5,
        match_typed_subject_alt_names: [{
          san_type: "DNS",
          matcher: { suffix: "local" },
        }],
      },
    },
  },
  {
    type: "envoy.config.core.v3.TypedExtensionConfig",
    name: "ecds",
    json: {
      name: "ecds",
      typed_config: typed(`${HTTP}header_mutation.v3.HeaderMutation`, {
        mutations: {
          response_mutations: [{ append: headerToAdd }, { remove: "x-gone" }],
        },
      }),
    },
  },
  {
    type: "envoy.service.runtime.v3.Runtime",
    name: "rtds",
    json: { name: "rtds", layer: { on: { numerator: 50 } } },
  },
];

function without(json: JsonObject, field: string): JsonObject {
  const { [field]: _, ...rest } = json;
  return rest;
}
