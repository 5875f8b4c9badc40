package main

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// A client's stream.
type stream struct {
	fleet  *fleet
	id     uint32
	number int
	delta  bool
	types  []*typeState

	parser   parser
	arrivals []arrival

	out    []byte // requests that are to be written
	buffer []byte // where they lie
	window int64
	owed   int
}

// What a client wants and has of a type.
type typeState struct {
	subscription
	names     []byte // encoded as they are in a request
	version   string
	versions  map[string]string
	resources int
	asked     bool
	hasAll    bool
	atGoal    *goal
	isProbe   bool
}

func newStream(f *fleet, number int) *stream {
	s := &stream{fleet: f, number: number, delta: f.Protocol == "delta"}
	for _, sub := range f.Subscriptions {
		s.types = append(s.types, s.newType(sub))
	}
	if f.Probe != "" {
		probe := s.newType(subscription{Type: f.Probe, Prefix: "runtime-", Count: 1, Expect: 1})
		probe.isProbe = true
		s.types = append(s.types, probe)
	}
	s.parser.keep = f.Track
	s.parser.done = s.respond
	return s
}

func (s *stream) newType(sub subscription) *typeState {
	t := &typeState{subscription: sub, versions: map[string]string{}}
	for i := range sub.Count {
		number := i
		if sub.Of > 0 {
			number = (s.number*sub.Count + i) % sub.Of
		}
		t.names = protowire.AppendTag(t.names, 3, protowire.BytesType)
		t.names = protowire.AppendString(t.names, fmt.Sprintf("%s%05d", sub.Prefix, number))
	}
	return t
}

// hold takes over what another stream has.
func (s *stream) hold(other *stream) {
	for i, t := range other.types {
		if !t.isProbe {
			s.types[i].version = t.version
			s.types[i].versions = t.versions
		}
	}
}

// open asks for all types that wait for no other. Whoever holds them already waits for none.
func (s *stream) open() {
	node := s.fleet.Node
	if node == "" {
		node = fmt.Sprintf("node-%d", s.number)
	}
	var encoded []byte
	encoded = protowire.AppendTag(encoded, 1, protowire.BytesType)
	encoded = protowire.AppendString(encoded, node)
	encoded = protowire.AppendTag(encoded, 2, protowire.BytesType)
	encoded = protowire.AppendString(encoded, "bench")
	for _, t := range s.types {
		if t.After == "" || s.fleet.Held {
			s.ask(t, encoded)
			encoded = nil
		}
	}
}

func (s *stream) ask(t *typeState, node []byte) {
	t.asked = true
	if !s.delta {
		s.send(request{version: t.version, node: node, names: t.names, typeURL: t.Type})
		return
	}
	var held []byte
	for name, version := range t.versions {
		var entry []byte
		entry = protowire.AppendTag(entry, 1, protowire.BytesType)
		entry = protowire.AppendString(entry, name)
		entry = protowire.AppendTag(entry, 2, protowire.BytesType)
		entry = protowire.AppendString(entry, version)
		held = protowire.AppendTag(held, 5, protowire.BytesType)
		held = protowire.AppendBytes(held, entry)
	}
	s.send(request{node: node, names: t.names, typeURL: t.Type, held: held})
}

// respond acknowledges a response as Envoy does.
func (s *stream) respond(r *parser) {
	t := s.find(string(r.typeURL))
	t.resources += r.resources
	t.version = string(r.version)
	for name, version := range r.versions {
		t.versions[name] = version
	}
	if s.delta {
		s.send(request{typeURL: t.Type, nonce: r.nonce})
	} else {
		s.send(request{version: t.version, names: t.names, typeURL: t.Type, nonce: r.nonce})
	}
	for _, other := range s.types {
		if other.After == t.Type && !other.asked {
			s.ask(other, nil)
		}
	}
	s.fleet.responses.Add(1)
	s.count(t)
}

// count tells what a response means for the round.
func (s *stream) count(t *typeState) {
	conn := s.conn()
	goal := s.fleet.goal.Load()
	if !t.hasAll {
		t.hasAll = t.resources >= t.Expect
		if t.hasAll && (s.fleet.Probe == "" || t.isProbe) {
			conn.count++
		}
		return
	}
	if goal.version == "" {
		conn.count++
		return
	}
	s.arrive(t.version)
	if t.version == goal.version && t.atGoal != goal {
		t.atGoal = goal
		conn.count++
	}
}

func (s *stream) conn() *conn {
	return s.fleet.conns[s.number/s.fleet.PerConnection]
}

func (s *stream) find(typeURL string) *typeState {
	for _, t := range s.types {
		if t.Type == typeURL {
			return t
		}
	}
	fail(fmt.Errorf("a response of type %q, which nobody asked for", typeURL))
	return nil
}

func (s *stream) read(data []byte) {
	if err := s.parser.read(data); err != nil {
		fail(err)
	}
}

// A request's fields, some of them encoded already.
type request struct {
	version, typeURL         string
	node, names, held, nonce []byte
}

func (s *stream) send(r request) {
	typeField, nonceField, nodeField := protowire.Number(4), protowire.Number(5), protowire.Number(2)
	if s.delta {
		typeField, nonceField, nodeField = 2, 6, 1
	}
	start := len(s.out)
	out := append(s.out, 0, 0, 0, 0, 0)
	field := func(number protowire.Number, value []byte) {
		if len(value) > 0 {
			out = protowire.AppendTag(out, number, protowire.BytesType)
			out = protowire.AppendBytes(out, value)
		}
	}
	if !s.delta {
		field(1, []byte(r.version))
	}
	field(nodeField, r.node)
	field(typeField, []byte(r.typeURL))
	// A delta client names resources once.
	if !s.delta || len(r.nonce) == 0 {
		out = append(out, r.names...)
	}
	out = append(out, r.held...)
	field(nonceField, r.nonce)
	binary.BigEndian.PutUint32(out[start+1:], uint32(len(out)-start-5))
	s.out = out
	if start == 0 {
		s.buffer = out
	}
}
