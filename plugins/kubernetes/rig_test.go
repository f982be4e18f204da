package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/dialect"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// patience is how long a test waits for something that must happen.
const patience = 120 * time.Second

// gateway is the real gate with the plugin, before a server, over loopback.
type gateway struct {
	t      testing.TB
	l      net.Listener
	server string
	decide func(a *abi.Action) gate.Verdict // of requests

	mu     sync.Mutex
	titles []string
	wg     sync.WaitGroup
}

// newGateway has a gateway before a server of HTTP/1.1 and HTTP/2 without TLS until the test is over.
func newGateway(t testing.TB, h http.Handler, decide func(a *abi.Action) gate.Verdict) *gateway {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, l: l, server: s.Listener.Addr().String(), decide: decide}
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

func (g *gateway) url(path string) string { return "http://" + g.l.Addr().String() + path }

func (g *gateway) serve(ctx context.Context, agent *net.TCPConn) {
	p := dialect.New()
	m, err := sdk.ConfigureNative(p, map[string]any{"h2c": true})
	if err != nil {
		g.t.Error(err)
		return
	}
	gate.Serve(ctx, gate.Config{Agent: conn{agent}, Guest: sdk.NewNative(p, companion), Manifest: m,
		Facts: abi.Facts{Endpoint: "127.0.0.1", Peer: "agent", Profile: "dev"}, Session: g, Limits: gate.DefaultLimits})
}

// Settle has nothing to wait for.
func (*gateway) Settle() error { return nil }

func (g *gateway) Decide(_ context.Context, q *gate.Question) gate.Verdict {
	if q.Action.Family.Name == abi.FamilyConnect {
		return gate.Verdict{}
	}
	g.mu.Lock()
	g.titles = append(g.titles, q.Action.Title)
	g.mu.Unlock()
	return g.decide(q.Action)
}

// asked is what was asked about.
func (g *gateway) asked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.titles...)
}

func (g *gateway) Dial(ctx context.Context) (gate.Conn, error) {
	k, err := (&net.Dialer{}).DialContext(ctx, "tcp", g.server)
	if err != nil {
		return nil, err
	}
	return conn{k.(*net.TCPConn)}, nil
}

var errNot = errors.New("there is no such thing here")

func (*gateway) Note(uint32, []string) {}
func (*gateway) Secure(context.Context, abi.Side, gate.Conn) (gate.Conn, gate.Secured, error) {
	return nil, gate.Secured{}, errNot
}
func (*gateway) Auth(int, []byte) ([]byte, error)                     { return nil, errNot }
func (*gateway) Alias([]byte, func()) ([]byte, error)                 { return nil, errNot }
func (*gateway) Unalias([]byte) ([]byte, bool)                        { return nil, false }
func (*gateway) Secret(int) ([]byte, error)                           { return nil, errNot }
func (*gateway) Sign(int, abi.SignAs, uint32, []byte) ([]byte, error) { return nil, errNot }

// conn is a TCP connection as the gate wants it.
type conn struct{ *net.TCPConn }

func (c conn) Abort() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// person is a verdict that a test gives.
type person struct{ verdict chan gate.Verdict }

func (p person) Wait(ctx context.Context, _ func(context.Context) error) gate.Verdict {
	select {
	case v := <-p.verdict:
		return v
	case <-ctx.Done():
		return gate.Verdict{Outcome: abi.Deny, Reason: "it was taken back"}
	}
}

// clients are those of both versions of HTTP.
func clients(t *testing.T) map[string]*http.Client {
	one, two := &http.Transport{}, &http.Transport{Protocols: new(http.Protocols)}
	two.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(one.CloseIdleConnections)
	t.Cleanup(two.CloseIdleConnections)
	return map[string]*http.Client{"1.1": {Transport: one, Timeout: patience}, "2": {Transport: two, Timeout: patience}}
}
