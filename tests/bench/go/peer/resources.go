package main

import (
	"fmt"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	runtime "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

var typeURLs = map[string]string{
	"Cluster":               resource.ClusterType,
	"ClusterLoadAssignment": resource.EndpointType,
	"Listener":              resource.ListenerType,
	"RouteConfiguration":    resource.RouteType,
	"Runtime":               resource.RuntimeType,
}

var makers = map[string]func(i, revision int) types.Resource{
	"Cluster":               makeCluster,
	"ClusterLoadAssignment": makeEndpoints,
	"Listener":              makeListener,
	"RouteConfiguration":    makeRoutes,
	"Runtime":               makeRuntime,
}

// resources makes what resources.ts beside it makes: all of a revision differ from those of any other.
func resources(name string, from, count, revision int) []types.Resource {
	made := make([]types.Resource, count)
	for i := range made {
		made[i] = makers[name](from+i, revision)
	}
	return made
}

var ads = &core.ConfigSource{
	ResourceApiVersion:    core.ApiVersion_V3,
	ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
}

// About 300 bytes.
func makeCluster(i, revision int) types.Resource {
	return &cluster.Cluster{
		Name:                 fmt.Sprintf("cluster-%05d", i),
		AltStatName:          strings.Repeat(fmt.Sprintf("version-%06d-", revision), 14),
		ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_EDS},
		EdsClusterConfig:     &cluster.Cluster_EdsClusterConfig{EdsConfig: ads},
		ConnectTimeout:       durationpb.New(5e9),
	}
}

func makeEndpoints(i, revision int) types.Resource {
	endpoints := make([]*endpoint.LbEndpoint, 4)
	for j := range endpoints {
		ip := fmt.Sprintf("10.%d.%d.%d", j, revision>>8&255, revision&255)
		endpoints[j] = &endpoint.LbEndpoint{HostIdentifier: &endpoint.LbEndpoint_Endpoint{
			Endpoint: &endpoint.Endpoint{Address: address(ip, 8080)},
		}}
	}
	return &endpoint.ClusterLoadAssignment{
		ClusterName: fmt.Sprintf("cluster-%05d", i),
		Endpoints:   []*endpoint.LocalityLbEndpoints{{LbEndpoints: endpoints}},
	}
}

func makeListener(i, revision int) types.Resource {
	filter, err := anypb.New(&hcm.HttpConnectionManager{
		StatPrefix: fmt.Sprintf("version-%06d", revision),
		RouteSpecifier: &hcm.HttpConnectionManager_Rds{Rds: &hcm.Rds{
			ConfigSource:    ads,
			RouteConfigName: fmt.Sprintf("route-%05d", i),
		}},
	})
	if err != nil {
		fail(err)
	}
	return &listener.Listener{
		Name:    fmt.Sprintf("listener-%05d", i),
		Address: address("0.0.0.0", uint32(10000+i)),
		FilterChains: []*listener.FilterChain{{Filters: []*listener.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listener.Filter_TypedConfig{TypedConfig: filter},
		}}}},
	}
}

func makeRoutes(i, revision int) types.Resource {
	return &route.RouteConfiguration{
		Name: fmt.Sprintf("route-%05d", i),
		VirtualHosts: []*route.VirtualHost{{
			Name:    fmt.Sprintf("version-%06d", revision),
			Domains: []string{"*"},
			Routes: []*route.Route{{
				Match: &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}},
				Action: &route.Route_Route{Route: &route.RouteAction{
					ClusterSpecifier: &route.RouteAction_Cluster{Cluster: fmt.Sprintf("cluster-%05d", i)},
				}},
			}},
		}},
	}
}

func makeRuntime(i, _ int) types.Resource {
	return &runtime.Runtime{Name: fmt.Sprintf("runtime-%05d", i)}
}

func address(ip string, port uint32) *core.Address {
	return &core.Address{Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{
		Address:       ip,
		PortSpecifier: &core.SocketAddress_PortValue{PortValue: port},
	}}}
}
