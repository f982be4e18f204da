package gate

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// BenchmarkGate is what the gate itself costs for a small request that is asked about and passed: no network, and a guest that
// has its words ready. The guests differ in whether they want to hear that something was allowed.
func BenchmarkGate(b *testing.B) {
	for _, c := range []struct {
		name  string
		flags uint8
	}{{"verdict", 0}, {"quiet", abi.AskQuiet}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			s := allowing{&session{dial: func(context.Context) (Conn, error) { return &endlessConn{closed: make(chan bool)}, nil }}}
			var w abi.ActionWriter
			w.Begin(nil, 1, abi.ClassRead, "select from public.accounts")
			w.String(0, "get")
			g := &ready{list: list(abi.AppendAsk(nil, 1, uint64(len(smallRequest)), c.flags, w.End())).pass(1, uint64(len(smallRequest)))}
			e := Serve(b.Context(), Config{Agent: &endlessConn{left: b.N}, Guest: g, Manifest: testManifest(), Session: s, Limits: DefaultLimits})
			if e.FailClosed || e.Written[abi.Upstream] != uint64(b.N*len(smallRequest)) {
				b.Errorf("%+v", e)
			}
		})
	}
}

const smallRequest = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;"

// ready is a guest that says the same about each request, with the next id.
type ready struct {
	list list
	id   uint32
}

func (g *ready) InputCapacity() int { return abi.MinBuffer }
func (g *ready) Open([]byte) ([]byte, bool, error) {
	g.id = 1
	return dialing(), false, nil
}

func (g *ready) Data(_ abi.Side, p []byte, _ uint32) ([]byte, bool, error) {
	if len(p) == 0 {
		return list(nil).close("that is all"), false, nil
	}
	g.id++
	binary.LittleEndian.PutUint32(g.list[5:], g.id)
	binary.LittleEndian.PutUint32(g.list[len(g.list)-12:], g.id)
	return g.list, false, nil
}

func (g *ready) Event([]byte) ([]byte, bool, error) { return nil, false, nil }
func (g *ready) Close()                             {}

// endlessConn has a number of requests to read, and then ends; with closed it has none and waits.
type endlessConn struct {
	net.Conn
	left   int
	closed chan bool
}

func (c *endlessConn) Read(p []byte) (int, error) {
	if c.closed != nil {
		<-c.closed
		return 0, io.EOF
	}
	if c.left--; c.left < 0 {
		return 0, io.EOF
	}
	return copy(p, smallRequest), nil
}

func (c *endlessConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *endlessConn) SetReadDeadline(time.Time) error  { return nil }
func (c *endlessConn) SetWriteDeadline(time.Time) error { return nil }
func (c *endlessConn) Abort()                           { _ = c.Close() }

func (c *endlessConn) CloseWrite() error { return nil }

func (c *endlessConn) Close() error {
	if c.closed != nil {
		close(c.closed)
	}
	return nil
}
