// Package clickhouse drives the ClickHouse plugin with real parts: the distribution's server with its client, ch-go and clickhouse-go,
// and a server of the current protocol on ch-go's packets. The gate is the real one. What reached the server is what the
// server's query log says. Every attack has a benign twin that must work.
package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/plugin"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/test/chserver"
)

// patience is how long a test waits for something that must happen.
const patience = 120 * time.Second

var server *chserver.Instance

func TestMain(m *testing.M) { os.Exit(suite(m)) }

func suite(m *testing.M) int {
	if address := os.Getenv(insideVariable); address != "" {
		return inside(address)
	}
	dir, err := os.MkdirTemp("", "sallyport-clickhouse")
	if err == nil {
		defer os.RemoveAll(dir)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		server, err = chserver.Start(ctx, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "clickhouse:", err)
		return 1
	}
	defer server.Stop()
	return m.Run()
}

// gateway is the real gate with the plugin, before a server, over loopback.
type gateway struct {
	t       testing.TB
	l       net.Listener
	server  string
	options map[string]any
	facts   abi.Facts
	secret  []byte
	decide  func(a *abi.Action) gate.Verdict // of statements; nil: noForbidden
	words   bool                             // texts are read by words, in place of the grammar
	look    func(text string) gate.Verdict   // what becomes of a statement whose text has "looked at" in it
	answer  func(q *gate.Question) gate.Verdict

	mu      sync.Mutex
	ends    []gate.End
	actions []*abi.Action
	wg      sync.WaitGroup
}

// newGateway has a gateway before the server until the test is over. change may set what it is.
func newGateway(t testing.TB, change func(g *gateway)) *gateway {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, l: l, server: fmt.Sprintf("127.0.0.1:%d", server.Native), words: true, facts: abi.Facts{Endpoint: "ch", Peer: "agent", Profile: "dev"}}
	if change != nil {
		change(g)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g.wg.Go(func() {
		for {
			k, err := l.Accept()
			if err != nil {
				return
			}
			g.wg.Go(func() { g.serve(ctx, k.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		cancel()
		g.wg.Wait()
	})
	return g
}

func (g *gateway) port() string { return fmt.Sprint(g.l.Addr().(*net.TCPAddr).Port) }

func (g *gateway) serve(ctx context.Context, agent *net.TCPConn) {
	p := &plugin.Plugin{}
	if g.words {
		p.Classify = words
	}
	m, err := sdk.ConfigureNative(p, g.options)
	if err != nil {
		g.t.Error(err)
		return
	}
	end := gate.Serve(ctx, gate.Config{Agent: conn{agent}, Guest: sdk.NewNative(p, companion), Manifest: m, Facts: g.facts, Session: g, Limits: gate.DefaultLimits})
	g.mu.Lock()
	g.ends = append(g.ends, end)
	g.mu.Unlock()
}

// words reads a text by its first word. "forbidden" in it makes it an opaque one.
func words(text []byte, _ sql.Version) *sql.Facts {
	fields := strings.Fields(strings.ToLower(string(text)))
	f := &sql.Facts{Class: abi.ClassRead, Statements: 1, Bounded: true, Title: string(text)[:min(len(text), 60)]}
	if len(fields) > 0 {
		f.Verbs = []string{fields[0]}
	}
	switch {
	case len(fields) == 0:
		f.Class, f.Unknown = abi.ClassOpaque, true
	case fields[0] == "insert":
		f.Class, f.Kind, f.Data = abi.ClassWrite, sql.KindInsert, sql.DataStream
	case fields[0] != "select" && fields[0] != "show" && fields[0] != "describe":
		f.Class = abi.ClassAdmin
	}
	return f
}

func noForbidden(a *abi.Action) gate.Verdict {
	if strings.Contains(textOf(a), "forbidden") {
		return gate.Verdict{Outcome: abi.Deny, Reason: "that is forbidden", Rule: "no forbidden", Receipt: "r-1"}
	}
	return gate.Verdict{}
}

// value is a field of an action.
func value(a *abi.Action, name string) abi.Value {
	for i, f := range a.Family.Fields {
		if f.Name == name {
			return a.Values[i]
		}
	}
	return abi.Value{}
}

func textOf(a *abi.Action) string { return value(a, "text").Str }

// Settle has nothing to wait for.
func (*gateway) Settle() error { return nil }

func (g *gateway) Decide(_ context.Context, q *gate.Question) gate.Verdict {
	g.mu.Lock()
	a := *q.Action // the gate uses it again
	a.Values = slices.Clone(a.Values)
	for i := range a.Values {
		a.Values[i].Str, a.Values[i].List = strings.Clone(a.Values[i].Str), slices.Clone(a.Values[i].List)
	}
	g.actions = append(g.actions, &a)
	g.mu.Unlock()
	switch {
	case q.Action.Family.Name == abi.FamilyConnect:
		return gate.Verdict{}
	case q.Response != nil:
		return g.answer(q)
	case g.look != nil && strings.Contains(textOf(q.Action), "looked at"):
		return g.look(textOf(q.Action))
	case g.decide != nil:
		return g.decide(q.Action)
	}
	return noForbidden(q.Action)
}

// asked are the actions of family sql so far.
func (g *gateway) asked() (all []*abi.Action) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.actions {
		if a.Family.Name == "sql" {
			all = append(all, a)
		}
	}
	return all
}

func (g *gateway) Dial(ctx context.Context) (gate.Conn, error) {
	k, err := (&net.Dialer{}).DialContext(ctx, "tcp", g.server)
	if err != nil {
		return nil, err
	}
	return conn{k.(*net.TCPConn)}, nil
}

func (g *gateway) Note(uint32, []string) {}

var errNot = errors.New("there is no such thing here")

func (*gateway) Secure(context.Context, abi.Side, gate.Conn) (gate.Conn, gate.Secured, error) {
	return nil, gate.Secured{}, errNot
}
func (*gateway) Auth(int, []byte) ([]byte, error)     { return nil, errNot }
func (*gateway) Alias([]byte, func()) ([]byte, error) { return nil, errNot }
func (*gateway) Unalias([]byte) ([]byte, bool)        { return nil, false }

func (g *gateway) Secret(int) ([]byte, error) {
	if g.secret == nil {
		return nil, errNot
	}
	return bytes.Clone(g.secret), nil
}

// conn is a TCP connection as the gate wants it.
type conn struct{ *net.TCPConn }

func (c conn) Abort() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// client runs clickhouse-client through the gateway.
func (g *gateway) client(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, chserver.Client, append([]string{"--host", "127.0.0.1", "--port", g.port()}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return strings.TrimRight(string(out), "\n"), err
}

// direct asks the server itself.
func direct(t testing.TB, text string) string {
	t.Helper()
	out, err := server.Query(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// saw reports whether the server was given a query with this in its text.
func saw(t testing.TB, part string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ok, err := server.Saw(ctx, part)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}
