package gate

import (
	"math"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestEndless(t *testing.T) {
	t.Run("more", func(t *testing.T) {
		breached(t, scripted(nil, make([]list, mostCalls+1), nil), "on and on", "")
		passed(start(t, scripted(nil, make([]list, 100), nil), nil), "")
	})
	t.Run("ask", func(t *testing.T) {
		asking := func(most uint32) *script {
			g := scripted(nil, one(list(nil).ask(2, 0)), nil)
			g.event = func(e abi.Event) []list {
				if e.Kind == abi.KindVerdict && e.ID > 1 && e.ID < most {
					return one(list(nil).ask(e.ID+1, 0))
				}
				return nil
			}
			return g
		}
		breached(t, asking(math.MaxUint32), "on and on", "")
		passed(start(t, asking(500), nil), "")
	})
	t.Run("constants", func(t *testing.T) {
		stocks := func(n int) []list {
			var l list
			for range n {
				l = l.stock(0)
			}
			return one(l)
		}
		most := (stockBase + stockFactor*len(tenBytes)) / len("PING")
		breached(t, scripted(nil, stocks(most+1), nil), "constants to the upstream without end", strings.Repeat("PING", most))
		passed(start(t, scripted(nil, stocks(most), nil), nil), strings.Repeat("PING", most))
	})
	t.Run("send", func(t *testing.T) {
		big := list(nil).send(strings.Repeat("x", 60_000))
		lists := func(n int) (all []list) {
			for range n {
				all = append(all, big)
			}
			return all
		}
		fits := mostQueued * testLimits.Window / 60_000
		breached(t, scripted(nil, lists(fits+1), nil), "at once", "")
		r := start(t, scripted(nil, lists(fits), nil), nil)
		got := make(chan int)
		go func() { got <- len(collect(r.agent)) }()
		r.write(r.agent, tenBytes)
		_ = r.agent.CloseWrite()
		r.readEnd(r.upstream, "")
		_ = r.upstream.Close()
		if n := <-got; n != fits*60_000 {
			t.Errorf("the agent got %d bytes of %d", n, fits*60_000)
		}
		r.wait()
	})
	t.Run("plans", func(t *testing.T) {
		plan := func(n int) []list {
			l := list(nil).stream(2).pass(2, 10)
			for range n / 2 {
				l = l.pass(2, 1).drop(1)
			}
			return one(l)
		}
		breached(t, scripted(nil, plan(mostTodo+2), nil), "planned too much", tenBytes)
		passed(start(t, scripted(nil, plan(mostTodo), nil), nil), tenBytes)
	})
	t.Run("behind", func(t *testing.T) {
		l := list(nil).send(strings.Repeat("x", 60_000))
		breached(t, scripted(nil, []list{list(nil).passBack(1), l, l, l}, nil), "behind bytes that have not come", "")
		r := start(t, scripted(nil, []list{list(nil).passBack(1), l}, nil), nil)
		r.write(r.agent, tenBytes)
		r.write(r.upstream, "-")
		r.read(r.agent, "-"+strings.Repeat("x", 60_000))
		r.stop()
		r.wait()
	})
}

// Allowed actions whose bytes have not come are bounded.
func TestManyRanges(t *testing.T) {
	asking := func(last uint32, then list) *script {
		g := scripted(nil, one(list(nil).ask(2, 1)), nil)
		g.event = func(e abi.Event) []list {
			switch {
			case e.Kind != abi.KindVerdict || e.ID == 1:
				return nil
			case e.ID < last:
				return one(list(nil).ask(e.ID+1, 1))
			}
			return one(then)
		}
		return g
	}
	breached(t, asking(mostRanges+2, nil), "wait for bytes already", "")
	passed(start(t, asking(mostRanges+1, list(nil).pass(2, 1).pass(3, 1)), nil), "01")
}

// A guest that neither passes nor drops is cut off at the window.
func TestWindow(t *testing.T) {
	held := 0
	g := &script{open: []list{dialing()}}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent {
			if held += len(p); held > testLimits.Window {
				t.Errorf("the guest was shown %d bytes", held)
			}
		}
		return nil
	}
	r := start(t, g, nil)
	_, _ = r.agent.Write(make([]byte, testLimits.Window+1))
	if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, "wait for the plugin to pass or drop") {
		t.Errorf("ended with %+v", e)
	}
	if got := collect(r.upstream); len(got) != 0 {
		t.Errorf("%d bytes reached the upstream", len(got))
	}

	// The twin keeps a whole window and then passes it.
	kept := 0
	g = &script{open: []list{dialing()}}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent && !end {
			if kept += len(p); kept == testLimits.Window {
				return one(list(nil).ask(2, uint64(kept)).pass(2, uint64(kept)))
			}
			return nil
		}
		return shutEnds(side, p, end)
	}
	r = start(t, g, nil)
	passedAll(r, testLimits.Window)
}

// passedAll has the agent send n bytes, which all reach the upstream.
func passedAll(r *rig, n int) {
	r.t.Helper()
	got := make(chan int)
	go func() { got <- len(collect(r.upstream)) }()
	_, _ = r.agent.Write(make([]byte, n))
	_ = r.agent.CloseWrite()
	if k := <-got; k != n {
		r.t.Errorf("%d bytes of %d reached the upstream", k, n)
	}
	_ = r.upstream.Close()
	collect(r.agent)
	if e := r.wait(); e.FailClosed || e.Written[abi.Upstream] != uint64(n) || e.Read[abi.Agent] != uint64(n) {
		r.t.Errorf("ended with %+v", e)
	}
}

// What is passed before the upstream is connected waits for it, up to the window.
func TestBeforeConnected(t *testing.T) {
	g := &script{open: []list{list(nil).connect(1)}}
	g.event = func(e abi.Event) []list {
		if e.ID == 1 {
			return one(list(nil).stream(2).pass(2, 1<<40))
		}
		return nil
	}
	r := start(t, g, nil)
	_, _ = r.agent.Write(make([]byte, testLimits.Window+1))
	if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, "to be connected") {
		t.Errorf("ended with %+v", e)
	}

	g = scripted(list(nil).connect(1), one(list(nil).ask(2, 10).pass(2, 10).stock(0).dial(1)), nil)
	passed(start(t, g, nil), tenBytes+"PING")
}
