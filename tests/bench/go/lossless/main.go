// A control plane made of go-control-plane's snapshot cache and server, ordered ADS included, for tests/lossless. Each line
// of its input is a snapshot for one node, or has the server stop, or start again on the same port with the same
// snapshots; it says where it listens, and "ok" for each, all in JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"

	_ "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"
)

type command struct {
	// "stop" or "start"; otherwise the rest is a snapshot.
	Do        string
	Node      string
	Version   string
	Resources []struct {
		TypeURL string
		Bytes   []byte
	}
}

func main() {
	ctx := context.Background()
	snapshots := cache.NewSnapshotCache(true, cache.IDHash{}, nil)
	grpcServer, port := serve(ctx, snapshots, 0)
	fmt.Println(port)

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var said command
		check(json.Unmarshal(lines.Bytes(), &said))
		switch said.Do {
		case "stop":
			grpcServer.Stop()
		case "start":
			grpcServer, _ = serve(ctx, snapshots, port)
		default:
			set(ctx, snapshots, said)
		}
		fmt.Println(`"ok"`)
	}
}

func serve(ctx context.Context, snapshots cache.SnapshotCache, port int) (*grpc.Server, int) {
	grpcServer := grpc.NewServer()
	discovery.RegisterAggregatedDiscoveryServiceServer(
		grpcServer,
		server.NewServer(ctx, snapshots, nil, sotw.WithOrderedADS()),
	)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	check(err)
	go func() { check(grpcServer.Serve(listener)) }()
	return grpcServer, listener.Addr().(*net.TCPAddr).Port
}

func set(ctx context.Context, snapshots cache.SnapshotCache, said command) {
	resources := map[string][]types.Resource{}
	for _, one := range said.Resources {
		message, err := (&anypb.Any{TypeUrl: one.TypeURL, Value: one.Bytes}).UnmarshalNew()
		check(err)
		resources[one.TypeURL] = append(resources[one.TypeURL], message)
	}
	made, err := cache.NewSnapshot(said.Version, resources)
	check(err)
	check(snapshots.SetSnapshot(ctx, said.Node, made))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
