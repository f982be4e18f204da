package gate

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestRecords: a guest that has records written without taking in bytes is cut off before they fill a disk; one that asks and notes about what the agent sends is not.
func TestRecords(t *testing.T) {
	const each, lists = 1000, 64
	for _, c := range []struct {
		what string
		more func(k int) list
	}{
		{"notes", func(int) (l list) {
			for range each {
				l = l.note(1, "rows", "1")
			}
			return l
		}},
		{"long notes", func(int) (l list) {
			for range 30 {
				l = l.note(1, "rows", strings.Repeat("x", abi.MaxNote-100))
			}
			return l
		}},
		{"questions", func(k int) (l list) {
			for i := range each {
				l = l.action(uint32(2+k*each+i), 0, abi.AskQuiet, 1, title)
			}
			return l
		}},
		{"questions aside", func(k int) (l list) {
			for i := range each {
				id := uint32(2 + k*each + i)
				l = l.action(id, 0, abi.AskQuiet|abi.AskAside, 1, title).done(id)
			}
			return l
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			var all []list
			for k := range lists {
				all = append(all, c.more(k))
			}
			r := start(t, &script{open: []list{dialing()}, data: shutEnds, event: func(e abi.Event) []list {
				if e.Kind != abi.KindVerdict || e.ID != 1 {
					return nil
				}
				return all
			}}, nil)
			if e := r.wait(); !e.FailClosed || e.Reason != talkative {
				t.Errorf("ended by %q", e.Reason)
			}
			r.session.mu.Lock()
			defer r.session.mu.Unlock()
			if n := len(r.session.asked) + len(r.session.notes)/2; n > firstRecords+64 {
				t.Errorf("%d records", n)
			}
		})
	}
	t.Run("as many as there are requests", func(t *testing.T) {
		const requests = 20_000
		id := uint32(1)
		g := &script{open: []list{dialing()}, data: func(side abi.Side, p []byte, end bool) []list {
			if side == abi.Upstream || end {
				return shutEnds(side, p, end)
			}
			var l list
			n := len(p) / 8 // of eight bytes
			for range n {
				id++
				l = l.action(id, 8, abi.AskQuiet, 1, title).pass(id, 8).note(id, "rows", "1")
			}
			return []list{l}
		}}
		r := start(t, g, nil)
		go func() {
			r.write(r.agent, strings.Repeat("request.", requests))
			_ = r.agent.CloseWrite()
		}()
		got := collectAndShut(r)
		if e := r.wait(); e.FailClosed || got != 8*requests {
			t.Errorf("%d bytes came, ended by %q", got, e.Reason)
		}
		if n := len(r.session.notes) / 2; n != requests {
			t.Errorf("%d notes", n)
		}
	})
}

// TestHostNotes: what the gateway notes itself a plugin cannot, under any name that it asked for.
func TestHostNotes(t *testing.T) {
	for _, c := range []struct {
		pairs []string
		bad   bool
	}{
		{[]string{"withdrawn", "nothing of it went on"}, true},
		{[]string{"rows", "1", "recording", "terminals/x.cast"}, true},
		{[]string{"rows", "withdrawn"}, false},
	} {
		r := start(t, &script{open: []list{dialing().note(1, c.pairs...)}, data: shutEnds}, nil)
		_ = r.agent.CloseWrite()
		_ = r.upstream.CloseWrite()
		if e := r.wait(); e.FailClosed != c.bad || len(r.session.notes) > 0 == c.bad {
			t.Errorf("%q: ended by %q, noted %q", c.pairs, e.Reason, r.session.notes)
		}
	}
}

// collectAndShut reads what comes at the upstream to its end, and ends its side.
func collectAndShut(r *rig) int {
	n := len(collect(r.upstream))
	_ = r.upstream.CloseWrite()
	_ = collect(r.agent)
	return n
}
