const NETWORK = "envoy.extensions.filters.network.";
const ROUTE = "envoy.config.route.v3.";

/**
 * Fields that hold the name of a cluster that traffic is sent to, or the names of several, by full name of their
 * message. Left out are those that only name clusters of the bootstrap, such as where xDS itself comes from.
 */
export const clusterFields: Readonly<Record<string, string>> = {
  [`${ROUTE}RouteAction`]: "cluster",
  [`${ROUTE}RouteAction.RequestMirrorPolicy`]: "cluster",
  [`${ROUTE}WeightedCluster.ClusterWeight`]: "name",
  "envoy.config.core.v3.GrpcService.EnvoyGrpc": "cluster_name",
  "envoy.config.core.v3.HttpUri": "cluster",
  "envoy.config.trace.v3.DatadogConfig": "collector_cluster",
  "envoy.config.trace.v3.ZipkinConfig": "collector_cluster",
  "envoy.data.dns.v3.DnsTable.DnsEndpoint": "cluster_name",
  "envoy.data.dns.v3.DnsTable.DnsServiceTarget": "cluster_name",
  "envoy.extensions.access_loggers.fluentd.v3.FluentdAccessLogConfig":
    "cluster",
  "envoy.extensions.clusters.aggregate.v3.ClusterConfig": "clusters",
  "envoy.extensions.clusters.mcp_multicluster.v3.ClusterConfig.McpCluster":
    "cluster",
  "envoy.extensions.filters.http.gcp_authn.v3.GcpAuthnFilterConfig": "cluster",
  "envoy.extensions.filters.http.mcp_router.v3.McpRouter.McpCluster": "cluster",
  [`${NETWORK}dubbo_proxy.v3.RouteAction`]: "cluster",
  [`${NETWORK}generic_proxy.action.v3.RouteAction`]: "cluster",
  [`${NETWORK}redis_proxy.v3.RedisProxy.PrefixRoutes.Route`]: "cluster",
  [`${NETWORK}redis_proxy.v3.RedisProxy.PrefixRoutes.Route.ReadCommandPolicy`]:
    "cluster",
  [`${NETWORK}redis_proxy.v3.RedisProxy.PrefixRoutes.Route.RequestMirrorPolicy`]:
    "cluster",
  [`${NETWORK}tcp_proxy.v3.TcpProxy`]: "cluster",
  [`${NETWORK}tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight`]: "name",
  [`${NETWORK}thrift_proxy.v3.RouteAction`]: "cluster",
  [`${NETWORK}thrift_proxy.v3.RouteAction.RequestMirrorPolicy`]: "cluster",
  [`${NETWORK}thrift_proxy.v3.WeightedCluster.ClusterWeight`]: "name",
  "envoy.extensions.filters.udp.udp_proxy.v3.Route": "cluster",
  "envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig": "cluster",
  "envoy.extensions.router.cluster_specifiers.lua.v3.LuaConfig":
    "default_cluster",
  "envoy.extensions.router.cluster_specifiers.matcher.v3.ClusterAction":
    "cluster",
  "envoy.extensions.router.cluster_specifiers.priority_group.v3.ClusterWeight":
    "cluster_name",
  "envoy.extensions.tracers.fluentd.v3.FluentdConfig": "cluster",
};
