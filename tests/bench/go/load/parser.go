package main

import (
	"encoding/binary"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// A parser reads DiscoveryResponses and DeltaDiscoveryResponses out of a stream of gRPC messages, as they come. It
// passes over resources unless it is to keep their versions.
type parser struct {
	keep bool
	done func(*parser)

	version, typeURL, nonce []byte
	resources               int
	versions                map[string]string

	head  []byte  // of a message, or of a field, as long as it is not complete
	left  int     // bytes of the message
	field int     // that is being read, 0 if none
	size  int     // bytes of it that are to come
	value *[]byte // where it is kept, nil if it is passed over
	entry []byte
}

const prefix = 5

func (p *parser) read(data []byte) error {
	for len(data) > 0 {
		if p.left == 0 {
			need := min(prefix-len(p.head), len(data))
			p.head = append(p.head, data[:need]...)
			data = data[need:]
			if len(p.head) < prefix {
				return nil
			}
			if p.head[0] != 0 {
				return errors.New("a compressed response")
			}
			p.left = int(binary.BigEndian.Uint32(p.head[1:]))
			p.head = p.head[:0]
			p.version, p.typeURL, p.nonce = p.version[:0], p.typeURL[:0], p.nonce[:0]
			p.resources, p.versions = 0, nil
			if p.left == 0 {
				return errors.New("an empty response")
			}
			continue
		}
		n := min(len(data), p.left)
		if p.field == 0 {
			n = p.readHead(data[:n])
		} else {
			n = min(n, p.size)
			if p.value != nil {
				*p.value = append(*p.value, data[:n]...)
			}
			p.size -= n
		}
		data = data[n:]
		p.left -= n
		if p.field != 0 && p.size == 0 {
			p.endField()
		}
		if p.left == 0 {
			p.done(p)
		}
	}
	return nil
}

// readHead takes a tag and a length, byte by byte: they may be cut anywhere.
func (p *parser) readHead(data []byte) int {
	for i, b := range data {
		p.head = append(p.head, b)
		if b >= 0x80 {
			continue
		}
		number, kind, n := protowire.ConsumeTag(p.head)
		if n == len(p.head) {
			continue
		}
		value, _ := protowire.ConsumeVarint(p.head[n:])
		p.head = p.head[:0]
		if kind == protowire.BytesType {
			p.begin(int(number), int(value))
		}
		return i + 1
	}
	return len(data)
}

func (p *parser) begin(number, size int) {
	p.field, p.size, p.value = number, size, nil
	switch number {
	case 1:
		p.value = &p.version
	case 2:
		p.resources++
		if p.keep {
			p.entry = p.entry[:0]
			p.value = &p.entry
		}
	case 4:
		p.value = &p.typeURL
	case 5:
		p.value = &p.nonce
	}
}

func (p *parser) endField() {
	if p.field == 2 && p.keep {
		p.keepVersion()
	}
	p.field = 0
}

// keepVersion notes a Resource's version.
func (p *parser) keepVersion() {
	var name, version string
	for rest := p.entry; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		size := protowire.ConsumeFieldValue(number, kind, rest[n:])
		if n < 0 || size < 0 {
			return
		}
		if number == 1 || number == 3 {
			value, _ := protowire.ConsumeBytes(rest[n:])
			if number == 1 {
				version = string(value)
			} else {
				name = string(value)
			}
		}
		rest = rest[n+size:]
	}
	if p.versions == nil {
		p.versions = map[string]string{}
	}
	p.versions[name] = version
}
