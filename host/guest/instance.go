package guest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// account is the fuel of one connection.
type account struct {
	given int64       // units that were added
	left  int64       // units not yet handed out as slices; below zero: what the last call overspent before a check stopped it
	stop  atomic.Bool // set from any goroutine: end at the next slice
	since time.Time   // when the present call first visited the host; zero: it has not
}

// add tops the account up to at most limit.
func (a *account) add(n, limit int64) {
	had := a.left
	a.left = max(had, min(had+n, limit))
	a.given += a.left - had
}

// spend takes n units for work that the host does on behalf of a guest.
func (a *account) spend(n int64) bool {
	if a.left < n {
		a.left = min(a.left, 0)
		return false
	}
	a.left -= n
	return true
}

// withhold takes n units out of the account, or half of it when that is less, which the caller puts back.
func (a *account) withhold(n int64) int64 {
	n = max(min(n, a.left/2), 0)
	a.left -= n
	return n
}

// begin starts the clock anew: a call of the guest, or a step of its setup.
func (a *account) begin() { a.since = time.Time{} }

// visit is what the host looks at whenever a guest or its companion comes by: whether it must end. The clock starts with the first
// visit, so that a short call does not pay for looking at it.
func (i *instance) visit() {
	a := i.acct
	if a.stop.Load() {
		i.stop(ErrInterrupted, "")
	}
	if a.since.IsZero() {
		a.since = time.Now()
	} else if limit := i.code.eng.opt.Watchdog; time.Since(a.since) > limit {
		i.stop(ErrWatchdog, "more than "+limit.String())
	}
}

// instance is one instantiated module. It is used by one goroutine at a time. After any error it is dead: its memory is
// unmapped and nothing of it is touched again.
type instance struct {
	code    *code
	mod     api.Module
	lin     linear
	fuel    api.MutableGlobal
	stack   api.MutableGlobal
	globals []api.MutableGlobal
	door    api.Function    // every call of a connection goes through it: it has a call stack of its own, which grows
	ctx     context.Context // carries the instance to the host's functions

	buf     buffers // read once, fixed for life
	textLen uint32  // companions: address of the length of an error text

	acct  *account // whose fuel the present call spends
	env   *env     // what the host's functions offer to this instance
	cause error    // set by a host function before it traps: the kind of the failure
	why   string   // and details
	dead  bool
	args  [4]uint64

	rand uint64 // state of the deterministic random_get, part of a snapshot
	logs int    // bytes logged
}

// env is what the host's functions of an instance may reach.
type env struct {
	companions []*companion // sallyport.call by number
}

// calling is the context of an instance's calls. The engine asks it for values of its own at every call, which there are none of: they are not looked
// for in the contexts behind it.
type calling struct {
	context.Context
	i *instance
}

func (calling) Value(any) any { return nil }

// instanceOf finds the instance in whose call a host function runs.
func instanceOf(ctx context.Context) *instance { return ctx.(calling).i }

// fn finds an exported function. Each has a call stack of its own (10 KiB or more), so what is called once is not kept.
func (i *instance) fn(name string) api.Function { return i.mod.ExportedFunction(name) }

// enter calls one of a plugin's functions for connections.
func (i *instance) enter(f entry, acct *account, a0, a1, a2 uint64) (uint32, *Error) {
	if i.door == nil {
		i.door = i.fn(rewrite.JoinedFunc)
	}
	i.args = [4]uint64{uint64(f), a0, a1, a2}
	return i.call(entries[f], i.door, acct)
}

// call runs f with the arguments in i.args, on the given account. After an error the instance is still mapped, but must be
// killed by the caller, who may want to look at its memory before.
func (i *instance) call(name string, f api.Function, acct *account) (uint32, *Error) {
	i.acct, i.cause, i.why = acct, nil, ""
	i.stack.Set(uint64(i.code.stack))
	i.takeSlice()
	err := f.CallWithStack(i.ctx, i.args[:])
	i.returnSlice()
	i.acct = nil
	if e := i.searched(name); e != nil {
		return 0, e
	}
	if err != nil {
		return 0, i.failure(name, err)
	}
	return uint32(i.args[0]), nil
}

// searched looks for the canaries of a test.
func (i *instance) searched(call string) *Error {
	opt := &i.code.eng.opt
	if len(opt.Canaries) == 0 && opt.Search == nil {
		return nil
	}
	for _, mem := range i.own() {
		if opt.Search != nil {
			if what := opt.Search(mem); what != "" {
				return &Error{Plugin: i.code.name, Call: call, Kind: ErrCanary, Reason: what}
			}
		}
		for k, c := range opt.Canaries {
			if bytes.Contains(mem, c) {
				return &Error{Plugin: i.code.name, Call: call, Kind: ErrCanary, Reason: fmt.Sprintf("canary %d", k)}
			}
		}
	}
	return nil
}

// own is what of the memory the instance has written, in pieces that are not next to each other; all of it where nobody can tell.
func (i *instance) own() [][]byte {
	if parts, err := written(i.lin, i.code.eng.pages); err == nil {
		return parts
	}
	mem, _ := i.view(0, i.mod.Memory().Size())
	return [][]byte{mem}
}

// takeSlice moves a slice of the account into the instance; returnSlice moves back what is left of it, or what is owed: code is charged in
// more places than it is stopped, so a call can end with less than nothing.
func (i *instance) takeSlice() {
	n := min(i.acct.left, i.code.eng.opt.Fuel.Slice)
	i.acct.left -= n
	i.fuel.Set(uint64(n))
}

func (i *instance) returnSlice() {
	if n := int64(i.fuel.Get()); n < math.MaxInt64/2 {
		i.acct.left += n
	}
	i.fuel.Set(0)
}

// stop ends the present call from inside a host function.
func (i *instance) stop(kind error, why string) {
	i.cause, i.why = kind, why
	panic(kind)
}

func (i *instance) failure(call string, err error) *Error {
	e := &Error{Plugin: i.code.name, Call: call, Kind: i.cause, Reason: i.why}
	if e.Kind == nil {
		e.Kind, e.Reason = ErrTrap, trapReason(err)
		if e.Reason == "stack overflow" {
			e.Kind, e.Reason = ErrStack, ""
		}
	}
	if i.lin.refused() && (e.Kind == ErrTrap || e.Kind == ErrExit) {
		e.Kind, e.Reason = ErrMemory, e.Kind.Error()+" "+e.Reason
	}
	return e
}

// kill closes the instance and unmaps its memory. Idempotent.
func (i *instance) kill() {
	if i.dead {
		return
	}
	i.dead = true
	_ = i.mod.Close(context.Background())
	i.lin.Free() // already freed by Close, unless wazero did not get that far
	i.code.eng.stats.instances.Add(-1)
	i.code.release()
}

// view returns n bytes of memory at addr, valid until the memory grows or the instance dies.
func (i *instance) view(addr, n uint32) ([]byte, bool) {
	if i.dead {
		return nil, false
	}
	return i.mod.Memory().Read(addr, n)
}

func (i *instance) word(addr uint32) (uint32, bool) {
	if i.dead {
		return 0, false
	}
	return i.mod.Memory().ReadUint32Le(addr)
}

// buffers are the places in a guest's memory through which it and the host exchange bytes.
type buffers struct{ in, inCap, out, outCap uint32 }

// readBuffers calls sallyport_buffers and checks what it says: words u32 at the returned address, of which the first four are the
// buffers. It returns the address.
func (i *instance) readBuffers(acct *account, words uint32) (buffers, uint32, *Error) {
	bad := func(why string) (buffers, uint32, *Error) {
		return buffers{}, 0, &Error{Plugin: i.code.name, Call: expBuffers, Kind: ErrBadOutput, Reason: why}
	}
	addr, err := i.call(expBuffers, i.fn(expBuffers), acct)
	if err != nil {
		return buffers{}, 0, err
	}
	size := uint64(i.mod.Memory().Size())
	if uint64(addr)+4*uint64(words) > size {
		return bad("the table of buffers is outside of the memory")
	}
	var w [4]uint32
	for k := range w {
		w[k], _ = i.word(addr + 4*uint32(k))
	}
	b := buffers{w[0], w[1], w[2], w[3]}
	switch inEnd, outEnd := uint64(b.in)+uint64(b.inCap), uint64(b.out)+uint64(b.outCap); {
	case b.inCap < minBuffer || b.outCap < minBuffer:
		return bad("a buffer is smaller than 64 KiB")
	case inEnd > size || outEnd > size:
		return bad("a buffer is outside of the memory")
	case uint64(b.in) < outEnd && uint64(b.out) < inEnd:
		return bad("the buffers overlap")
	case b.outCap >= moreBit:
		return bad("the out buffer is larger than a length can say")
	}
	return b, addr, nil
}
