package gate

import (
	"errors"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// settling are guests that do something which is to wait for the record, as soon as the agent has said "go\n" (or at once).
var settling = map[string]struct {
	guest *script
	early bool // it does so when the connection opens
	up    string
	down  string
}{
	"passes": {guest: &script{open: []list{dialing()}, data: onAgent(func() list { return list(nil).ask(2, 3).pass(2, 3) })}, up: "go\n"},
	"passes aside": {guest: &script{open: []list{dialing()}, data: onAgent(func() list {
		return list(nil).action(2, 0, abi.AskAside, 1, title).pass(2, 3).done(2)
	})}, up: "go\n"},
	"two aside": {guest: &script{open: []list{dialing()}, data: onAgent(func() list {
		return list(nil).action(2, 0, abi.AskAside, 1, title).action(3, 0, abi.AskAside, 1, title).pass(3, 3).done(3)
	})}, up: "go\n"},
	"sends": {guest: &script{open: []list{dialing()}, data: onAgent(func() list {
		return list(nil).drop(3).action(2, 0, abi.AskAside, 1, title).sendUp(2, "own").done(2)
	})}, up: "own"},
	"dials":   {guest: &script{open: []list{dialing()}}, early: true},
	"answers": {guest: &script{open: []list{dialing()}, data: onAgent(func() list { return list(nil).drop(3).ask(2, 0).send("no") })}, down: "no"},
}

// onAgent is a guest's data function that does something about the agent's first bytes.
func onAgent(f func() list) func(abi.Side, []byte, bool) []list {
	return func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent && !end {
			return []list{f()}
		}
		return nil
	}
}

// TestSettledBeforeBytes: nothing of what was decided leaves the gate, to neither side, before it is on record. The session's Settle is held up
// while that is looked at; what leaves when it lets go is the twin.
func TestSettledBeforeBytes(t *testing.T) {
	for name, c := range settling {
		for _, refused := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				entered, release := make(chan struct{}), make(chan error)
				var gateSide [2]*tcpConn
				guest := &script{open: c.guest.open, data: c.guest.data}
				r := start(t, guest, func(cfg *Config, s *session) {
					gateSide = [2]*tcpConn{cfg.Agent.(*tcpConn), s.conn}
					first := true
					s.settle = func() error {
						if first && !c.early { // the connection's own
							first = false
							return nil
						}
						entered <- struct{}{}
						return <-release
					}
				})
				if !c.early {
					r.write(r.agent, "go\n")
				}
				select {
				case <-entered:
				case <-time.After(patience):
					t.Fatal("nothing is settled")
				}
				r.session.mu.Lock()
				dials := r.session.dials
				r.session.mu.Unlock()
				if n := gateSide[abi.Agent].wrote.Load() + gateSide[abi.Upstream].wrote.Load(); n > 0 || c.early && dials > 0 {
					t.Errorf("%d bytes have left and %d connections were made before it is on record", n, dials)
				}
				if refused {
					release <- errors.New("the disk is full")
					if e := r.wait(); !e.FailClosed || e.Reason != "a decision cannot be recorded: the disk is full" || e.Written != [2]uint64{} {
						t.Errorf("%+v", e)
					}
					if n := gateSide[abi.Agent].wrote.Load() + gateSide[abi.Upstream].wrote.Load(); n > 0 {
						t.Errorf("%d bytes have left that are not on record", n)
					}
					return
				}
				release <- nil
				r.read(r.upstream, c.up)
				r.read(r.agent, c.down)
				r.stop()
				r.wait()
			})
		}
	}
}

// TestSettledOnce: several actions of one delivery are settled together.
func TestSettledOnce(t *testing.T) {
	settled := 0
	guest := &script{open: []list{dialing()}, data: onAgent(func() list {
		l := list(nil).drop(3)
		for id := uint32(2); id < 12; id++ {
			l = l.action(id, 0, abi.AskAside, 1, title).sendUp(id, "x").done(id)
		}
		return l
	})}
	r := start(t, guest, func(_ *Config, s *session) { s.settle = func() error { settled++; return nil } })
	r.write(r.agent, "go\n")
	r.read(r.upstream, "xxxxxxxxxx")
	r.stop()
	r.wait()
	if settled != 2 {
		t.Errorf("settled %d times, want once for the connection and once for ten actions", settled)
	}
}

// TestSettledEach: what is decided and queued while the record is written waits for a write of its own.
func TestSettledEach(t *testing.T) {
	own := func(id uint32, s string) []list {
		return one(list(nil).action(id, 0, abi.AskAside, 1, title).sendUp(id, s).done(id))
	}
	second := make(chan struct{}, 1)
	guest := &script{open: []list{dialing()}}
	guest.data = func(side abi.Side, p []byte, end bool) []list {
		switch {
		case end:
			return nil
		case side == abi.Agent:
			return append(one(list(nil).drop(uint64(len(p)))), own(2, "x")...)
		}
		second <- struct{}{}
		return append(one(abi.AppendDrop(nil, abi.Upstream, uint64(len(p)))), own(3, "y")...)
	}
	entered, release := make(chan struct{}), make(chan struct{})
	var gateSide *tcpConn
	r := start(t, guest, func(_ *Config, s *session) {
		gateSide = s.conn
		first := true
		s.settle = func() error {
			if first {
				first = false
				return nil
			}
			entered <- struct{}{}
			<-release
			return nil
		}
	})
	r.write(r.agent, "go\n")
	<-entered // for x
	r.write(r.upstream, "go on\n")
	<-second
	r.asked(3)
	release <- struct{}{}
	r.read(r.upstream, "x")
	<-entered // for y
	if n := gateSide.wrote.Load(); n != 1 {
		t.Errorf("%d bytes have left, and one is on record", n)
	}
	release <- struct{}{}
	r.read(r.upstream, "y")
	r.stop()
	r.wait()
}

// asked waits until n actions were asked about.
func (r *rig) asked(n int) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		r.session.mu.Lock()
		asked := len(r.session.asked)
		r.session.mu.Unlock()
		if asked >= n {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatal("nothing is asked about")
		}
	}
}
