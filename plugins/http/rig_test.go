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

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = 120 * time.Second

// gateway is the real gate with the plugin, before a server, over loopback.
type gateway struct {
	t       testing.TB
	l       net.Listener
	server  string // address of the upstream
	options map[string]any
	decide  func(a *abi.Action) gate.Verdict // of requests; nil: all are allowed
	facts   func(*abi.Facts)                 // of the credential; nil: there is none
	slots   slots                            // the credential's secrets

	mu    sync.Mutex
	ends  []gate.End
	notes [][]string
	wg    sync.WaitGroup
}

// newGateway has a gateway before a server until the test is over.
func newGateway(t testing.TB, h http.Handler, options map[string]any, decide func(a *abi.Action) gate.Verdict) *gateway {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return gatewayTo(t, s.Listener.Addr().String(), options, decide)
}

func gatewayTo(t testing.TB, server string, options map[string]any, decide func(a *abi.Action) gate.Verdict) *gateway {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, l: l, server: server, options: options, decide: decide}
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

// url is where the gateway is.
func (g *gateway) url(path string) string { return "http://" + g.l.Addr().String() + path }

func (g *gateway) serve(ctx context.Context, agent *net.TCPConn) {
	p := &session.Plugin{}
	m, err := sdk.ConfigureNative(p, g.options)
	if err != nil {
		g.t.Error(err)
		return
	}
	facts := abi.Facts{Endpoint: "127.0.0.1", Peer: "agent", Profile: "dev"}
	g.mu.Lock()
	if g.facts != nil {
		g.facts(&facts)
	}
	g.mu.Unlock()
	end := gate.Serve(ctx, gate.Config{Agent: conn{agent}, Guest: sdk.NewNative(p, companion), Manifest: m,
		Facts: facts, Session: g, Limits: gate.DefaultLimits})
	g.mu.Lock()
	g.ends = append(g.ends, end)
	g.mu.Unlock()
}

// Settle has nothing to wait for.
func (*gateway) Settle() error { return nil }

func (g *gateway) Decide(_ context.Context, q *gate.Question) gate.Verdict {
	if q.Action.Family.Name == abi.FamilyConnect {
		return gate.Verdict{}
	}
	if g.decide != nil {
		return g.decide(q.Action)
	}
	return gate.Verdict{}
}

func (g *gateway) Dial(ctx context.Context) (gate.Conn, error) {
	k, err := (&net.Dialer{}).DialContext(ctx, "tcp", g.server)
	if err != nil {
		return nil, err
	}
	return conn{k.(*net.TCPConn)}, nil
}

func (g *gateway) Note(_ uint32, pairs []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notes = append(g.notes, append([]string(nil), pairs...))
}

var errNot = errors.New("there is no such thing here")

func (*gateway) Secure(context.Context, abi.Side, gate.Conn) (gate.Conn, gate.Secured, error) {
	return nil, gate.Secured{}, errNot
}
func (*gateway) Auth(int, []byte) ([]byte, error)     { return nil, errNot }
func (*gateway) Alias([]byte, func()) ([]byte, error) { return nil, errNot }
func (*gateway) Unalias([]byte) ([]byte, bool)        { return nil, false }

// slots is what a credential's slots give.
type slots struct {
	secret func(slot int) ([]byte, error)
	sign   func(slot int, as abi.SignAs, number uint32, request []byte) ([]byte, error)
}

// has gives the gateway a credential.
func (g *gateway) has(facts func(*abi.Facts), s slots) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.facts, g.slots = facts, s
}

func (g *gateway) credential() slots {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.slots
}

func (g *gateway) Secret(slot int) ([]byte, error) {
	if s := g.credential(); s.secret != nil {
		return s.secret(slot)
	}
	return nil, errNot
}

func (g *gateway) Sign(slot int, as abi.SignAs, number uint32, request []byte) ([]byte, error) {
	if s := g.credential(); s.sign != nil {
		return s.sign(slot, as, number, request)
	}
	return nil, errNot
}

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
