package gate

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// answer serves the lines of plugin lines at the upstream's end until they end.
func answer(c *memConn) {
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		if strings.HasPrefix(line, "!") {
			_, _ = r.ReadString('\n')
		}
		words := strings.Fields(strings.TrimPrefix(line, "!"))
		reply := "ok " + line
		switch words[0] {
		case "put":
			n, _ := strconv.Atoi(words[2])
			if m, err := r.Discard(n); err != nil {
				reply = "only " + strconv.Itoa(m) + "\n"
			}
		case "get":
			reply = "data 70000\n" + strings.Repeat("\n", 70_000)
		case "feed":
			n, _ := r.WriteTo(discard{})
			reply = "fed " + strconv.Itoa(int(n)) + "\n"
		}
		_, _ = c.Write([]byte(reply))
	}
	_ = c.CloseWrite()
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// recorded keeps a copy of what is written through it.
type recorded struct {
	*memConn
	wrote bytes.Buffer
}

func (r *recorded) Write(p []byte) (int, error) { r.wrote.Write(p); return r.memConn.Write(p) }

// conversation runs text through the plugin lines, cut as cuts say, and returns what came to both ends.
func conversation(t *testing.T, text string, cuts []byte) (atAgent, atUpstream string, e End) {
	guest, manifest := linesGuest()
	gateAgent, agent := memPair(cuts)
	gateUpstream, upstream := memPair(cuts)
	toUpstream := &recorded{memConn: gateUpstream}
	_, _ = agent.Write([]byte(text))
	_ = agent.CloseWrite()
	answered := make(chan bool)
	s := &session{dial: func(context.Context) (Conn, error) {
		go func() { defer close(answered); answer(upstream) }()
		return toUpstream, nil
	}, decide: func(_ context.Context, q *Question) Verdict {
		if q.Action.Class == abi.ClassDelete {
			return Verdict{Outcome: abi.Deny, Reason: "never"}
		}
		return Verdict{}
	}}
	e = Serve(t.Context(), Config{Agent: gateAgent, Guest: guest, Manifest: manifest, Session: s, Limits: Limits{Window: 64 << 10, Linger: patience}})
	<-answered
	return string(agent.received()), toUpstream.wrote.String(), e
}

var conversations = []string{
	"get a\nget b\n",
	"del a\nget b\ndel c\ndel d\nput e 5\n12345get f\n",
	"!put x 3\nextra\nabcput y 100000\n" + strings.Repeat("y", 100_000) + "del z\nquit\nget never\n",
	"get a\nfeed\n" + strings.Repeat("whatever\n", 30_000),
	"put a 10\n1234",
	"get a\nnonsense\n",
}

// However the streams are cut, the same bytes come to both ends.
func FuzzSplits(f *testing.F) {
	type result struct {
		agent, upstream string
		failed          bool
	}
	var whole []result
	f.Add(uint8(0), []byte{0})
	for i := range conversations {
		f.Add(uint8(i), []byte{1, 0, 6})
		f.Add(uint8(i), []byte{255, 3, 200})
	}
	f.Fuzz(func(t *testing.T, which uint8, cuts []byte) {
		if whole == nil {
			for _, text := range conversations {
				a, u, e := conversation(t, text, nil)
				whole = append(whole, result{a, u, e.FailClosed})
			}
		}
		i := int(which) % len(conversations)
		if len(cuts) > 256 {
			t.Skip("long enough")
		}
		a, u, e := conversation(t, conversations[i], cuts)
		want := whole[i]
		if e.FailClosed != want.failed {
			t.Fatalf("ended with %+v", e)
		}
		if want.failed { // a reset may overtake what was written
			if !strings.HasPrefix(want.agent, a) && !strings.HasPrefix(a, want.agent) {
				t.Errorf("the agent got %.100q, or whole %.100q", a, want.agent)
			}
			return
		}
		if a != want.agent || u != want.upstream {
			t.Errorf("the agent got %d bytes %.100q, or whole %d %.100q; the upstream %d %.100q, or whole %d %.100q",
				len(a), a, len(want.agent), want.agent, len(u), u, len(want.upstream), want.upstream)
		}
	})
}

// The whole conversations mean what they should, else FuzzSplits compares nothing.
func TestConversations(t *testing.T) {
	a, u, e := conversation(t, conversations[1], nil)
	body := "data 70000\n" + strings.Repeat("\n", 70_000)
	wantA := "denied: never\n" + body + "denied: never\ndenied: never\nok put e 5\n" + body
	if wantU := "get b\nput e 5\n12345get f\n"; a != wantA || u != wantU || e.FailClosed {
		t.Errorf("the agent got %.100q, the upstream %q, ended %+v", a, u, e)
	}
}
