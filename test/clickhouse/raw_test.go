package clickhouse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
)

// raw is an agent that says what it likes.
type raw struct {
	t testing.TB
	net.Conn
	v       int
	chunked bool
}

// rawAgent connects and logs in with a revision.
func rawAgent(t testing.TB, address string, revision int, chunks string) *raw {
	t.Helper()
	k, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	_ = k.SetDeadline(time.Now().Add(patience))
	r := &raw{t: t, Conn: k, v: revision}
	var b chproto.Buffer
	chproto.ClientHello{Name: "raw", Major: 1, Minor: 1, ProtocolVersion: revision, User: "default"}.Encode(&b)
	r.write(b.Buf)
	if code := r.bytes(1)[0]; code != 0 {
		t.Fatalf("the hello is answered with %d", code)
	}
	r.welcome()
	b.Reset()
	if r.v >= 54458 {
		b.PutString("")
	}
	if r.v >= 54470 {
		b.PutString(chunks)
		b.PutString(chunks)
		r.chunked = strings.HasPrefix(chunks, "chunked")
	}
	if r.v >= 54471 {
		b.PutInt(7)
	}
	r.write(b.Buf)
	return r
}

func (r *raw) write(p []byte) {
	r.t.Helper()
	if _, err := r.Write(p); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) bytes(n int) []byte {
	r.t.Helper()
	p := make([]byte, n)
	if _, err := io.ReadFull(r.Conn, p); err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *raw) number() (v uint64) {
	r.t.Helper()
	for shift := 0; ; shift += 7 {
		c := r.bytes(1)[0]
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
}

func (r *raw) str() string { return string(r.bytes(int(r.number()))) }

func (r *raw) welcome() {
	r.str()
	r.number()
	r.number()
	server := int(r.number())
	if server > 54483 {
		r.t.Errorf("the agent is told revision %d", server)
	}
	r.v = min(r.v, server)
	if r.v >= 54471 {
		r.number()
	}
	r.str()
	if r.v >= 54372 {
		r.str()
	}
	if r.v >= 54401 {
		r.number()
	}
	if r.v >= 54470 {
		r.str()
		r.str()
	}
	if r.v >= 54461 {
		for n := r.number(); n > 0; n-- {
			r.str()
			r.str()
		}
	}
	if r.v >= 54462 {
		r.bytes(8)
	}
	if r.v >= 54474 {
		for r.str() != "" {
			r.number()
			r.str()
		}
	}
	if r.v >= 54477 {
		r.number()
	}
	if r.v >= 54479 {
		r.number()
	}
}

// query is a Query packet.
func (r *raw) query(id, text string, settings ...string) []byte {
	var b chproto.Buffer
	b.PutInt(1)
	b.PutString(id)
	info := chproto.ClientInfo{ProtocolVersion: r.v, Interface: chproto.InterfaceTCP, Query: chproto.ClientQueryInitial, InitialAddress: "0.0.0.0:0", ClientName: "raw"}
	info.EncodeAware(&b, r.v)
	if r.v >= 54475 {
		b.PutInt(0)
		b.PutInt(0)
	}
	if r.v >= 54476 {
		b.PutByte(0)
	}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		b.PutString(name)
		if r.v >= 54429 {
			b.PutInt(0)
			b.PutString(value)
		} else {
			var n int
			fmt.Sscan(value, &n)
			b.PutInt(n)
		}
	}
	b.PutString("")
	if r.v >= 54472 {
		b.PutString("")
	}
	if r.v >= 54441 {
		b.PutString("")
	}
	b.PutInt(2)
	b.PutInt(0)
	b.PutString(text)
	if r.v >= 54459 {
		b.PutString("")
	}
	return b.Buf
}

// data is a Data packet of a block that is written out.
func data(name string, block []byte) []byte {
	var b chproto.Buffer
	b.PutInt(2)
	b.PutString(name)
	return append(b.Buf, block...)
}

// chunk makes a message of packets, if the agent speaks in chunks.
func (r *raw) chunk(p []byte) []byte {
	if !r.chunked {
		return p
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(p)))
	return append(append(b, p...), 0, 0, 0, 0)
}

var blockHead = []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}

// emptyBlock ends data.
func emptyBlock() []byte { return append(bytes.Clone(blockHead), 0, 0) }

// ended reports what comes up to the end of the connection.
func (r *raw) ended() string {
	r.t.Helper()
	b, err := io.ReadAll(r.Conn)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		r.t.Fatal(err)
	}
	return string(b)
}

// until reads up to and with a text.
func (r *raw) until(text string) string {
	r.t.Helper()
	var b []byte
	for !bytes.HasSuffix(b, []byte(text)) {
		b = append(b, r.bytes(1)...)
	}
	return string(b)
}

// works asks something benign in the same connection.
func (r *raw) works() {
	r.t.Helper()
	r.write(append(r.chunk(r.query("", "SELECT 424242")), r.chunk(data("", emptyBlock()))...))
	if r.chunked {
		r.until("\x05\x00\x00\x00\x00")
	} else {
		r.until("\x05")
	}
}

// column appends a column to a block, with the flag of newer revisions.
func (r *raw) column(b []byte, name, typ string, values []byte) []byte {
	var c chproto.Buffer
	c.PutString(name)
	c.PutString(typ)
	if r.v >= 54454 {
		c.PutByte(0)
	}
	return append(append(b, c.Buf...), values...)
}

func head(columns, rows int) []byte {
	b := binary.AppendUvarint(bytes.Clone(blockHead), uint64(columns))
	return binary.AppendUvarint(b, uint64(rows))
}
