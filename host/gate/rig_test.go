package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = 90 * time.Second

// tcpConn makes a Conn of a TCP connection, as the tunnel and the dialer do.
type tcpConn struct {
	*net.TCPConn
	wrote atomic.Int64
}

func (c *tcpConn) Abort() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

func (c *tcpConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.wrote.Add(int64(n))
	return n, err
}

// tcpPair makes the two ends of a connection over loopback: the gate's and the peer's.
func tcpPair(t testing.TB) (*tcpConn, *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var peer net.Conn
	dialed := make(chan error, 1)
	go func() {
		var err error
		peer, err = net.Dial("tcp", l.Addr().String())
		dialed <- err
	}()
	gate, err := l.AcceptTCP()
	if err = errors.Join(err, <-dialed); err != nil {
		t.Fatal(err)
	}
	p := peer.(*net.TCPConn)
	_ = p.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = p.Close(); _ = gate.Close() })
	return &tcpConn{TCPConn: gate}, p
}

// list builds a command list.
type list []byte

const title = "something"

func (l list) action(id uint32, extent uint64, flags uint8, family uint16, title string) list {
	var w abi.ActionWriter
	w.Begin(nil, family, abi.ClassRead, title)
	return abi.AppendAsk(l, id, extent, flags, w.End())
}

func (l list) ask(id uint32, extent uint64) list  { return l.action(id, extent, 0, 1, title) }
func (l list) deny(id uint32, extent uint64) list { return l.action(id, extent, 0, 1, "deny") }
func (l list) stream(id uint32) list              { return l.action(id, 0, abi.AskStreaming, 1, title) }
func (l list) connect(id uint32) list             { return l.action(id, 0, 0, 0, title) }
func (l list) pass(id uint32, n uint64) list      { return abi.AppendPass(l, abi.Agent, id, n) }
func (l list) passBack(n uint64) list             { return abi.AppendPass(l, abi.Upstream, 0, n) }
func (l list) drop(n uint64) list                 { return abi.AppendDrop(l, abi.Agent, n) }
func (l list) send(s string) list                 { return abi.AppendSend(l, abi.Agent, 0, []byte(s)) }
func (l list) sendTo(s abi.Side, p string) list {
	if s == abi.Upstream {
		return l.sendUp(2, p)
	}
	return l.send(p)
}
func (l list) stock(k uint16) list              { return abi.AppendStock(l, k) }
func (l list) dial(id uint32) list              { return abi.AppendDial(l, id) }
func (l list) shut(s abi.Side) list             { return abi.AppendShut(l, s) }
func (l list) close(reason string) list         { return abi.AppendClose(l, false, reason) }
func (l list) done(id uint32) list              { return abi.AppendDone(l, id) }
func (l list) note(id uint32, p ...string) list { return abi.AppendNote(l, id, p...) }
func (l list) pause(s abi.Side, on bool) list   { return abi.AppendPause(l, s, on) }

func (l list) sendUp(id uint32, s string) list   { return abi.AppendSend(l, abi.Upstream, id, []byte(s)) }
func (l list) tls(s abi.Side) list               { return abi.AppendTLS(l, s) }
func (l list) auth(id uint32, words string) list { return abi.AppendAuth(l, id, 0, []byte(words)) }
func (l list) relogin(id uint32) list            { return abi.AppendRelogin(l, id, 0, []byte("no\n")) }
func (l list) secret(id uint32) list             { return abi.AppendSecret(l, id, 0) }
func (l list) alias(n uint32) list               { return abi.AppendAlias(l, n) }
func (l list) unalias(id, n uint32) list         { return abi.AppendUnalias(l, id, n) }

// scan walks frames of a type, a length of one byte and that many bytes; those of type d pass.
func (l list) scan(s abi.Side, id uint32) list {
	f := abi.Framing{Head: 2, LengthAt: 1, LengthWidth: 1, Adjust: 2, Max: 1000}
	return abi.AppendScan(l, s, id, &f, abi.Types('d'))
}

// connectStream asks for a streaming connect action.
func (l list) connectStream(id uint32) list { return l.action(id, 0, abi.AskStreaming, 0, title) }

// dialing is what most guests begin with: action 1 opens the connection.
func dialing() list { return list(nil).connect(1).dial(1) }

// testManifest has a family of actions, and one constant.
func testManifest() *abi.Manifest {
	return &abi.Manifest{Name: "test", Families: []abi.Family{
		{Name: abi.FamilyConnect},
		{Name: "toy", Fields: []abi.Field{{Name: "verb", Type: abi.TypeString, Values: []string{"get", "del"}}}},
	}, Stock: []abi.Constant{{Name: "ping", Bytes: []byte("PING")}}}
}

// script is a guest that says what its functions return; those that are nil say nothing. Further lists of a step are handed
// out when the gate comes for more.
type script struct {
	open  []list
	data  func(side abi.Side, p []byte, end bool) []list
	event func(e abi.Event) []list
	fail  func(call string) error // an error of the call, as after a trap

	more   []list
	failed bool
	closed atomic.Int32
	t      testing.TB
}

func (g *script) InputCapacity() int { return abi.MinBuffer }

func (g *script) Open(facts []byte) ([]byte, bool, error) {
	if f, err := abi.ReadFacts(facts); err != nil || f.Endpoint != "endpoint" {
		g.t.Errorf("facts %+v %v", f, err)
	}
	return g.say("open", g.open)
}

func (g *script) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	var l []list
	if g.data != nil {
		l = g.data(side, p, flags&abi.DataEnd != 0)
	}
	return g.say("data", l)
}

func (g *script) Event(b []byte) ([]byte, bool, error) {
	if b == nil {
		return g.say("more", g.more)
	}
	e, err := abi.ReadEvent(b)
	if err != nil {
		g.t.Errorf("event % x: %v", b, err)
	}
	var l []list
	if g.event != nil {
		l = g.event(e)
	}
	return g.say("event", l)
}

func (g *script) say(call string, lists []list) ([]byte, bool, error) {
	if g.failed || g.closed.Load() != 0 {
		g.t.Errorf("%s is called after an error or Close", call)
	}
	if g.fail != nil {
		if err := g.fail(call); err != nil {
			g.failed = true
			return nil, false, err
		}
	}
	if len(lists) == 0 {
		g.more = nil
		return nil, false, nil
	}
	g.more = lists[1:]
	return lists[0], len(g.more) > 0, nil
}

func (g *script) Close() { g.closed.Add(1) }

// shutEnds passes everything of the upstream on and hands each end on: what is left of a guest whose agent's bytes are
// somebody else's business.
func shutEnds(side abi.Side, p []byte, end bool) []list {
	var l list
	if side == abi.Upstream && len(p) > 0 {
		l = l.passBack(uint64(len(p)))
	}
	if end {
		l = l.shut(side.Other())
	}
	return []list{l}
}

// rig is one connection under test.
type rig struct {
	t        testing.TB
	agent    *net.TCPConn // the agent's end
	upstream *net.TCPConn // the upstream's end; there from the start, the gate gets its end by dialing
	session  *session
	stop     context.CancelFunc
	end      chan End
}

// session is the gateway's part.
type session struct {
	decide func(ctx context.Context, q *Question) Verdict // nil: what is titled "deny" is denied
	dial   func(ctx context.Context) (Conn, error)
	conn   *tcpConn // what dial gives when it is nil

	// What the session does without: it refuses.
	secure  func(ctx context.Context, side abi.Side, k Conn) (Conn, Secured, error)
	auth    func(slot int, words []byte) ([]byte, error)
	alias   func(original []byte) ([]byte, error)
	unalias func(alias []byte) ([]byte, bool)

	aliasUsed func(used func()) // is given it with each alias
	relogin   func() (Conn, error)
	settle    func() error

	mu    sync.Mutex
	asked []Question
	notes []string
	dials int
	words []string // of refused secrets
}

func (s *session) Refused(_ int, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words = append(s.words, words)
}

func (s *session) Relogin(context.Context, int) (Conn, error) {
	if s.relogin != nil {
		return s.relogin()
	}
	return nil, errors.New("no newer secret here")
}

func (s *session) Settle() error {
	if s.settle != nil {
		return s.settle()
	}
	return nil
}

func (s *session) Decide(ctx context.Context, q *Question) Verdict {
	s.mu.Lock()
	kept := *q.Action
	kept.Values = slices.Clone(kept.Values)
	s.asked = append(s.asked, Question{ID: q.ID, Action: &kept, Streaming: q.Streaming})
	s.mu.Unlock()
	if s.decide != nil {
		return s.decide(ctx, q)
	}
	return byTitle(q)
}

func byTitle(q *Question) Verdict {
	if q.Action.Title == "deny" {
		return Verdict{Outcome: abi.Deny, Reason: "no", Rule: "rule", Receipt: "r1"}
	}
	return Verdict{Outcome: abi.Allow, Receipt: "r0"}
}

func (s *session) Dial(ctx context.Context) (Conn, error) {
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	if s.dial != nil {
		return s.dial(ctx)
	}
	return s.conn, nil
}

func (s *session) Note(_ uint32, pairs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, pairs...)
}

func (s *session) Secure(ctx context.Context, side abi.Side, k Conn) (Conn, Secured, error) {
	if s.secure != nil {
		return s.secure(ctx, side, k)
	}
	return nil, Secured{}, errors.New("no TLS here")
}

func (s *session) Auth(slot int, words []byte) ([]byte, error) {
	if s.auth != nil {
		return s.auth(slot, words)
	}
	return nil, errors.New("no secret here")
}

func (s *session) Secret(int) ([]byte, error) { return []byte("<secret>"), nil }

func (s *session) Sign(_ int, as abi.SignAs, number uint32, request []byte) ([]byte, error) {
	if string(request) == "bad" {
		return nil, errors.New("it is no request")
	}
	return fmt.Appendf(nil, "<%d %d %s>", as, number, request), nil
}

func (s *session) Alias(original []byte, used func()) ([]byte, error) {
	if s.aliasUsed != nil {
		s.aliasUsed(used)
	}
	if s.alias != nil {
		return s.alias(original)
	}
	return nil, errors.New("no alias here")
}

func (s *session) Unalias(alias []byte) ([]byte, bool) {
	if s.unalias != nil {
		return s.unalias(alias)
	}
	return nil, false
}

// testLimits are small enough to go past, and linger longer than a slow machine needs.
var testLimits = Limits{Window: 128 << 10, Linger: patience}

// start serves a connection with guest. change, when it is not nil, changes what is served before.
func start(t testing.TB, guest Guest, change func(cfg *Config, s *session)) *rig {
	t.Helper()
	r := &rig{t: t, session: &session{}, end: make(chan End, 1)}
	cfg := Config{Guest: guest, Manifest: testManifest(), Facts: abi.Facts{Endpoint: "endpoint"}, Session: r.session, Limits: testLimits}
	var gateSide *tcpConn
	gateSide, r.agent = tcpPair(t)
	cfg.Agent = gateSide
	r.session.conn, r.upstream = tcpPair(t)
	if g, ok := guest.(*script); ok {
		g.t = t
	}
	if change != nil {
		change(&cfg, r.session)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	t.Cleanup(func() {
		stop()
		if g, ok := guest.(*script); ok && g.closed.Load() != 1 {
			t.Errorf("the guest was closed %d times", g.closed.Load())
		}
	})
	go func() { r.end <- Serve(ctx, cfg) }()
	return r
}

// wait waits for the end of the connection.
func (r *rig) wait() End {
	r.t.Helper()
	select {
	case e := <-r.end:
		return e
	case <-time.After(patience):
		r.t.Fatal("the connection does not end")
		return End{}
	}
}

func (r *rig) write(c *net.TCPConn, s string) {
	r.t.Helper()
	if _, err := c.Write([]byte(s)); err != nil {
		r.t.Error("writing:", err)
	}
}

// read reads exactly the bytes of want.
func (r *rig) read(c *net.TCPConn, want string) {
	r.t.Helper()
	b := make([]byte, len(want))
	n, err := io.ReadFull(c, b)
	if err != nil || string(b) != want {
		r.t.Errorf("read %q %v, want %q", b[:n], err, want)
	}
}

// readEnd reads want and an end of stream.
func (r *rig) readEnd(c *net.TCPConn, want string) {
	r.t.Helper()
	if b, err := io.ReadAll(c); err != nil || string(b) != want {
		r.t.Errorf("read %q %v, want %q and the end", b, err, want)
	}
}

// readReset reads until the connection breaks off with a reset, and returns what came before.
func (r *rig) readReset(c *net.TCPConn) string {
	r.t.Helper()
	b, err := io.ReadAll(c)
	if err == nil {
		r.t.Errorf("an end of stream after %q, want a reset", b)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		r.t.Error("nothing happens")
	}
	return string(b)
}

// collect reads until c ends in whatever way.
func collect(c *net.TCPConn) []byte {
	var b bytes.Buffer
	_, _ = io.Copy(&b, c)
	return b.Bytes()
}
