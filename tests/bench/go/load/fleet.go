package main

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Which clients to connect, and what they ask for.
type clients struct {
	Port          int
	Protocol      string // "sotw" or "delta"
	Streams       int
	PerConnection int
	Node          string // the node's id; empty: "node-" and the client's number
	Subscriptions []subscription
	Held          bool   // say which versions are held since the last time
	Probe         string // the type of a resource that is asked for last; its answer ends connecting
	Track         bool   // delta: note the versions of resources, to say them later
	Slow          int    // so many clients more, each on a connection that is never read
}

// A subscription to one type.
type subscription struct {
	Type   string // type URL
	Prefix string // of names: "cluster-" gives "cluster-00000" and so on
	Count  int    // how many names; 0: the wildcard
	Of     int    // clients ask for different names out of so many; 0: all for the same
	After  string // asked for once there is a response of that type
	Expect int    // how many resources are all of it
}

// What ends a round.
type goal struct {
	remaining atomic.Int64
	version   string
	done      chan struct{}
	at        atomic.Int64
}

func newGoal(remaining int64, version string) *goal {
	g := &goal{version: version, done: make(chan struct{})}
	g.remaining.Store(remaining)
	if remaining == 0 {
		g.at.Store(time.Now().UnixMicro())
		close(g.done)
	}
	return g
}

func (g *goal) reached(count int64) {
	if count > 0 && g.remaining.Add(-count) == 0 {
		g.at.Store(time.Now().UnixMicro())
		close(g.done)
	}
}

// All clients.
type fleet struct {
	clients
	conns     []*conn
	streams   []*stream
	goal      atomic.Pointer[goal]
	responses atomic.Int64
	bytes     atomic.Int64
}

// connect opens all streams at once. What the clients of before held, these do, if they are told so.
func connect(c clients, before *fleet) *fleet {
	f := &fleet{clients: c}
	expected := int64(c.Streams)
	if c.Probe == "" {
		expected *= int64(len(c.Subscriptions))
	}
	f.goal.Store(newGoal(expected, ""))
	for i := range c.Streams {
		if i%c.PerConnection == 0 {
			f.conns = append(f.conns, newConn(f))
		}
		s := newStream(f, i)
		if c.Held {
			s.hold(before.streams[i])
		}
		f.streams = append(f.streams, s)
		f.conns[len(f.conns)-1].add(s)
	}
	for i := range c.Slow {
		slow := newConn(f)
		slow.unread = true
		slow.add(newStream(f, c.Streams+i))
		f.conns = append(f.conns, slow)
	}
	for _, conn := range f.conns {
		go conn.run()
	}
	return f
}

// arm begins a round, which ends after so many responses, or once every client has a version.
func (f *fleet) arm(responses int64, version string) {
	if version != "" {
		responses = int64(len(f.streams))
	}
	f.responses.Store(0)
	f.bytes.Store(0)
	f.goal.Store(newGoal(responses, version))
}

func (f *fleet) wait() round {
	g := f.goal.Load()
	select {
	case <-g.done:
	case <-time.After(2 * time.Minute):
		fail(fmt.Errorf("still waiting for %d after two minutes", g.remaining.Load()))
	}
	return round{At: g.at.Load(), Responses: f.responses.Load(), Bytes: f.bytes.Load()}
}

// sync returns once the server has read all that was written.
func (f *fleet) sync() {
	var all sync.WaitGroup
	for _, c := range f.conns {
		if !c.unread {
			all.Go(c.sync)
		}
	}
	all.Wait()
}

func (f *fleet) disconnect() {
	for _, c := range f.conns {
		c.close()
	}
}

type lateness struct {
	Median float64 `json:"median"`
	Worst  float64 `json:"worst"`
}

// late tells how long after changes the last of the clients had them, or what came after, in milliseconds.
func (f *fleet) late(from int, at []int64) lateness {
	last := make([]int64, len(at))
	for _, s := range f.streams {
		next := 0
		for _, a := range s.arrivals {
			for ; next < len(at) && next <= a.revision-from; next++ {
				last[next] = max(last[next], a.at)
			}
		}
		for ; next < len(at); next++ {
			last[next] = math.MaxInt64
		}
		s.arrivals = nil
	}
	took := make([]float64, len(at))
	for i := range at {
		took[i] = float64(last[i]-at[i]) / 1e3
	}
	return lateness{quantile(took, 0.5), quantile(took, 1)}
}

type arrival struct {
	revision int
	at       int64
}

func (s *stream) arrive(version string) {
	if revision, err := strconv.Atoi(version); err == nil {
		s.arrivals = append(s.arrivals, arrival{revision, time.Now().UnixMicro()})
	}
}
