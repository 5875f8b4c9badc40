// The peer that hostile clients meet: go-control-plane on a gRPC server with its defaults, which sends one client a change
// every 20 ms. It answers each line of its input with its memory after a collection.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
)

func main() {
	snapshots := cache.NewSnapshotCache(false, cache.IDHash{}, nil)
	srv := server.NewServer(context.Background(), snapshots, nil)
	g := grpc.NewServer()
	discovery.RegisterAggregatedDiscoveryServiceServer(g, srv)
	clusterservice.RegisterClusterDiscoveryServiceServer(g, srv)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go g.Serve(listener)
	go func() {
		for range time.Tick(20 * time.Millisecond) {
			set(snapshots, "good", fmt.Sprintf("%.3f", float64(time.Now().UnixMicro())/1e3), 1)
		}
	}()
	set(snapshots, "evil", "1", 200)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		fmt.Println(stats.HeapAlloc)
	}
}

func set(snapshots cache.SnapshotCache, key, version string, clusters int) {
	var all []types.Resource
	for i := range clusters {
		all = append(all, &cluster.Cluster{Name: fmt.Sprintf("cluster-%d", i), AltStatName: version})
	}
	snapshot, err := cache.NewSnapshot(version, map[resource.Type][]types.Resource{resource.ClusterType: all})
	if err != nil {
		panic(err)
	}
	if err := snapshots.SetSnapshot(context.Background(), key, snapshot); err != nil {
		panic(err)
	}
}
