package gateway

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// BenchmarkStatement is what one statement costs the gateway: gate, guest, parser, decision and receipt, without the tunnel, the
// network and the server, which is a few lines that answer from memory. "direct" is those alone.
func BenchmarkStatement(b *testing.B) {
	rules := allowConnect + ruleTable("read", `action.class in ["session", "read"]`, "allow", "") +
		ruleTable("bounded", `action.class in ["write", "delete"] && sql.bounded`, "allow", "") +
		ruleTable("tables stay", `sql.verbs.exists(v, v.startsWith("drop"))`, "deny", "")
	w := newWorld(b, "[plugins]\npostgres = \"builtin\"\n\n"+endpointTable("inspected", "db.internal:5432", "postgres", "dev")+
		endpointTable("relayed", "db.internal:5432", "none", "dev")+rules)
	a, err := w.assemble()
	if err != nil {
		b.Fatal(err)
	}
	log, err := receipt.Open(ReceiptsPath(a.cfg), receipt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	h := newHandler(newServing(a, nil), a.log, log)

	const text = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;"
	simple := message('Q', text+"\x00")
	prepare := append(message('P', "s1\x00"+text+"\x00\x00\x00"), message('S', "")...)
	prepared := append(message('B', "\x00s1\x00\x00\x00\x00\x00\x00\x00"), message('E', "\x00\x00\x00\x00\x00")...)
	prepared = append(prepared, message('S', "")...)
	for _, way := range []string{"direct", "relayed", "inspected"} {
		for _, kind := range []struct {
			name    string
			request []byte
		}{{"simple", simple}, {"prepared", prepared}} {
			b.Run(way+"/"+kind.name, func(b *testing.B) {
				c := benchConnection(b, h, way)
				c.ask(b, startupMessage())
				c.ask(b, prepare)
				b.ReportAllocs()
				b.ResetTimer()
				for b.Loop() {
					c.ask(b, kind.request)
				}
			})
		}
	}
}

// benchConn is a driver's side.
type benchConn struct {
	net.Conn
	r *bufio.Reader
}

// ask sends a request and reads to the end of its answer, ReadyForQuery.
func (c *benchConn) ask(b *testing.B, request []byte) {
	if _, err := c.Write(request); err != nil {
		b.Fatal(err)
	}
	for {
		header, err := c.r.Peek(5)
		if err != nil {
			b.Fatal(err)
		}
		typ, size := header[0], binary.BigEndian.Uint32(header[1:])
		if typ == 'E' {
			text, _ := io.ReadAll(io.LimitReader(c.r, int64(size)))
			b.Fatalf("the server says %q", text)
		}
		if _, err := c.r.Discard(1 + int(size)); err != nil {
			b.Fatal(err)
		}
		if typ == 'Z' {
			return
		}
	}
}

// benchConnection connects to the fake server: directly or through the gateway's endpoint of this name.
func benchConnection(b *testing.B, h *handler, way string) *benchConn {
	agent, near := net.Pipe()
	var group sync.WaitGroup
	b.Cleanup(func() {
		agent.Close()
		group.Wait()
	})
	if way == "direct" {
		group.Go(func() { fakeServer(near) })
		return &benchConn{agent, bufio.NewReaderSize(agent, 32<<10)}
	}
	a := h.current.Load().a
	e := a.endpoints[way]
	g, err := e.guest(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	s := &benchSession{session: &session{handler: h, a: a, endpoint: e, peer: "alice", profile: "dev", conn: "1"}, group: &group}
	group.Go(func() {
		end := gate.Serve(context.Background(), gate.Config{Agent: pipe{near}, Guest: g, Manifest: e.manifest, Session: s, Limits: a.limits(),
			Facts: abi.Facts{Endpoint: way, Peer: "alice", Profile: "dev"}})
		if end.FailClosed {
			b.Errorf("%s: %s", way, end.Reason)
		}
	})
	return &benchConn{agent, bufio.NewReaderSize(agent, 32<<10)}
}

type benchSession struct {
	*session
	group *sync.WaitGroup
}

// Dial connects to the fake server.
func (s *benchSession) Dial(context.Context) (gate.Conn, error) {
	near, far := net.Pipe()
	s.group.Go(func() { fakeServer(far) })
	return pipe{near}, nil
}

// pipe is a connection in memory. It cannot be half closed.
type pipe struct{ net.Conn }

// Alias gives what it is given: the fake server's keys go nowhere.
func (s *benchSession) Alias(original []byte, _ func()) ([]byte, error) { return original, nil }
func (s *benchSession) Secret(int) ([]byte, error)                      { return nil, errors.New("no secret here") }

func (p pipe) CloseWrite() error { return p.Conn.Close() }
func (p pipe) Abort()            { p.Conn.Close() }

func message(typ byte, body string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{typ}, uint32(4+len(body)))
	return append(b, body...)
}

func startupMessage() []byte {
	body := "\x00\x03\x00\x00user\x00app\x00database\x00shop\x00\x00"
	return append(binary.BigEndian.AppendUint32(nil, uint32(4+len(body))), body...)
}

// fakeServer answers every statement with one row.
func fakeServer(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Time{})
	r := bufio.NewReaderSize(c, 32<<10)
	ready := message('Z', "I")
	row := append(message('D', "\x00\x01\x00\x00\x00\x014"), message('C', "SELECT 1\x00")...)
	described := message('T', "\x00\x01abalance\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x17\x00\x04\xff\xff\xff\xff\x00\x00")
	var out []byte
	size, err := r.Peek(4)
	if err != nil {
		return
	}
	_, _ = r.Discard(int(binary.BigEndian.Uint32(size)))
	out = append(out, message('R', "\x00\x00\x00\x00")...)
	for _, p := range []string{"server_version\x0015.0", "client_encoding\x00UTF8", "standard_conforming_strings\x00on"} {
		out = append(out, message('S', p+"\x00")...)
	}
	out = append(append(out, message('K', "\x00\x00\x00\x01\x00\x00\x00\x02")...), ready...)
	for {
		if _, err := c.Write(out); err != nil {
			return
		}
		out = out[:0]
		for asked := true; asked; {
			header, err := r.Peek(5)
			if err != nil {
				return
			}
			typ := header[0]
			if _, err := r.Discard(1 + int(binary.BigEndian.Uint32(header[1:]))); err != nil {
				return
			}
			switch typ {
			case 'Q':
				out = append(append(append(out, described...), row...), ready...)
				asked = false
			case 'P':
				out = append(out, '1', 0, 0, 0, 4)
			case 'B':
				out = append(out, '2', 0, 0, 0, 4)
			case 'E':
				out = append(out, row...)
			case 'S':
				out = append(out, ready...)
				asked = false
			default:
				return
			}
		}
	}
}
