package guest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// Template is a plugin with an endpoint's options, from which guests are made. It is safe for use by many goroutines.
type Template struct {
	plugin  *Plugin
	options []byte
	inCap   int       // capacity of the in buffer
	snap    *snapshot // nil: guests are plain instances
	refs    refs      // guests

	mu     sync.Mutex
	idle   []*instance
	closed bool
}

func newTemplate(p *Plugin, options []byte) (*Template, error) {
	t := &Template{plugin: p, options: bytes.Clone(options)}
	t.refs.free = t.free
	i, err := t.configured()
	if err != nil {
		return nil, err
	}
	defer i.kill()
	t.inCap = int(i.buf.inCap)
	if p.eng.opt.Plain || !p.code.mod.Resettable {
		return t, nil
	}
	if t.snap, err = takeSnapshot(i); err != nil {
		p.eng.opt.Logger.Warn("no copy-on-write guests, falling back to plain instances", "plugin", p.name, "err", err)
	}
	return t, nil
}

// configured makes an instance from nothing and configures it.
func (t *Template) configured() (*instance, error) {
	p := t.plugin
	acct := &account{left: p.eng.opt.Fuel.Setup}
	i, err := p.code.fresh(acct, p.env)
	if err != nil {
		return nil, err
	}
	if err := t.configure(i, acct); err != nil {
		i.kill()
		return nil, err
	}
	return i, nil
}

func (t *Template) configure(i *instance, acct *account) error {
	fail := func(kind error, why string) error {
		return &Error{Plugin: i.code.name, Call: expConfigure, Kind: kind, Reason: why}
	}
	b, _, err := i.readBuffers(acct, 4)
	if err != nil {
		return err
	}
	if len(t.options) > int(b.inCap) {
		return fail(ErrBadInput, fmt.Sprintf("%d bytes of options, the plugin takes %d", len(t.options), b.inCap))
	}
	i.mod.Memory().Write(b.in, t.options)
	i.args[0] = uint64(len(t.options))
	acct.begin()
	acct.left = i.code.eng.opt.Fuel.Setup
	r, err := i.call(expConfigure, i.fn(expConfigure), acct)
	if err != nil {
		return err
	}
	if n := int64(int32(r)); n < 0 {
		text, ok := i.view(b.out, uint32(min(-n, int64(b.outCap))))
		if !ok || -n > int64(b.outCap) {
			return fail(ErrBadOutput, fmt.Sprintf("length %d of a buffer of %d bytes", -n, b.outCap))
		}
		return fail(ErrConfigure, printable(text, maxErrorText))
	}
	again, _, err := i.readBuffers(acct, 4)
	if err != nil {
		return err
	}
	if again != b {
		return &Error{Plugin: i.code.name, Call: expBuffers, Kind: ErrBadOutput, Reason: "the buffers have moved"}
	}
	i.buf = b
	return nil
}

// New makes a guest for one connection: a reset one from the pool, else a clone, else a plain instance. The caller closes it.
func (t *Template) New(ctx context.Context) (*Guest, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("plugin %s: new guest: %w", t.plugin.name, err)
	}
	leave, err := t.plugin.eng.enter(t.plugin.name, "new guest")
	if err != nil {
		return nil, err
	}
	defer leave()
	if !t.refs.take() {
		return nil, &Error{Plugin: t.plugin.name, Call: "new guest", Kind: ErrClosed}
	}
	i := t.takeIdle()
	if i == nil {
		if i, err = t.make(); err != nil {
			t.refs.drop()
			return nil, err
		}
	}
	return newGuest(t, i)
}

// Prepare fills the pool with up to n clones, so that the first connections need not wait for theirs. It does nothing where there are
// no clones.
func (t *Template) Prepare(ctx context.Context, n int) error {
	leave, err := t.plugin.eng.enter(t.plugin.name, "prepare guests")
	if err != nil {
		return err
	}
	defer leave()
	if t.snap == nil || !t.refs.take() {
		return nil
	}
	defer t.refs.drop()
	for range n {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("plugin %s: prepare guests: %w", t.plugin.name, err)
		}
		if !t.room() {
			return nil
		}
		i, err := t.make()
		if err != nil {
			return err
		}
		t.put(i)
	}
	return nil
}

func (t *Template) make() (*instance, error) {
	s := &t.plugin.eng.stats
	if t.snap == nil {
		s.plain.Add(1)
		return t.configured()
	}
	s.clones.Add(1)
	i, err := t.snap.clone(t.plugin.code)
	if err != nil {
		return nil, err
	}
	i.env = t.plugin.env
	return i, nil
}

func (t *Template) takeIdle() *instance {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.idle)
	if n == 0 {
		return nil
	}
	i := t.idle[n-1]
	t.idle[n-1] = nil
	t.idle = t.idle[:n-1]
	t.plugin.eng.stats.idle.Add(-1)
	return i
}

// put takes back the instance of a guest that has ended without an error: reset into the pool, or killed.
func (t *Template) put(i *instance) {
	if t.snap != nil && t.room() && t.reset(i) {
		t.mu.Lock()
		if !t.closed && len(t.idle) < t.plugin.eng.opt.Idle {
			t.idle = append(t.idle, i)
			t.plugin.eng.stats.idle.Add(1)
			i = nil
		}
		t.mu.Unlock()
	}
	if i != nil {
		i.kill()
		t.plugin.eng.stats.discarded.Add(1)
	}
}

func (t *Template) reset(i *instance) bool {
	_, err := t.snap.reset(i, guestCopyBack)
	return err == nil
}

func (t *Template) room() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.closed && len(t.idle) < t.plugin.eng.opt.Idle
}

// Close says that no more guests will be made; those that run go on. Idempotent.
func (t *Template) Close() {
	t.mu.Lock()
	t.closed = true
	idle := t.idle
	t.idle = nil
	t.mu.Unlock()
	t.plugin.eng.stats.idle.Add(-int64(len(idle)))
	for _, i := range idle {
		i.kill()
	}
	t.refs.close()
}

// free runs when the template is closed and its last guest is gone.
func (t *Template) free() {
	if t.snap != nil {
		t.snap.close()
	}
	t.plugin.refs.drop()
}
