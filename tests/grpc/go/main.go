// A proxyless client in grpc-go: makes a call for each line that it reads, and prints a line of what came of it.
//
//	client TARGET METHOD, with the bootstrap in GRPC_XDS_BOOTSTRAP_CONFIG
//
// And the backend of all clients:
//
//	client backend NAME
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	_ "google.golang.org/grpc/xds"
)

const callDeadline = 30 * time.Second

// raw is a codec that passes bytes on as they are, so that there is no message type to generate.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) Name() string { return "proto" }

func call(channel *grpc.ClientConn, method string) string {
	ctx, cancel := context.WithTimeout(context.Background(), callDeadline)
	defer cancel()
	var request, name []byte
	err := channel.Invoke(ctx, method, &request, &name, grpc.ForceCodec(raw{}))
	if err == nil {
		return "OK " + string(name)
	}
	return codeName(status.Code(err)) + " " + status.Convert(err).Message()
}

// codeName is a code's name as the other clients print it: UNAVAILABLE.
func codeName(code codes.Code) string {
	if code == codes.DeadlineExceeded {
		return "DEADLINE_EXCEEDED"
	}
	return strings.ToUpper(code.String())
}

func main() {
	if os.Args[1] == "backend" {
		runBackend(os.Args[2])
		return
	}
	channel, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer channel.Close()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(strings.Join(strings.Fields(call(channel, os.Args[2])), " "))
	}
}
