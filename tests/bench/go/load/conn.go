package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Envoy's own windows.
const (
	streamWindow = 16 << 20
	connWindow   = 24 << 20
	frameSize    = 16 << 10
	firstWindow  = 65535
)

// A connection: one goroutine reads it, and writes whatever there is to write when nothing is left to read.
type conn struct {
	fleet   *fleet
	streams map[uint32]*stream
	order   []*stream
	unread  bool

	mu      sync.Mutex // guards writing, as sync comes from elsewhere
	socket  net.Conn
	framer  *http2.Framer
	out     *bufio.Writer
	pong    chan struct{}
	closed  atomic.Bool
	settled bool

	window  int64 // what may be sent
	initial int64 // what may be sent on a new stream
	owed    int   // what was received and not yet given back
	count   int64 // what counts for the goal once acknowledgements are written
}

func newConn(f *fleet) *conn {
	return &conn{fleet: f, streams: map[uint32]*stream{}, pong: make(chan struct{}, 1), window: firstWindow, initial: firstWindow}
}

func (c *conn) add(s *stream) {
	s.id = uint32(2*len(c.order) + 1)
	c.streams[s.id] = s
	c.order = append(c.order, s)
}

func (c *conn) run() {
	address := fmt.Sprintf("127.0.0.1:%d", c.fleet.Port)
	socket, err := net.Dial("tcp", address)
	if err != nil {
		fail(err)
	}
	if c.unread {
		socket.(*net.TCPConn).SetReadBuffer(4096)
	}
	in := bufio.NewReaderSize(socket, 128<<10)
	c.mu.Lock()
	c.socket = socket
	c.out = bufio.NewWriterSize(socket, 32<<10)
	c.framer = http2.NewFramer(c.out, in)
	c.framer.SetReuseFrames()
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.open()
	c.mu.Unlock()
	if c.unread {
		return
	}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			if c.closed.Load() {
				return
			}
			fail(fmt.Errorf("reading from the server: %w", err))
		}
		c.mu.Lock()
		c.take(frame)
		if in.Buffered() == 0 {
			c.flush()
		}
		c.mu.Unlock()
	}
}

func (c *conn) open() {
	c.out.WriteString(http2.ClientPreface)
	if c.unread {
		c.framer.WriteSettings()
	} else {
		c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow})
		c.framer.WriteWindowUpdate(0, connWindow-firstWindow)
	}
	method := "StreamAggregatedResources"
	if c.fleet.Protocol == "delta" {
		method = "DeltaAggregatedResources"
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, s := range c.order {
		block.Reset()
		for _, field := range [][2]string{
			{":method", "POST"}, {":scheme", "http"}, {":authority", "127.0.0.1"},
			{":path", "/envoy.service.discovery.v3.AggregatedDiscoveryService/" + method},
			{"te", "trailers"}, {"content-type", "application/grpc"}, {"user-agent", "bench"},
		} {
			encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
		}
		c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block.Bytes(), EndHeaders: true})
		s.window = c.initial
		s.open()
		c.pump(s)
	}
	c.out.Flush()
}

// pump writes what of a stream's requests the windows allow.
func (c *conn) pump(s *stream) {
	for len(s.out) > 0 {
		n := min(int64(len(s.out)), c.window, s.window, frameSize)
		if n <= 0 {
			return
		}
		c.framer.WriteData(s.id, false, s.out[:n])
		c.window -= n
		s.window -= n
		s.out = s.out[n:]
	}
	s.out = s.buffer[:0]
}

func (c *conn) take(frame http2.Frame) {
	switch frame := frame.(type) {
	case *http2.DataFrame:
		s := c.streams[frame.StreamID]
		size := len(frame.Data())
		c.fleet.bytes.Add(int64(size))
		s.read(frame.Data())
		c.pump(s)
		if c.owed += size; c.owed > connWindow/2 {
			c.framer.WriteWindowUpdate(0, uint32(c.owed))
			c.owed = 0
		}
		if s.owed += size; s.owed > streamWindow/2 {
			c.framer.WriteWindowUpdate(s.id, uint32(s.owed))
			s.owed = 0
		}
	case *http2.SettingsFrame:
		if frame.IsAck() {
			// The first answers what the connection was opened with.
			if c.settled {
				c.pong <- struct{}{}
			}
			c.settled = true
			return
		}
		if value, ok := frame.Value(http2.SettingInitialWindowSize); ok {
			for _, s := range c.order {
				s.window += int64(value) - c.initial
			}
			c.initial = int64(value)
		}
		c.framer.WriteSettingsAck()
		c.pumpAll()
	case *http2.WindowUpdateFrame:
		if frame.StreamID == 0 {
			c.window += int64(frame.Increment)
			c.pumpAll()
		} else {
			s := c.streams[frame.StreamID]
			s.window += int64(frame.Increment)
			c.pump(s)
		}
	case *http2.PingFrame:
		c.framer.WritePing(true, frame.Data)
	case *http2.MetaHeadersFrame:
		if frame.StreamEnded() {
			fail(fmt.Errorf("the server ended a stream: %v", frame.Fields))
		}
	case *http2.RSTStreamFrame:
		fail(fmt.Errorf("the server reset a stream: %v", frame.ErrCode))
	case *http2.GoAwayFrame:
		if !c.closed.Load() {
			fail(fmt.Errorf("the server ended a connection: %v", frame.ErrCode))
		}
	}
}

func (c *conn) pumpAll() {
	for _, s := range c.order {
		c.pump(s)
	}
}

func (c *conn) flush() {
	if c.out.Buffered() > 0 {
		if err := c.out.Flush(); err != nil && !c.closed.Load() {
			fail(fmt.Errorf("writing to the server: %w", err))
		}
	}
	count := c.count
	c.count = 0
	c.fleet.goal.Load().reached(count)
}

// sync returns once the server has read all that was written before. It asks by settings that change nothing, since
// servers do not like to be pinged often.
func (c *conn) sync() {
	c.mu.Lock()
	c.framer.WriteSettings()
	c.out.Flush()
	c.mu.Unlock()
	<-c.pong
}

func (c *conn) close() {
	c.closed.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket.Close()
}
