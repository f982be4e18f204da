package extism

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Guest is one running copy of a plugin, for one connection: a gate.Guest. Calls exclude each other; Interrupt and Close may come
// from any goroutine. After any error the instance is gone: every later call returns the same error.
type Guest struct {
	tmpl  *Template
	meter *meter

	mu   sync.Mutex
	inst *instance // nil after an error or Close
	err  error
	in   []byte
}

const (
	callCost = 20_000 // units of fuel for each call: what Extism does around it
	moreFlag = 1      // in the word before a command list: ask again with an empty event
)

// InputCapacity is the largest delivery in bytes.
func (g *Guest) InputCapacity() int { return abi.MinBuffer }

// Open tells the guest the facts of its connection.
func (g *Guest) Open(facts []byte) (commands []byte, more bool, err error) {
	return g.deliver(expOpen, nil, facts, false)
}

// Data delivers bytes from one side; flag 1 is the end of the stream.
func (g *Guest) Data(side abi.Side, p []byte, flags uint32) (commands []byte, more bool, err error) {
	var head [5]byte
	head[0] = byte(side)
	binary.LittleEndian.PutUint32(head[1:], flags)
	return g.deliver(expData, head[:], p, false)
}

// Event delivers an event of the host. An empty one says "go on" and adds no fuel.
func (g *Guest) Event(ev []byte) (commands []byte, more bool, err error) {
	return g.deliver(expEvent, nil, ev, len(ev) == 0)
}

func (g *Guest) deliver(name string, head, p []byte, goOn bool) ([]byte, bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.err != nil:
		return nil, false, g.err
	case len(p) > g.InputCapacity():
		return g.failed(&guest.Error{Plugin: g.inst.name, Call: name, Kind: guest.ErrBadInput, Reason: fmt.Sprintf("%d bytes, the guest takes %d", len(p), g.InputCapacity())})
	case g.meter.stop.Load():
		return g.failed(&guest.Error{Plugin: g.inst.name, Call: name, Kind: guest.ErrInterrupted})
	}
	i := g.inst
	if fuel := &i.opt.Fuel; !goOn {
		i.meter.add(fuel.Base+int64(len(p))*fuel.PerByte, fuel.Cap)
	}
	if !i.meter.spend(callCost + int64(len(i.kernel.b))/32) {
		return g.failed(&guest.Error{Plugin: i.name, Call: name, Kind: guest.ErrFuel})
	}
	g.in = append(append(g.in[:0], head...), p...)
	out, err := i.call(name, g.in)
	if err != nil {
		return g.failed(err)
	}
	if len(out) < 4 {
		return g.failed(&guest.Error{Plugin: i.name, Call: name, Kind: guest.ErrBadOutput, Reason: fmt.Sprintf("an output of %d bytes, which is no command list", len(out))})
	}
	flags := binary.LittleEndian.Uint32(out)
	if flags > moreFlag {
		return g.failed(&guest.Error{Plugin: i.name, Call: name, Kind: guest.ErrBadOutput, Reason: fmt.Sprintf("flags %#x before the command list", flags)})
	}
	i.meter.spend(int64(len(out)) / 16)
	return out[4:], flags == moreFlag, nil
}

// failed ends the guest for good.
func (g *Guest) failed(err error) ([]byte, bool, error) {
	g.err = err
	g.drop()
	return nil, false, err
}

// Interrupt ends a running call at its next slice of fuel. A guest that is not running ends in its next call.
func (g *Guest) Interrupt() { g.meter.stop.Store(true) }

// Close ends the guest. A call that runs is interrupted first. Idempotent.
func (g *Guest) Close() {
	g.meter.stop.Store(true)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = &guest.Error{Plugin: g.tmpl.plugin.name, Call: "call", Kind: guest.ErrClosed}
	}
	g.drop()
}

// drop parts from the instance, once.
func (g *Guest) drop() {
	if g.inst == nil {
		return
	}
	g.inst.kill()
	g.inst = nil
	g.tmpl.drop()
}
