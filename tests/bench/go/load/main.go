// The load generator: clients that subscribe and acknowledge as Envoy does, over HTTP/2 frames that it reads and writes
// itself, so that it costs little beside either server. It takes commands as lines of JSON and answers each with one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"xds.example/bench/usage"
)

// A command; which fields count depends on Do.
type command struct {
	Do string
	clients
	Responses int64   // arm: how many responses end the round
	Version   string  // arm: or which version, had by every client
	From      int     // late: revision of the first change
	At        []int64 // late: when each change began, in microseconds since 1970
}

// What a round, or connecting, came to.
type round struct {
	At        int64   `json:"at"`   // when the last acknowledgement was written, in microseconds since 1970
	Wall      float64 `json:"wall"` // connect: milliseconds from the command until then
	Responses int64   `json:"responses"`
	Bytes     int64   `json:"bytes"`
}

func main() {
	var f *fleet
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fail(err)
		}
		var answer any = struct{}{}
		switch c.Do {
		case "connect":
			start := time.Now()
			f = connect(c.clients, f)
			r := f.wait()
			r.Wall = float64(r.At-start.UnixMicro()) / 1e3
			answer = r
		case "arm":
			f.arm(c.Responses, c.Version)
		case "wait":
			answer = f.wait()
		case "sync":
			f.sync()
		case "late":
			answer = f.late(c.From, c.At)
		case "disconnect":
			f.disconnect()
		case "stat":
			answer = usage.Now()
		case "quit":
			return
		default:
			fail(fmt.Errorf("unknown command %q", c.Do))
		}
		if err := answers.Encode(answer); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "load:", err)
	os.Exit(1)
}
