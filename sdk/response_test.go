package sdk_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testdata/answers"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// answerGate is a dry gate around the plugin that holds answers back: those of lines that begin with "look" are looked at, up to 64 bytes; those
// whose text has "secret" are denied, "mask" is masked, and somebody is asked about "slow".
func answerGate(t *testing.T, piece int, inspects bool) *drygate.Gate {
	t.Helper()
	m, err := sdk.ConfigureNative(answers.Plugin{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := drygate.Config{Guest: sdk.NewNative(answers.Plugin{}, nil), Manifest: m, Facts: abi.Facts{Endpoint: "e", Inspect: inspects},
		Decide: func(e *drygate.Entry) (v drygate.Verdict) {
			if e.Response == nil {
				switch {
				case strings.HasPrefix(e.Action.Title, "look"):
					v.Inspect = 64
				case strings.HasPrefix(e.Action.Title, "deny"):
					v.Outcome, v.Reason = abi.Deny, "no"
				}
				return v
			}
			text := e.Action.Values[abi.ResponseText].Str
			if i := bytes.Index(e.Response.Kept, []byte("mask")); i >= 0 {
				copy(e.Response.Kept[i:], "****")
			}
			switch {
			case strings.Contains(text, "slow"):
				v.Held = true
			case strings.Contains(text, "secret"):
				v.Outcome, v.Reason = abi.Deny, "it has a secret"
			}
			return v
		}}
	if piece > 0 {
		cfg.Piece = func(abi.Side, uint64, int) int { return piece }
	}
	g := drygate.New(cfg)
	g.Open()
	return g
}

func TestResponses(t *testing.T) {
	const a, u = abi.Agent, abi.Upstream
	long := strings.Repeat("0123456789\n", 10)
	for _, c := range []struct{ name, lines, rows, want string }{
		{"nothing is looked at", "a\nb\n", "1\n.\n2\n.\n", "1\n.\n2\n.\n"},
		{"one that is fine", "look\n", "#id\tname\n1\tx\n2\ty\n.\n", "#id\tname\n1\tx\n2\ty\n.\n"},
		{"one that is denied", "look\n", "#id\tname\n1\tsecret\n.\n", "withheld: it has a secret\n"},
		{"one that is masked", "look\n", "1\tmask me\n.\n", "1\t**** me\n.\n"},
		{"without rows", "look\n", ".\n", ".\n"},
		{"too long, and fine", "look\nb\n", long + ".\nx\n.\n", long + ".\nx\n.\n"},
		{"too long, and denied", "look\nb\n", "secret\n" + long + ".\nx\n.\n", "withheld: it has a secret\nx\n.\n"},
		{"several in flight", "a\nlook 1\nb\nlook 2\nlook 3\nc\n", "1\n.\n2\n.\n3\n.\nsecret\n.\nmask\n.\n6\n.\n", "1\n.\n2\n.\n3\n.\nwithheld: it has a secret\n****\n.\n6\n.\n"},
		{"a denied action between", "look\ndeny\nlook\n", "1\n.\n2\n.\n", "denied: no\n1\n.\n2\n.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var first drygate.Transcript
			for _, piece := range []int{0, 1, 2, 7} {
				g := answerGate(t, piece, true)
				g.Send(a, []byte(c.lines))
				g.Send(u, []byte(c.rows))
				g.End(u)
				g.End(a)
				log := g.Transcript()
				if got := string(log.Gets(a)); got != c.want || log.Breached() != "" || log.Crashed() != nil || !g.Over() {
					t.Errorf("in pieces of %d: %q %q %v", piece, got, log.Breached(), log.Crashed())
				}
				if piece == 0 {
					first = log
				} else if same, ours, theirs := first.Equal(log); !same {
					t.Errorf("in pieces of %d: %s, and %s", piece, ours, theirs)
				}
			}
		})
	}
}

// While an answer is asked about nothing of the upstream is shown, and the agent's side goes on; when it has left, the answer still comes.
func TestResponseWaits(t *testing.T) {
	const a, u = abi.Agent, abi.Upstream
	for _, outcome := range []abi.Outcome{abi.Allow, abi.Deny} {
		g := answerGate(t, 0, true)
		g.Send(a, []byte("look\n"))
		g.Send(u, []byte("slow\n.\nlater\n.\n"))
		g.Send(a, []byte("b\n"))
		if got, sent := string(g.Transcript().Gets(a)), string(g.Transcript().Gets(u)); got != "" || sent != "look\nb\n" || g.Waits() != 1 {
			t.Fatalf("%q %q", got, sent)
		}
		g.End(a)
		g.End(u)
		g.Decide(drygate.Verdict{Outcome: outcome, Reason: "slow"})
		want := map[abi.Outcome]string{abi.Allow: "slow\n.\nlater\n.\n", abi.Deny: "withheld: slow\nlater\n.\n"}[outcome]
		if got := string(g.Transcript().Gets(a)); got != want || g.Transcript().Breached() != "" || !g.Over() {
			t.Errorf("%q %q", got, g.Transcript().Breached())
		}
	}
}

// What is asked about is what stands in the values, and says how it was kept.
func TestResponseEntry(t *testing.T) {
	g := answerGate(t, 3, true)
	g.Send(abi.Agent, []byte("look\n"))
	g.Send(abi.Upstream, []byte("#id\tname\n1\tx\n22\tmask\n.\n"))
	asks := g.Transcript().Asks()
	e := asks[len(asks)-1]
	v := e.Action.Values
	if e.Response == nil || e.Response.Parent != asks[len(asks)-2].ID || string(e.Response.Kept) != "#id\tname\n1\tx\n22\tmask\n.\n" || len(e.Response.Values) != 4 ||
		v[abi.ResponseText].Str != "1\tx\n22\tmask" || v[abi.ResponseRows].Int != 2 || v[abi.ResponseBytes].Int != 23 || v[abi.ResponseTruncated].Bool ||
		strings.Join(v[abi.ResponseColumns].List, ",") != "id,name" {
		t.Errorf("%+v %+v", e.Response, v)
	}
}

// A plugin that is not told that answers are looked at asks as ever, and is not told of limits.
func TestResponseNotTold(t *testing.T) {
	g := answerGate(t, 0, false)
	g.Send(abi.Agent, []byte("a\n"))
	g.Send(abi.Upstream, []byte("1\n.\n"))
	if got := string(g.Transcript().Gets(abi.Agent)); got != "1\n.\n" {
		t.Errorf("%q %q", got, g.Transcript().Breached())
	}
	g.Send(abi.Agent, []byte("look\n"))
	if g.Transcript().Breached() == "" {
		t.Error("a limit is demanded of a plugin that was not told")
	}
}
