// The peer: a control plane made of go-control-plane's caches and server, as its own example puts them together. It
// takes commands as lines of JSON and answers each with one; server.ts beside it speaks the same lines.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"xds.example/bench/usage"
)

// A command; which fields count depends on Do.
type command struct {
	Do       string
	Revision int
	Content  map[string]int // snapshot: how many resources of each type
	Keys     int            // snapshot: how many keys have one; 0: the key "node"
	Ads      bool           // snapshot: whether answers wait until all names were asked for
	Type     string         // linear, change, update, churn
	Count    int            // linear, change, update, churn: how many resources
	From     int            // change, update: the first of them
	Times    int            // update: how often, with a revision each; 0: once
	Updates  int            // churn
	Interval int            // churn, in milliseconds
}

// What it took, and when it began: what came before, as building messages, does not count.
type cost struct {
	At   int64   `json:"at"` // microseconds since 1970
	CPU  float64 `json:"cpu"`
	Wall float64 `json:"wall"`
}

type peer struct {
	snapshots cache.SnapshotCache
	linear    *cache.LinearCache
	messages  map[string][]types.Resource
	keys      []string
	building  float64
}

func main() {
	p := &peer{messages: map[string][]types.Resource{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fail(err)
		}
		if c.Do == "quit" {
			return
		}
		if err := answers.Encode(p.run(c)); err != nil {
			fail(err)
		}
	}
}

func (p *peer) run(c command) any {
	switch c.Do {
	case "snapshot":
		return p.setSnapshot(c)
	case "change":
		return p.change(c)
	case "linear":
		return p.makeLinear(c)
	case "update":
		return p.update(c)
	case "churn":
		return p.churn(c)
	case "listen":
		return p.listen()
	case "reset":
		usage.ResetPeak()
		return struct{}{}
	case "stat":
		return struct {
			usage.Usage
			Building float64 `json:"building"`
		}{usage.Now(), p.building}
	}
	fail(fmt.Errorf("unknown command %q", c.Do))
	return nil
}

// build makes messages, on an account of its own.
func (p *peer) build(make func()) {
	before := usage.CPU()
	make()
	p.building += usage.CPU() - before
}

func measure(do func() error) cost {
	at, before := time.Now(), usage.CPU()
	if err := do(); err != nil {
		fail(err)
	}
	return cost{at.UnixMicro(), usage.CPU() - before, float64(time.Since(at).Microseconds()) / 1e3}
}

func (p *peer) setSnapshot(c command) cost {
	if p.snapshots == nil {
		p.snapshots = cache.NewSnapshotCache(c.Ads, cache.IDHash{}, nil)
		p.keys = []string{"node"}
		if c.Keys > 0 {
			p.keys = nil
		}
		for i := range c.Keys {
			p.keys = append(p.keys, fmt.Sprintf("node-%d", i))
		}
	}
	p.build(func() {
		for name, count := range c.Content {
			p.messages[typeURLs[name]] = resources(name, 0, count, c.Revision)
		}
	})
	return measure(func() error { return p.set(c.Revision) })
}

func (p *peer) set(revision int) error {
	for _, key := range p.keys {
		snapshot, err := cache.NewSnapshot(fmt.Sprint(revision), p.messages)
		if err != nil {
			return err
		}
		if err := p.snapshots.SetSnapshot(context.Background(), key, snapshot); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) change(c command) cost {
	p.build(func() {
		all := append([]types.Resource(nil), p.messages[typeURLs[c.Type]]...)
		copy(all[c.From:], resources(c.Type, c.From, c.Count, c.Revision))
		p.messages[typeURLs[c.Type]] = all
	})
	return measure(func() error { return p.set(c.Revision) })
}

func (p *peer) makeLinear(c command) cost {
	var all map[string]types.Resource
	p.build(func() { all = cache.IndexRawResourcesByName(resources(c.Type, 0, c.Count, c.Revision)) })
	return measure(func() error {
		p.linear = cache.NewLinearCache(typeURLs[c.Type], cache.WithInitialResources(all), cache.WithLogger(silent{}))
		return nil
	})
}

func (p *peer) update(c command) cost {
	sets := make([]map[string]types.Resource, max(c.Times, 1))
	p.build(func() {
		for i := range sets {
			sets[i] = cache.IndexRawResourcesByName(resources(c.Type, c.From, c.Count, c.Revision+i))
		}
	})
	return measure(func() error {
		for _, set := range sets {
			if err := p.linear.UpdateResources(set, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// churn changes one resource after the other at a steady pace, and tells when each change was due.
func (p *peer) churn(c command) any {
	due := make([]int64, 0, c.Updates)
	start := time.Now()
	for i := range c.Updates {
		next := start.Add(time.Duration((i+1)*c.Interval) * time.Millisecond)
		time.Sleep(time.Until(next))
		one := c
		one.From, one.Count, one.Revision = i%c.Count, 1, c.Revision+i
		p.change(one)
		due = append(due, next.UnixMicro())
	}
	return due
}

func (p *peer) listen() any {
	var served cache.Cache = p.snapshots
	if p.linear != nil {
		served = p.linear
	}
	// As in go-control-plane's internal/example/server.go.
	s := grpc.NewServer(
		grpc.MaxConcurrentStreams(1000000),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 5 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 30 * time.Second, PermitWithoutStream: true}),
	)
	discovery.RegisterAggregatedDiscoveryServiceServer(s, server.NewServer(context.Background(), served, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	go func() { fail(s.Serve(listener)) }()
	return struct {
		Port int `json:"port"`
	}{listener.Addr().(*net.TCPAddr).Port}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "peer:", err)
	os.Exit(1)
}

// silent is a logger; the linear cache has no other way to be told not to print.
type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Infof(string, ...any)  {}
func (silent) Warnf(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
