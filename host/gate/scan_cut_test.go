package gate

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// witness is a guest that writes down what it is told of one side, adjacent deliveries as one, and answers by functions of what it
// was shown since the last answer.
type witness struct {
	script
	heard []string
	shown string // and not answered
}

// newWitness answers with say what it was shown of side; say returns nothing until it has seen enough.
func newWitness(side abi.Side, open list, say func(w *witness, shown string, end bool) list) *witness {
	w := &witness{}
	w.script.open = one(open)
	w.data = func(s abi.Side, p []byte, end bool) []list {
		if s != side {
			return shutEnds(s, p, end)
		}
		w.shown += string(p)
		if last := len(w.heard) - 1; len(p) > 0 && last >= 0 && strings.HasPrefix(w.heard[last], "data ") {
			w.heard[last] += string(p)
		} else if len(p) > 0 {
			w.hear("data " + string(p))
		}
		if end {
			w.hear("end")
		}
		return one(say(w, w.shown, end))
	}
	w.event = func(e abi.Event) []list {
		if e.Kind == abi.KindScanned {
			w.hear(fmt.Sprintf("scanned %v %d %d", e.Side, e.Frames, e.Bytes))
		}
		return nil
	}
	return w
}

func (w *witness) hear(s string) { w.heard = append(w.heard, s) }

// cutRun serves a stream of one side, cut as cuts say, and returns what came to the other.
func cutRun(t *testing.T, w *witness, side abi.Side, stream string, cuts []byte) (passed string, e End) {
	t.Helper()
	w.t = t
	var cutAgent, cutUpstream []byte
	if side == abi.Agent {
		cutAgent = cuts
	} else {
		cutUpstream = cuts
	}
	gateAgent, agent := memPair(cutAgent)
	gateUpstream, upstream := memPair(cutUpstream)
	from, to := agent, upstream
	if side == abi.Upstream {
		from, to = upstream, agent
	}
	_, _ = from.Write([]byte(stream))
	_ = from.CloseWrite()
	_ = to.CloseWrite()
	s := &session{dial: func(context.Context) (Conn, error) { return gateUpstream, nil }}
	e = Serve(t.Context(), Config{Agent: gateAgent, Guest: w, Manifest: testManifest(), Facts: abi.Facts{Endpoint: "endpoint"}, Session: s,
		Limits: Limits{Window: 4 << 10, Linger: patience}})
	return string(to.received()), e
}

// everyCut calls f with all ways to cut n bytes once, and with every byte for itself.
func everyCut(n int, f func(cuts []byte)) {
	f([]byte{0})
	f([]byte{1})
	for i := range n {
		f(append([]byte{byte(i)}, bytes.Repeat([]byte{255}, 8)...))
	}
}

// What a guest that scans is told does not depend on how the stream is cut.
func TestScanHoweverCut(t *testing.T) {
	const side = abi.Upstream
	long := "d\xc8" + strings.Repeat("L", 200)
	for _, c := range []struct {
		name, stream string
		heard        string
		passed       string
	}{
		{"frames between others", "x\x01!" + "d\x00d\x01ad\x02bc" + "x\x02??" + "d\x03def" + "x\x00",
			"data x\x01!|scanned upstream 3 9|data x\x02??|scanned upstream 1 5|data x\x00|scanned upstream 0 0|end",
			"x\x01!" + "d\x00d\x01ad\x02bc" + "x\x02??" + "d\x03def" + "x\x00"},
		{"nothing to pass", "x\x01!x\x01?", "data x\x01!|scanned upstream 0 0|data x\x01?|scanned upstream 0 0|end", "x\x01!x\x01?"},
		{"a long frame", "x\x00" + long + "x\x01.", "data x\x00|scanned upstream 1 202|data x\x01.|scanned upstream 0 0|end", "x\x00" + long + "x\x01."},
		{"the end in a head", "x\x00d\x01ad", "data x\x00|scanned upstream 1 3|data d|end", "x\x00d\x01a"},
		{"the end in a frame", "x\x00d\x01ad\x05abc", "data x\x00|scanned upstream 1 3|end", "x\x00d\x01ad\x05abc"},
		{"the end in a frame's head that is whole", "x\x00d\x05", "data x\x00|scanned upstream 0 0|end", "x\x00d\x05"},
	} {
		t.Run(c.name, func(t *testing.T) {
			everyCut(len(c.stream), func(cuts []byte) {
				// Frames of type x are passed, and a scan follows each.
				w := newWitness(side, dialing(), func(w *witness, shown string, end bool) list {
					if len(shown) >= 2 && shown[0] == 'x' && len(shown) >= 2+int(shown[1]) {
						w.shown = ""
						return list(nil).passBack(2+uint64(shown[1])).scan(side, 0)
					}
					if end {
						return list(nil).shut(side.Other())
					}
					return nil
				})
				passed, e := cutRun(t, w, side, c.stream, cuts)
				got := strings.Join(w.heard, "|")
				if passed != c.passed || e.FailClosed || !sameHeard(got, c.heard) {
					t.Fatalf("cut %v: heard %q, want %q; passed %q, want %q; %+v", cuts[0], got, c.heard, passed, c.passed, e)
				}
			})
		})
	}
}

// sameHeard compares, but for bytes behind a frame that were shown and then taken back by a scan: "data x!d" is "data x!" then.
func sameHeard(got, want string) bool {
	g, w := strings.Split(got, "|"), strings.Split(want, "|")
	if len(g) != len(w) {
		return false
	}
	for i := range g {
		taken := strings.HasPrefix(w[i], "data x") && i+1 < len(w) && strings.HasPrefix(w[i+1], "scanned")
		if g[i] != w[i] && !(taken && strings.HasPrefix(g[i], w[i])) {
			return false
		}
	}
	return true
}

// The agent's frames pass under a streaming action, which goes on afterwards.
func TestScanAgentHoweverCut(t *testing.T) {
	const stream = "c\x00" + "d\x00d\x01ad\x02bc" + "e\x01!"
	everyCut(len(stream), func(cuts []byte) {
		w := newWitness(abi.Agent, dialing(), func(w *witness, shown string, end bool) list {
			switch {
			case strings.HasPrefix(shown, "c\x00"):
				w.shown = ""
				return list(nil).stream(2).pass(2, 2).scan(abi.Agent, 2)
			case shown == "e\x01!":
				w.shown = ""
				return list(nil).pass(2, 3).done(2).ask(3, 0)
			case end:
				return list(nil).shut(abi.Upstream)
			}
			return nil
		})
		passed, e := cutRun(t, w, abi.Agent, stream, cuts)
		got := strings.Join(w.heard, "|")
		if passed != stream || e.FailClosed || !strings.HasPrefix(got, "data c\x00") || !strings.HasSuffix(got, "|scanned agent 3 9|data e\x01!|end") {
			t.Fatalf("cut %v: heard %q, passed %q, %+v", cuts[0], got, passed, e)
		}
	})
}

// A length that means nothing ends the scan at its frame, which is shown.
func TestScanLengths(t *testing.T) {
	wide := abi.Framing{Head: 9, LengthAt: 1, LengthWidth: 8, BigEndian: true, Adjust: 1, Max: math.MaxUint64}
	narrow := abi.Framing{Head: 5, LengthAt: 1, LengthWidth: 4, BigEndian: true, Adjust: 1, Max: 1 << 30}
	far := narrow
	far.Adjust, far.Max = math.MinInt32, math.MaxUint64
	frame := func(f abi.Framing, length uint64) string {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], length)
		return "d" + string(b[8-f.LengthWidth:])
	}
	for _, c := range []struct {
		name   string
		f      abi.Framing
		length uint64
		passes bool
	}{
		{"zero", narrow, 0, false}, {"three", narrow, 3, false}, {"four", narrow, 4, true},
		{"the largest", narrow, 1<<30 - 1, true}, {"one more", narrow, 1 << 30, false},
		{"2^31-1", narrow, math.MaxInt32, false}, {"-1", narrow, math.MaxUint32, false},
		{"2^63-1", wide, math.MaxInt64, false}, {"2^63", wide, 1 << 63, false}, {"2^64-1", wide, math.MaxUint64, false},
		{"as much as a stream can have", wide, math.MaxInt64 - 1, false}, {"a little less", wide, math.MaxInt64 - 20, true},
		{"an adjustment below zero", far, 1 << 30, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := frame(c.f, c.length)
			stream := frame(c.f, uint64(c.f.Head)-1) + head // of which the first one passes
			if c.f.Adjust < 0 {
				stream = head
			}
			everyCut(len(stream), func(cuts []byte) {
				scan := abi.AppendScan(dialing(), abi.Upstream, 0, &c.f, abi.Types('d'))
				w := newWitness(abi.Upstream, scan, func(_ *witness, _ string, end bool) list {
					if end {
						return list(nil).shut(abi.Agent)
					}
					return nil
				})
				passed, e := cutRun(t, w, abi.Upstream, stream, cuts)
				got := strings.Join(w.heard, "|")
				want, through := "data "+head+"|end", stream[:len(stream)-len(head)]
				if c.passes {
					want, through = "end", stream
				}
				if passed != through || !strings.HasPrefix(got, "scanned upstream ") || !strings.HasSuffix(got, "|"+want) || e.FailClosed {
					t.Fatalf("cut %v: heard %q, passed %q, %+v", cuts[0], got, passed, e)
				}
			})
		})
	}
}
