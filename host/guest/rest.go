package guest

import (
	"context"
	"time"
)

// Most connections wait for their agent most of the time, and a guest that waits needs little: its pages differ from those of its template
// by a few kilobytes, and its call stack is empty. So a guest that was quiet for a while is put to rest: the host keeps the difference and gives
// the rest back to the system. The next call brings it back first, which takes some tens of microseconds.

// rounds puts guests to rest that were quiet since the round before, until ctx ends.
func (e *Engine) rounds(ctx context.Context) {
	t := time.NewTicker(e.opt.Rest)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			e.round(ctx)
		}
	}
}

func (e *Engine) round(ctx context.Context) {
	e.mu.Lock()
	gs := make([]*Guest, 0, len(e.guests))
	for g := range e.guests {
		gs = append(gs, g)
	}
	e.mu.Unlock()
	for _, g := range gs {
		if ctx.Err() != nil {
			return
		}
		g.mayRest()
	}
}

// mayRest puts the guest to rest when it was not called since the last time.
func (g *Guest) mayRest() {
	if !g.mu.TryLock() { // it works
		return
	}
	defer g.mu.Unlock()
	switch {
	case g.called:
		g.called = false
	case g.inst == nil || g.tmpl.snap == nil || g.resting || g.restless:
	default:
		g.rest()
	}
}

// rest is about a guest of a template with a snapshot. mu is held.
func (g *Guest) rest() {
	d, err := g.tmpl.snap.img.leave(g.inst.lin, g.tmpl.plugin.eng.pages)
	if err != nil { // nothing has changed
		g.restless = true
		return
	}
	g.difference, g.resting = d, true
	g.inst.door, g.out = nil, nil
	g.tmpl.plugin.eng.stats.resting.Add(1)
}

// wake undoes rest. mu is held.
func (g *Guest) wake() {
	g.tmpl.snap.img.enter(g.inst.lin, g.difference)
	g.rested()
}

// rested is about a guest that rests no more: it was woken, or is over, and then nobody wants its memory. mu is held.
func (g *Guest) rested() {
	g.difference, g.resting = nil, false
	g.tmpl.plugin.eng.stats.resting.Add(-1)
}
