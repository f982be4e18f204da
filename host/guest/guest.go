package guest

import (
	"fmt"
	"sync"
)

// Guest is one running copy of a plugin, for one connection. Calls exclude each other; Interrupt and Close may come from any
// goroutine.
//
// After any error the guest's instance is gone: every later call returns the same error.
type Guest struct {
	tmpl *Template
	acct account

	mu   sync.Mutex
	inst *instance // nil after an error or Close
	err  *Error
	out  []byte

	called     bool // since the last round
	resting    bool // the memory is that of the template, and difference what it lacks
	restless   bool // it was tried, and is not worth it until the next call
	difference difference
}

const (
	keepOut  = 16 << 10 // a larger copy of the output is not kept for the next call
	callCost = 200      // units of fuel for each call, so that a guest which says "more" for ever comes to an end
)

func newGuest(t *Template, i *instance) (*Guest, error) {
	g := &Guest{tmpl: t, inst: i}
	if !t.plugin.eng.add(g) {
		i.kill()
		t.refs.drop()
		return nil, &Error{Plugin: t.plugin.name, Call: "new guest", Kind: ErrClosed}
	}
	return g, nil
}

// InputCapacity is the largest delivery in bytes, at least 64 KiB.
func (g *Guest) InputCapacity() int { return g.tmpl.inCap }

// Open tells the guest the facts of its connection. It returns the guest's commands and whether there is more to come, which an
// empty Event fetches. The commands are valid until the next call.
func (g *Guest) Open(facts []byte) (commands []byte, more bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return nil, false, g.err
	}
	return g.deliver(entryOpen, facts, false, uint64(len(facts)), 0, 0)
}

// Data delivers bytes from one side (0 agent, 1 upstream); flag 1 is the end of the stream. Result as for Open.
func (g *Guest) Data(side uint32, p []byte, flags uint32) (commands []byte, more bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return nil, false, g.err
	}
	return g.deliver(entryData, p, false, uint64(side), uint64(len(p)), uint64(flags))
}

// Event delivers an event of the host. An empty one says "go on" and adds no fuel. Result as for Open.
func (g *Guest) Event(ev []byte) (commands []byte, more bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return nil, false, g.err
	}
	return g.deliver(entryEvent, ev, len(ev) == 0, uint64(len(ev)), 0, 0)
}

func (g *Guest) deliver(f entry, p []byte, goOn bool, a0, a1, a2 uint64) ([]byte, bool, error) {
	i, b, name := g.inst, &g.inst.buf, entries[f]
	g.called, g.restless = true, false
	if g.resting {
		g.wake()
	}
	if len(p) > int(b.inCap) {
		return g.fail(name, ErrBadInput, fmt.Sprintf("%d bytes, the guest takes %d", len(p), b.inCap))
	}
	if g.acct.stop.Load() {
		return g.fail(name, ErrInterrupted, "")
	}
	g.acct.begin()
	if r := &g.tmpl.plugin.rate; !goOn {
		g.acct.add(r.base+int64(len(p))*r.perByte, r.limit)
	}
	if !g.acct.spend(callCost) {
		return g.fail(name, ErrFuel, "")
	}
	if !i.mod.Memory().Write(b.in, p) {
		return g.fail(name, ErrBadOutput, outOfRange)
	}
	r, err := i.enter(f, &g.acct, a0, a1, a2)
	if err != nil {
		return g.failed(err)
	}
	n, more := r&^moreBit, r&moreBit != 0
	out, ok := i.view(b.out, n)
	if !ok || n > b.outCap {
		return g.fail(name, ErrBadOutput, fmt.Sprintf("length %d of a buffer of %d bytes", n, b.outCap))
	}
	g.acct.spend(int64(n) / 16)
	// Copied, so that no view of a guest's memory is ever in the hands of somebody who might look at it after it is unmapped.
	if cap(g.out) > keepOut && len(out) <= keepOut {
		g.out = nil
	}
	g.out = append(g.out[:0], out...)
	return g.out, more, nil
}

func (g *Guest) fail(call string, kind error, why string) ([]byte, bool, error) {
	return g.failed(&Error{Plugin: g.tmpl.plugin.name, Call: call, Kind: kind, Reason: why})
}

// failed ends the guest for good.
func (g *Guest) failed(err *Error) ([]byte, bool, error) {
	g.err = err
	g.drop(false)
	return nil, false, err
}

// Interrupt ends a running call at its next slice of fuel, with [ErrInterrupted]. A guest that is not running ends in its next call.
func (g *Guest) Interrupt() { g.acct.stop.Store(true) }

// Close ends the guest. Its instance is reset for another connection or discarded. A call that runs is interrupted first.
// Idempotent.
func (g *Guest) Close() {
	g.acct.stop.Store(true)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = &Error{Plugin: g.tmpl.plugin.name, Call: "call", Kind: ErrClosed}
	}
	g.drop(true)
}

// drop parts from the instance, once.
func (g *Guest) drop(healthy bool) {
	i := g.inst
	if i == nil {
		return
	}
	g.inst = nil
	if g.resting {
		g.rested()
	}
	if healthy {
		g.tmpl.put(i)
	} else {
		i.kill()
		g.tmpl.plugin.eng.stats.discarded.Add(1)
	}
	g.tmpl.plugin.eng.remove(g)
	g.tmpl.refs.drop()
}
