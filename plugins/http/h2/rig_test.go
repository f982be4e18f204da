package h2_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/decode/undo"
	"github.com/sallyport-dev/sallyport/plugins/http/h2/testdata/plain"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = 90 * time.Second

// companion runs the decoders in place of the companion module.
func companion(_ int, in, out []byte) (int, error) {
	coding, limit, body, err := decode.ReadCall(in)
	if err != nil {
		return 0, err
	}
	n, err := undo.Decode(coding, body, out, limit)
	if errors.Is(err, decode.ErrTooLarge) {
		err = errors.New(decode.TooLarge)
	}
	return n, err
}

// gateway is the real gate with the plugin between an agent and an upstream, over loopback.
type gateway struct {
	t        testing.TB
	options  map[string]any
	upstream func(net.Conn) // serves one connection, and closes it
	decide   func(title string, a *abi.Action) gate.Verdict
	secret   string

	mu     sync.Mutex
	agents []*net.TCPConn
	ends   []gate.End
	asked  []string
	notes  [][]string
	over   bool // nobody dials any more
	wg     sync.WaitGroup
}

// dial is an agent's connection; nil once the test waits for the end of them.
func (g *gateway) dial() *net.TCPConn {
	g.t.Helper()
	p := &plain.Plugin{}
	m, err := sdk.ConfigureNative(p, g.options)
	if err != nil {
		g.t.Fatal(err)
	}
	agent, theirs := pair(g.t)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		_, _ = agent.Close(), theirs.Close()
		return nil
	}
	g.agents = append(g.agents, theirs)
	g.wg.Go(func() {
		end := gate.Serve(context.Background(), gate.Config{Agent: agent, Guest: sdk.NewNative(p, companion), Manifest: m,
			Facts: abi.Facts{Endpoint: "api", Slots: []string{"token"}}, Session: g, Limits: gate.DefaultLimits})
		g.mu.Lock()
		g.ends = append(g.ends, end)
		g.mu.Unlock()
	})
	return theirs
}

// wait ends the connections, which a client may keep when it was asked to close what is idle, and returns how they ended.
func (g *gateway) wait() []gate.End {
	g.t.Helper()
	g.mu.Lock()
	g.over = true
	for _, c := range g.agents {
		_ = c.CloseWrite()
	}
	g.mu.Unlock()
	done := make(chan struct{})
	go func() { g.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		g.t.Fatal("a connection does not end")
	}
	return g.ends
}

// inOrder waits for the connections to end, which nobody cuts off.
func (g *gateway) inOrder() {
	g.t.Helper()
	for _, e := range g.wait() {
		if e.FailClosed {
			g.t.Error(e.Reason)
		}
	}
}

// Settle has nothing to wait for.
func (*gateway) Settle() error { return nil }

func (g *gateway) Decide(_ context.Context, q *gate.Question) gate.Verdict {
	title := q.Action.Title
	g.mu.Lock()
	g.asked = append(g.asked, title)
	g.mu.Unlock()
	if g.decide != nil && q.Action.Family.Name != abi.FamilyConnect {
		return g.decide(title, q.Action)
	}
	return gate.Verdict{}
}

func (g *gateway) Dial(context.Context) (gate.Conn, error) {
	inside, outside := pair(g.t)
	g.wg.Go(func() { g.upstream(outside) })
	return inside, nil
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
func (g *gateway) Secret(int) ([]byte, error)         { return []byte(g.secret), nil }

// pair is the two ends of a connection over loopback: the gate's, and the one outside.
func pair(t testing.TB) (tcp, *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	outside, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	_ = outside.SetDeadline(time.Now().Add(patience))
	return tcp{inside}, outside
}

type tcp struct{ *net.TCPConn }

func (c tcp) Abort() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// hold is a verdict that a test gives.
type hold struct{ verdict chan gate.Verdict }

func newHold() *hold { return &hold{make(chan gate.Verdict, 1)} }

func (h *hold) pending() gate.Verdict {
	return gate.Verdict{Pending: h, Hold: "h1", Reason: "ask a person"}
}

func (h *hold) Wait(ctx context.Context, _ func(context.Context) error) gate.Verdict {
	select {
	case v := <-h.verdict:
		return v
	case <-ctx.Done():
		return gate.Verdict{Outcome: abi.Deny, Reason: "it was taken back"}
	}
}
