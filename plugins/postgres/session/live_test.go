package session

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"go.uber.org/goleak"
)

// patience bounds waits for something that must come; no test asserts that it comes sooner.
const patience = 120 * time.Second

func TestMain(m *testing.M) {
	code := m.Run()
	server.stop()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// direct is a connection past the gate.
func direct(tb testing.TB) *pgx.Conn {
	tb.Helper()
	server.address(tb)
	conn, err := pgx.Connect(tb.Context(), server.url())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

var tables atomic.Int64

// table makes a table with n rows that no other test uses, and returns its name.
func table(tb testing.TB, n int) string {
	tb.Helper()
	name := "t" + strconv.Itoa(int(tables.Add(1)))
	conn := direct(tb)
	if _, err := conn.Exec(tb.Context(), fmt.Sprintf("CREATE TABLE %s AS SELECT i AS id, 'row ' || i AS name FROM generate_series(1, %d) i", name, n)); err != nil {
		tb.Fatal(err)
	}
	return name
}

func count(tb testing.TB, table string) (n int) {
	tb.Helper()
	if err := direct(tb).QueryRow(tb.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

// live is the test's gateway: a listener whose connections go through a gate to the real server.
type live struct {
	tb        testing.TB
	listener  net.Listener
	policy    func(*action) verdict
	options   map[string]any
	target    string
	companion *pgquerytest.Companion
	wg        sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// delivery is what a side sent, as it was read.
type delivery struct {
	side abi.Side
	data []byte
	end  bool
}

// maxRecord bounds the connections that are replayed, in bytes.
const maxRecord = 64 << 10

// replay gives a recorded connection to new sessions in pieces of other sizes, and wants the same of them (law 8).
func (v *live) replay(record []delivery, want *gate) {
	for _, cut := range []int{1, 7} {
		g := newGate(v.tb, v.companion, &Plugin{}, v.options, v.policy)
		g.cut = cut
		for _, d := range record {
			g.feed(d.side, d.data)
			if d.end {
				g.end(d.side)
			}
		}
		if g.broken != nil {
			v.tb.Errorf("in pieces of %d bytes a law was broken: %v", cut, g.broken)
		}
		for side := range g.sides {
			if got, want := string(g.sides[side].all), string(want.sides[side].all); got != want {
				v.tb.Errorf("in pieces of %d bytes, to the %v:\n%s", cut, abi.Side(side), differ(got, want))
			}
		}
		if got, want := strings.Join(g.log, "\n"), strings.Join(want.log, "\n"); got != want {
			v.tb.Errorf("in pieces of %d bytes:\n%s", cut, differ(got, want))
		}
	}
}

func startLive(tb testing.TB, policy func(*action) verdict) *live {
	tb.Helper()
	return startLiveWith(tb, policy, nil)
}

// startLiveWith is startLive with options of the endpoint.
func startLiveWith(tb testing.TB, policy func(*action) verdict, options map[string]any) *live {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	v := &live{tb: tb, listener: l, policy: policy, options: options, target: server.address(tb), companion: pgquerytest.New(tb), conns: map[net.Conn]bool{}}
	v.wg.Add(1)
	go v.serve()
	tb.Cleanup(func() {
		l.Close()
		v.mu.Lock()
		for c := range v.conns {
			c.Close()
		}
		v.mu.Unlock()
		v.wg.Wait()
	})
	return v
}

func (v *live) url(user string) string {
	return fmt.Sprintf("postgres://%s@%s/postgres?sslmode=disable", user, v.listener.Addr())
}

func (v *live) serve() {
	defer v.wg.Done()
	for {
		conn, err := v.listener.Accept()
		if err != nil {
			return
		}
		v.wg.Add(1)
		go func() {
			defer v.wg.Done()
			v.handle(conn)
		}()
	}
}

func (v *live) track(c net.Conn, on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if on {
		v.conns[c] = true
	} else {
		delete(v.conns, c)
	}
}

// handle serves one connection: a reader for each side, the gate under a lock, writes behind it.
func (v *live) handle(agent net.Conn) {
	v.track(agent, true)
	defer v.track(agent, false)
	defer agent.Close()
	upstream, err := net.Dial("tcp", v.target)
	if err != nil {
		v.tb.Error(err)
		return
	}
	v.track(upstream, true)
	defer v.track(upstream, false)
	defer upstream.Close()
	var mu sync.Mutex
	g := newGate(v.tb, v.companion, &Plugin{}, v.options, v.policy)
	var record []delivery
	size := 0
	conns := [2]net.Conn{agent, upstream}
	var readers sync.WaitGroup
	for side := abi.Agent; side <= abi.Upstream; side++ {
		readers.Go(func() {
			buf := make([]byte, 32<<10)
			for {
				n, err := conns[side].Read(buf)
				mu.Lock()
				if size += n; size <= maxRecord && !g.closed {
					record = append(record, delivery{side, bytes.Clone(buf[:n]), err != nil})
				}
				if n > 0 {
					g.feed(side, buf[:n])
				}
				if err != nil {
					g.end(side)
				}
				ended := v.flush(g, conns)
				mu.Unlock()
				if ended {
					agent.Close()
					upstream.Close()
				}
				if err != nil || ended {
					return
				}
			}
		})
	}
	readers.Wait()
	if g.broken != nil {
		v.tb.Errorf("a law was broken: %v", g.broken)
	}
	if size <= maxRecord {
		v.replay(record, g)
	}
}

// flush writes what the gate has for either side, and reports whether the connection has ended.
func (v *live) flush(g *gate, conns [2]net.Conn) bool {
	for side := range conns {
		if p := g.taken(abi.Side(side)); len(p) > 0 {
			conns[side].Write(p)
		}
		if s := &g.sides[side]; s.shut {
			conns[side].(*net.TCPConn).CloseWrite()
		}
	}
	return g.closed || g.broken != nil
}

// connect opens a pgx connection through the gateway.
func (v *live) connect(tb testing.TB, change func(*pgx.ConnConfig)) *pgx.Conn {
	tb.Helper()
	config, err := pgx.ParseConfig(v.url("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	if change != nil {
		change(config)
	}
	conn, err := pgx.ConnectConfig(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// psql runs psql through the gateway and returns what it prints.
func (v *live) psql(tb testing.TB, input io.Reader, args ...string) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "psql", append([]string{"-X", "-A", "-t", "-d", v.url("postgres")}, args...)...)
	cmd.Stdin = input
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PGCLIENTENCODING=UTF8")
	out, _ := cmd.CombinedOutput()
	return string(out)
}
