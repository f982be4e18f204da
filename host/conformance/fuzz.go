package conformance

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// Finding is input that makes a plugin do what no plugin may, and what that is.
type Finding struct {
	What   string               `json:"what"`
	Script *conversation.Script `json:"-"`
	// Transcript is what happened up to there; with the script it makes a conversation file.
	Transcript drygate.Transcript `json:"-"`
}

// FuzzOptions say how long and from where.
type FuzzOptions struct {
	Fixtures []*Fixture
	Time     time.Duration
	Seed     uint64 // the same seed mutates in the same way
	Runs     int    // at most so many inputs; 0: as many as there is time for
}

// Fuzz mutates fixtures and decisions until time is up or something is found. It returns how many inputs were tried.
func Fuzz(ctx context.Context, m *Module, o FuzzOptions) (*Finding, int, error) {
	fixtures := o.Fixtures
	if len(fixtures) == 0 {
		fixtures = generic()
	}
	var endpoints []*Endpoint
	for _, f := range fixtures {
		e, err := m.Configure(ctx, f.Script.Options)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", f.Name, err)
		}
		defer e.Close()
		endpoints = append(endpoints, e)
	}
	r := rand.New(rand.NewPCG(o.Seed, 0x5a11))
	n := 0
	for begin := time.Now(); (o.Runs == 0 || n < o.Runs) && (o.Time == 0 || time.Since(begin) < o.Time); n++ {
		if err := ctx.Err(); err != nil {
			return nil, n, err
		}
		k := r.IntN(len(fixtures))
		s := mutate(r, fixtures[k].Script)
		if looked, ok := s.Inspected(m.Manifest, 1<<r.IntN(17), drygate.Verdict{Outcome: abi.Outcome(r.IntN(2)), Reason: "fuzz"}); ok && r.IntN(3) == 0 {
			s = looked
		}
		found, err := try(ctx, endpoints[k], s, r.Uint64())
		if found != nil || err != nil {
			return found, n + 1, err
		}
	}
	return nil, n, nil
}

// try plays a script twice, whole and cut at random, and says what is wrong.
func try(ctx context.Context, e *Endpoint, s *conversation.Script, seed uint64) (*Finding, error) {
	var first drygate.Transcript
	for run := range 2 {
		g, err := e.Guest(ctx)
		if err != nil {
			return nil, err
		}
		cut := conversation.Cut{}
		if run == 1 {
			cut = conversation.RandomCuts(seed)
		}
		got := s.Replay(g, e.Manifest, cut)
		res := &Result{}
		if !lawful(res, got, "mutated %s", s.Name) {
			return &Finding{res.Faults[0], s, got}, nil
		}
		if run == 0 {
			first = got
			continue
		}
		whole, cutUp := drygate.BeforeRace(unworded(first), unworded(got))
		if same, a, b := whole.Equal(cutUp); !same {
			return &Finding{fmt.Sprintf("mutated %s, cut at random:\nwhole: %s\ncut:   %s", s.Name, a, b), s, first}, nil
		}
	}
	return nil, nil
}

// unworded is a transcript without the words with which the plugin refused to go on: where both sides are at fault, either may be named.
func unworded(t drygate.Transcript) drygate.Transcript {
	if e := t.End(); e == nil || e.By != drygate.ByPlugin || !e.Failed {
		return t
	}
	t = slices.Clone(t)
	t[len(t)-1].Text = ""
	return t
}

// tokens are pieces that parsers stumble over.
var tokens = [][]byte{{0}, {0xff}, {0xff, 0xff, 0xff, 0xff}, {0x7f, 0xff, 0xff, 0xff}, {0, 0, 0, 0}, {0x80}, []byte("\r\n"), []byte("\n"), []byte(" "),
	[]byte("-1"), []byte("0"), []byte("99999999999999999999"), []byte("%s"), []byte("\"'\\"), []byte("é"), {0xe2, 0x80, 0xa8}}

// mutate makes another script: bytes changed, inserted, removed, doubled, steps left out or swapped, other decisions.
func mutate(r *rand.Rand, old *conversation.Script) *conversation.Script {
	s := *old
	s.Steps = slices.Clone(old.Steps)
	for i := range s.Steps {
		st := &s.Steps[i]
		st.Data = bytes.Clone(st.Data)
		st.Expect = slices.Clone(st.Expect)
		for k := range st.Expect {
			if r.IntN(12) == 0 {
				st.Expect[k].Verdict = drygate.Verdict{Outcome: abi.Outcome(r.IntN(2)), Reason: "fuzz"}
			}
		}
	}
	s.AllowRest = r.IntN(2) == 0
	for range 1 + r.IntN(4) {
		if len(s.Steps) < 2 {
			break
		}
		i := 1 + r.IntN(len(s.Steps)-1)
		switch st := &s.Steps[i]; {
		case st.Does == conversation.Sends && r.IntN(8) > 0:
			st.Data = mutateBytes(r, st.Data)
		case st.Does == conversation.Unseen:
		case r.IntN(3) == 0 && len(s.Steps) > 2:
			s.Steps = slices.Delete(s.Steps, i, i+1)
		case r.IntN(2) == 0:
			s.Steps = append(s.Steps, conversation.Step{Does: conversation.Ends, Side: abi.Side(r.IntN(2))})
		default:
			j := 1 + r.IntN(len(s.Steps)-1)
			s.Steps[i], s.Steps[j] = s.Steps[j], s.Steps[i]
		}
	}
	s.Steps = possible(s.Steps)
	return &s
}

// possible leaves out what cannot happen: a side that has ended sends nothing more and does not end again.
func possible(steps []conversation.Step) []conversation.Step {
	var ended [2]bool
	return slices.DeleteFunc(steps, func(st conversation.Step) bool {
		if st.Does == conversation.Opens {
			return false
		}
		gone := ended[st.Side]
		ended[st.Side] = gone || st.Does == conversation.Ends
		return gone
	})
}

func mutateBytes(r *rand.Rand, b []byte) []byte {
	at := r.IntN(len(b) + 1)
	n := min(1+r.IntN(8), len(b)-at)
	switch r.IntN(6) {
	case 0:
		if len(b) > 0 {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		return b
	case 1:
		return slices.Delete(b, at, at+n)
	case 2:
		return slices.Insert(b, at, b[at:at+n]...)
	case 3:
		return slices.Insert(b, at, tokens[r.IntN(len(tokens))]...)
	case 4:
		copy(b[at:], tokens[r.IntN(len(tokens))])
		return b
	default:
		return b[:at]
	}
}
