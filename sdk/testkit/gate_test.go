package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lanes"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lines"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = 90 * time.Second

// TestLikeTheGate: what the dry gate says each side gets, and is asked, is what comes of the same conversation in the real one.
func TestLikeTheGate(t *testing.T) {
	for pattern, newPlugin := range map[string]func() sdk.Plugin{
		"testdata/*.txt":       func() sdk.Plugin { return &lines.Plugin{} },
		"testdata/lanes/*.txt": func() sdk.Plugin { return &lanes.Plugin{} },
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) < 3 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			t.Run(file, func(t *testing.T) { likeTheGate(t, file, newPlugin()) })
		}
	}
}

func likeTheGate(t *testing.T, file string, p sdk.Plugin) {
	s, err := conversation.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := sdk.ConfigureNative(p, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	dry, problems := s.Play(sdk.NewNative(p, nil), m, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	wet := serve(t, s, sdk.NewNative(p, nil), m, dry)
	if got, want := strings.Join(wet, "\n"), strings.Join(asked(dry), "\n"); got != want {
		t.Errorf("the gate was asked\n%s\nthe dry one\n%s", got, want)
	}
}

func asked(t drygate.Transcript) []string {
	var all []string
	for _, e := range t.Asks() {
		all = append(all, fmt.Sprint(e.ID, e.Action.Title, e.Streaming, e.Verdict.Held, e.Verdict.Outcome))
	}
	return all
}

// serve plays the conversation over the real gate. Before each step it waits for what each side must have got by then, and for what must have
// been asked and noted.
func serve(t *testing.T, s *conversation.Script, g gate.Guest, m *abi.Manifest, dry drygate.Transcript) []string {
	agent, theirAgent := pair(t)
	upstream, theirUpstream := pair(t)
	session := &session{script: s, conn: upstream}
	session.changed.L = &session.mu
	for i := range s.Steps {
		for _, e := range s.Steps[i].Expect {
			if e.Kind == drygate.Ask {
				session.verdicts = append(session.verdicts, e.Verdict)
			}
		}
	}
	done := make(chan gate.End, 1)
	go func() {
		done <- gate.Serve(context.Background(), gate.Config{Agent: agent, Guest: g, Manifest: m, Facts: s.Facts, Session: session, Limits: gate.DefaultLimits})
	}()
	ends := [2]*net.TCPConn{theirAgent, theirUpstream}
	for i := range s.Steps {
		st := &s.Steps[i]
		var err error
		switch st.Does {
		case conversation.Sends:
			_, err = ends[st.Side].Write(st.Data)
		case conversation.Ends:
			err = ends[st.Side].CloseWrite()
		case conversation.Decides:
			session.resolve(st.Verdict)
		}
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		for side, end := range ends {
			want := stepGets(dry, i, abi.Side(side))
			got := make([]byte, len(want))
			if _, err := io.ReadFull(end, got); err != nil || string(got) != string(want) {
				t.Fatalf("step %d: the %v gets %q (%v), dry it was %q", i, abi.Side(side), got, err, want)
			}
			if n := stepCount(dry, drygate.Shut, i, func(e *drygate.Entry) bool { return e.Stimulus == i && e.Side == abi.Side(side) }); n > 0 {
				if n, err := end.Read(make([]byte, 1)); n > 0 || err != io.EOF {
					t.Fatalf("step %d: the %v gets something more, or %v, where dry it was shut", i, abi.Side(side), err)
				}
			}
		}
		for kind, seen := range map[drygate.Kind]func() int{drygate.Ask: session.asks, drygate.Note: session.noted} {
			want := stepCount(dry, kind, i, nil)
			for deadline := time.Now().Add(patience); seen() < want; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("step %d: %d of kind %v, dry there were %d", i, seen(), kind, want)
				}
			}
		}
	}
	for _, end := range ends {
		_ = end.CloseWrite()
	}
	for side, end := range ends {
		if side == int(abi.Upstream) && s.Refuse != "" {
			continue // the gate never had it
		}
		if rest, err := io.ReadAll(end); err != nil || len(rest) > 0 {
			t.Errorf("the %v gets %q besides, %v", abi.Side(side), rest, err)
		}
	}
	select {
	case end := <-done:
		if end.FailClosed {
			t.Errorf("the gate cut it off: %s", end.Reason)
		}
	case <-time.After(patience):
		t.Fatal("the connection does not end")
	}
	session.mu.Lock()
	defer session.mu.Unlock()
	return session.asked
}

// stepCount is how many events of a kind there are up to a step.
func stepCount(t drygate.Transcript, kind drygate.Kind, step int, only func(*drygate.Entry) bool) (n int) {
	for k := range t {
		if e := &t[k]; e.Kind == kind && e.Stimulus <= step && (only == nil || only(e)) {
			n++
		}
	}
	return n
}

// stepGets is what a side gets in answer to a step.
func stepGets(t drygate.Transcript, step int, side abi.Side) (b []byte) {
	for _, e := range t {
		if e.Kind == drygate.Gets && e.Side == side && e.Stimulus == step {
			b = append(b, e.Bytes...)
		}
	}
	return b
}

// pair is the two ends of a connection over loopback: the gate's, and the one outside.
func pair(t *testing.T) (tcp, *net.TCPConn) {
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
	t.Cleanup(func() { _ = outside.Close(); _ = inside.Close() })
	return tcp{inside}, outside
}

type tcp struct{ *net.TCPConn }

func (c tcp) Abort() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// session answers as the script says.
type session struct {
	script *conversation.Script
	conn   gate.Conn

	mu       sync.Mutex
	changed  sync.Cond
	verdicts []drygate.Verdict
	asked    []string
	waiting  []*person
	notes    int
}

func (s *session) asks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *session) noted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notes
}

// person is a verdict that the conversation gives later.
type person struct {
	session *session
	verdict chan gate.Verdict
}

func (p *person) Wait(ctx context.Context, _ func(context.Context) error) gate.Verdict {
	select {
	case v := <-p.verdict:
		return v
	case <-ctx.Done():
		p.session.mu.Lock()
		defer p.session.mu.Unlock()
		p.session.waiting = slices.DeleteFunc(p.session.waiting, func(o *person) bool { return o == p })
		return gate.Verdict{Outcome: abi.Deny, Reason: "withdrawn"}
	}
}

// resolve decides the action that has waited longest, once there is one.
func (s *session) resolve(v drygate.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) == 0 {
		s.changed.Wait()
	}
	s.waiting[0].verdict <- gate.Verdict{Outcome: v.Outcome, Reason: v.Reason}
	s.waiting = s.waiting[1:]
}

// Settle has nothing to wait for.
func (*session) Settle() error { return nil }

func (s *session) Decide(_ context.Context, q *gate.Question) gate.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := drygate.Verdict{Outcome: abi.Deny}
	if len(s.verdicts) > 0 {
		v, s.verdicts = s.verdicts[0], s.verdicts[1:]
	}
	s.asked = append(s.asked, fmt.Sprint(q.ID, q.Action.Title, q.Streaming, v.Held, v.Outcome))
	if v.Held {
		p := &person{session: s, verdict: make(chan gate.Verdict, 1)}
		s.waiting = append(s.waiting, p)
		s.changed.Broadcast()
		return gate.Verdict{Pending: p, Reason: v.Reason}
	}
	return gate.Verdict{Outcome: v.Outcome, Reason: v.Reason}
}

func (s *session) Dial(context.Context) (gate.Conn, error) {
	if s.script.Refuse != "" {
		return nil, errors.New(s.script.Refuse)
	}
	return s.conn, nil
}

func (s *session) Note(uint32, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes++
}

var errNot = errors.New("these conversations have no such thing")

func (s *session) Secure(context.Context, abi.Side, gate.Conn) (gate.Conn, gate.Secured, error) {
	return nil, gate.Secured{}, errNot
}
func (s *session) Auth(int, []byte) ([]byte, error)     { return nil, errNot }
func (s *session) Alias([]byte, func()) ([]byte, error) { return nil, errNot }
func (s *session) Secret(int) ([]byte, error)           { return []byte("<token>"), nil }
func (s *session) Unalias([]byte) ([]byte, bool)        { return nil, false }
func (s *session) Sign(slot int, as abi.SignAs, number uint32, request []byte) ([]byte, error) {
	return drygate.Signature(as, number, fmt.Sprint("slot", slot), request), nil
}
