package hostile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

const patience = 90 * time.Second

// sandboxed is a guest as the gate knows it.
type sandboxed struct{ *guest.Guest }

func (g sandboxed) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	return g.Guest.Data(uint32(side), p, flags)
}

// side is one end of a connection over loopback.
type side struct{ *net.TCPConn }

func (s side) Abort() {
	_ = s.SetLinger(0)
	_ = s.Close()
}

func pair(t testing.TB) (gateSide side, peer *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	peer = dialed.(*net.TCPConn)
	_ = peer.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = peer.Close(); _ = accepted.Close() })
	return side{accepted.(*net.TCPConn)}, peer
}

// session allows what is not to be denied, and gives nothing else away.
type session struct{ upstream side }

// Settle has nothing to wait for.
func (*session) Settle() error { return nil }

func (s *session) Decide(_ context.Context, q *gate.Question) gate.Verdict {
	if q.Action.Title == DeniedTitle {
		return gate.Verdict{Outcome: abi.Deny, Reason: "no", Receipt: "r"}
	}
	return gate.Verdict{Outcome: abi.Allow, Receipt: "r"}
}
func (s *session) Dial(context.Context) (gate.Conn, error) { return s.upstream, nil }
func (s *session) Note(uint32, []string)                   {}
func (s *session) Secure(context.Context, abi.Side, gate.Conn) (gate.Conn, gate.Secured, error) {
	return nil, gate.Secured{}, errors.New("no TLS here")
}
func (s *session) Auth(int, []byte) ([]byte, error)          { return nil, errors.New("no secret here") }
func (s *session) Alias([]byte, func()) ([]byte, error)      { return nil, errors.New("no alias here") }
func (s *session) Secret(int) ([]byte, error)                { return nil, errors.New("no secret here") }
func (s *session) Unalias([]byte) (original []byte, ok bool) { return nil, false }

// serve runs one connection whose agent sends a text and ends, and returns what the upstream got.
func serve(t testing.TB, tm *guest.Template, text string) (got []byte, end gate.End) {
	t.Helper()
	g, err := tm.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	agentSide, agent := pair(t)
	upstreamSide, upstream := pair(t)
	ended := make(chan gate.End, 1)
	go func() {
		ended <- gate.Serve(context.Background(), gate.Config{
			Agent: agentSide, Guest: sandboxed{g}, Manifest: Manifest(), Facts: abi.Facts{Endpoint: "e", Peer: "p", Profile: "d"},
			Session: &session{upstreamSide}, Limits: gate.Limits{Window: 128 << 10, Linger: patience},
		})
	}()
	if _, err := agent.Write([]byte(text)); err != nil {
		t.Log(err) // cut off already
	}
	_ = agent.CloseWrite()
	read := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(upstream)
		_ = upstream.CloseWrite()
		read <- b
	}()
	select {
	case end = <-ended:
	case <-time.After(patience):
		t.Fatal("the connection does not end")
	}
	_ = upstreamSide.Close() // where the plugin never dialed, nobody else does
	return <-read, end
}

// TestGate runs every attack that the sandbox hands on, through the gate. Nothing may reach the upstream, and the connection must end
// as failed with a reason. An honest connection goes on beside them.
func TestGate(t *testing.T) {
	e := newEngine(t, Limits())
	good := templateOf(t, e, "good", Honest())
	n := newNeighbour(t, templateOf(t, e, "neighbour", Benign()))
	defer n.end()
	for _, m := range At(AtGate) {
		t.Run(m.Name, func(t *testing.T) {
			got, end := serve(t, templateOf(t, e, "test", m.Wasm), "text")
			if len(got) > 0 {
				t.Errorf("the upstream got %q", got)
			}
			if end.FailClosed == m.Ends || end.Reason == "" {
				t.Errorf("it ended with %+v", end)
			}
			t.Log(end.Reason)
			got, end = serve(t, good, "honest")
			if !bytes.Equal(got, []byte("hone")) {
				t.Errorf("the honest connection passed %q and ended with %+v", got, end)
			}
		})
	}
}
