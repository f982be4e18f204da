package guest

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// companion is a pure function from bytes to bytes, run in copies that are reset after each call.
type companion struct {
	code *code
	snap *snapshot // nil: each call runs in a fresh instance
	pool chan *worker
}

// worker is one copy of a companion; its instance is nil before the first call and after a failure.
type worker struct {
	inst *instance
	f    api.Function
}

// What a call costs its caller beside what the companion computes: the copies of one call are made good for the next one by the host.
const (
	companionCost = 3_000   // units for each call
	pageCost      = 500     // units for each page of memory that it has touched
	discardCost   = 300_000 // units where the copy has to be replaced: the companion trapped, exited, ran dry or took memory
)

// dry is what a caller is told whose account does not suffice for the companion.
const dry = "the companion failed: fuel is spent"

// loadCompanion checks, compiles, initialises and warms up a companion.
func (e *Engine) loadCompanion(ctx context.Context, name string, wasm []byte) (*companion, error) {
	code, err := e.compile(ctx, name, wasm, 4*e.opt.Stack, allowWASI)
	if err != nil {
		return nil, err
	}
	c := &companion{code: code, pool: make(chan *worker, e.opt.Companions)}
	for range cap(c.pool) {
		c.pool <- &worker{}
	}
	if err := c.prepare(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *companion) prepare() error {
	err := errors.Join(
		c.code.wantExport(expInitialize, false, sig(0, false)),
		c.code.wantExport(expWarm, false, sig(0, false)),
		c.code.wantExport(expBuffers, true, sig(0, true)),
		c.code.wantExport(expCall, true, sig(1, true)),
	)
	if err != nil {
		return &Error{Plugin: c.code.name, Call: "load", Kind: ErrRefused, Reason: err.Error()}
	}
	i, err := c.warm(&account{})
	if err != nil {
		return err
	}
	defer i.kill()
	if c.code.eng.opt.Plain || !c.code.mod.Resettable {
		return nil
	}
	if c.snap, err = takeSnapshot(i); err != nil {
		c.code.eng.opt.Logger.Warn("no copy-on-write companions, falling back to plain instances", "plugin", c.code.name, "err", err)
	}
	return nil
}

// warm makes an instance from nothing, as far as a snapshot would hold it, and charges the caller for it.
func (c *companion) warm(caller *account) (*instance, error) {
	setup := c.code.eng.opt.Fuel.Setup
	acct := &account{left: setup}
	defer func() { caller.spend(setup - acct.left) }()
	i, err := c.code.fresh(acct, &env{})
	if err != nil {
		return nil, err
	}
	if err := c.settle(i, acct); err != nil {
		i.kill()
		return nil, err
	}
	return i, nil
}

func (c *companion) settle(i *instance, acct *account) error {
	if _, ok := c.code.mod.Functions[expWarm]; ok {
		if _, err := i.call(expWarm, i.fn(expWarm), acct); err != nil {
			return err
		}
	}
	b, addr, err := i.readBuffers(acct, 5)
	if err != nil {
		return err
	}
	i.buf, i.textLen = b, addr+16
	return nil
}

// close frees the copies; nobody may be in a call.
func (c *companion) close() {
	for range cap(c.pool) {
		w := <-c.pool
		if w.inst != nil {
			w.inst.kill()
		}
	}
	if c.snap != nil {
		c.snap.close()
	}
	c.code.refs.close()
}

// call runs the companion on in, and hands the result or the error text to the given functions while the copy is still as the call
// has left it. It waits for a free copy, which is a matter of fuel. An error that is not the companion's answer ends the caller. A
// companion that runs dry does not: its caller keeps a reserve to say so.
func (c *companion) call(acct *account, in []byte, result, failed func([]byte)) *Error {
	c.code.eng.stats.companionCalls.Add(1)
	base := c.code.eng.opt.Fuel.Base
	if acct.left < base/2 {
		acct.spend(companionCost)
		failed([]byte(dry))
		return nil
	}
	w := <-c.pool
	defer func() { c.pool <- w }()
	if err := c.ready(w, acct); err != nil {
		return err
	}
	clean := false // nothing has run, or it has returned and answered within bounds
	defer func() { acct.spend(c.restore(w, clean)) }()
	i := w.inst
	if len(in) > int(i.buf.inCap) {
		failed(fmt.Appendf(nil, "%d bytes are too much for the companion, which takes %d", len(in), i.buf.inCap))
		clean = true
		return nil
	}
	i.mod.Memory().Write(i.buf.in, in)
	i.args[0] = uint64(len(in))
	reserve := acct.withhold(base/2 + discardCost)
	r, err := i.call(expCall, w.f, acct)
	acct.left += reserve
	switch {
	case err != nil && err.Kind == ErrFuel:
		failed([]byte(dry))
		return nil
	case err != nil:
		return c.failure(i, err, failed)
	case int32(r) < 0:
		n := uint32(-1 - int32(r))
		text, ok := i.view(i.buf.out, n)
		if !ok || n > i.buf.outCap {
			failed([]byte("the companion answered with an error text out of bounds"))
			return nil
		}
		failed(text)
	default:
		out, ok := i.view(i.buf.out, r)
		if !ok || r > i.buf.outCap {
			failed([]byte("the companion answered with a result out of bounds"))
			return nil
		}
		result(out)
	}
	clean = true
	return nil
}

// failure decides what a call that did not return means: the end of the caller when it was interrupted, else an error that the caller
// gets as text, the companion's own where it has written one before it trapped. The instance is still mapped here.
func (c *companion) failure(i *instance, err *Error, failed func([]byte)) *Error {
	switch err.Kind {
	case ErrWatchdog, ErrInterrupted, ErrHost, ErrCanary:
		return err
	}
	if n, ok := i.word(i.textLen); ok && n > 0 {
		if text, ok := i.view(i.buf.out, min(n, i.buf.outCap)); ok {
			failed(text)
			return nil
		}
	}
	failed([]byte("the companion failed: " + err.Kind.Error() + " " + err.Reason))
	return nil
}

// restore makes a worker ready for the next call, or rids it of its instance, and says what that costs.
func (c *companion) restore(w *worker, clean bool) (units int64) {
	if clean && c.snap != nil {
		if pages, err := c.snap.reset(w.inst, companionCopyBack); err == nil {
			return companionCost + int64(pages)*pageCost
		}
	}
	w.inst.kill()
	w.inst, w.f = nil, nil
	return discardCost
}

// ready gives the worker an instance.
func (c *companion) ready(w *worker, caller *account) *Error {
	if w.inst != nil {
		return nil
	}
	var i *instance
	var err error
	if c.snap != nil {
		i, err = c.snap.clone(c.code)
	} else {
		i, err = c.warm(caller)
	}
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return e
		}
		return &Error{Plugin: c.code.name, Call: "companion", Kind: ErrHost, Reason: err.Error()}
	}
	w.inst, w.f = i, i.fn(expCall)
	return nil
}

// allowWASI accepts the imports of a companion.
func allowWASI(im rewrite.Import) error {
	if im.Module != wasiModule {
		return fmt.Errorf("import %q.%q %v is not one that a companion may have", im.Module, im.Name, im.Type)
	}
	return wantImport(wasiFunctions(), im)
}

// allowPlugin accepts the imports of a plugin.
func allowPlugin(im rewrite.Import) error {
	switch im.Module {
	case wasiModule:
		return wantImport(wasiFunctions(), im)
	case hostModule:
		return wantImport(hostFunctions(), im)
	}
	return fmt.Errorf("import %q.%q %v is not one that a plugin may have", im.Module, im.Name, im.Type)
}

func wantImport(fs []hostFunc, im rewrite.Import) error {
	for _, f := range fs {
		if f.name == im.Name {
			if f.sig.Equal(im.Type) {
				return nil
			}
			return fmt.Errorf("import %q.%q has the type %v, not %v", im.Module, im.Name, im.Type, f.sig)
		}
	}
	return fmt.Errorf("import %q.%q is not one that the host has", im.Module, im.Name)
}
