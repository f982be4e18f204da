package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// CheckOptions say how much Check does.
type CheckOptions struct {
	Options
	// Fixtures are lived through, besides the generic ones.
	Fixtures []*Fixture
	// Unfit are files that could be no fixtures, and why, for the report.
	Unfit []string
	// Runs bounds how many connections each check makes for each fixture; 0: 2,000. Where there are more places to cut, they are
	// spread evenly, and what goes wrong only at one of those between is not found.
	Runs int
	// Progress is told what is being done; it may be nil.
	Progress func(string)
}

// checker is one admission test.
type checker struct {
	ctx       context.Context
	opt       CheckOptions
	module    *Module
	report    *Report
	endpoints map[*Fixture]*Endpoint
}

// Check puts a plugin through the admission test. The error is about the circumstances: what is wrong with the plugin is in the report.
func Check(ctx context.Context, file string, wasm []byte, o CheckOptions) (*Report, error) {
	if o.Runs <= 0 {
		o.Runs = 2000
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	r := &Report{File: file, OK: true, Unfit: o.Unfit, Checks: []Result{}}
	listing, err := List(wasm)
	r.Module = listing
	if err != nil {
		r.add(&Result{Name: "module", Faults: []string{err.Error()}})
		return r, nil
	}
	o.Progress("load")
	m, err := Load(ctx, "plugin", wasm, o.Options)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		r.add(&Result{Name: "load", Faults: []string{err.Error()}})
		return r, nil
	}
	defer m.Close()
	if err := examine(ctx, r, m, wasm, o); err != nil {
		return nil, err
	}
	return r, nil
}

// examine makes every check of a module that is loaded.
func examine(ctx context.Context, r *Report, m *Module, wasm []byte, o CheckOptions) error {
	r.Plugin, r.Version = m.Manifest.Name, m.Manifest.Version
	fields := 0
	for _, f := range m.Manifest.Families {
		fields += len(f.Fields)
	}
	r.add(&Result{Name: "load", OK: true, Detail: fmt.Sprintf("%s %s: families %d, fields %d, options %d, constants %d, companions %d",
		m.Manifest.Name, m.Manifest.Version, len(m.Manifest.Families), fields, len(m.Manifest.Options), len(m.Manifest.Stock), len(m.Manifest.Companions))})
	c := &checker{ctx: ctx, opt: o, module: m, report: r, endpoints: map[*Fixture]*Endpoint{}}
	err := c.run()
	if err == nil && r.OK {
		r.Fuel, r.NoFuel, err = c.fuel(wasm)
	}
	return err
}

// run makes every check whose fixtures can be configured.
func (c *checker) run() error {
	configured := &Result{Name: "configure", OK: true}
	given := c.opt.Fixtures
	c.opt.Fixtures = nil
	for _, f := range append(slices.Clone(given), generic()...) {
		e, err := c.module.Configure(c.ctx, f.Script.Options)
		if err != nil {
			if f.Generic { // a plugin may need options
				continue
			}
			configured.fault("%s: %v", f.Name, err)
			continue
		}
		defer e.Close()
		c.endpoints[f] = e
		c.opt.Fixtures = append(c.opt.Fixtures, f)
	}
	configured.Detail = fmt.Sprintf("fixtures %d", len(given))
	if len(given) == 0 {
		configured.Detail = "no fixtures were given: only what suits any protocol is tried"
	}
	c.report.add(configured)
	for _, check := range []struct {
		name string
		do   func(*Result) error
	}{{"conversations", c.conversations}, {"repeats", c.repeats}, {"splits", c.splits}, {"truncation", c.truncation}, {"oversized", c.oversized}, {"lengths", c.lengths}, {"answers", c.answers}} {
		c.opt.Progress(check.name)
		r := &Result{Name: check.name, OK: true}
		if err := check.do(r); err != nil {
			return err
		}
		c.report.add(r)
	}
	return c.ctx.Err()
}

// guest makes a guest for a fixture.
func (c *checker) guest(f *Fixture, r *Result) (*tap, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	g, err := c.endpoints[f].Guest(c.ctx)
	if err != nil {
		return nil, err
	}
	r.Runs++
	return newTap(g), nil
}

// play lives through a fixture, cut in some way.
func (c *checker) play(f *Fixture, r *Result, cut conversation.Cut) (drygate.Transcript, *tap, error) {
	g, err := c.guest(f, r)
	if err != nil {
		return nil, nil, err
	}
	return f.Script.Replay(g, c.module.Manifest, cut), g, nil
}

// lawful notes what no plugin may do, whatever comes.
func lawful(r *Result, t drygate.Transcript, where string, args ...any) bool {
	if text := t.Breached(); text != "" {
		r.fault("%s: the gate cuts it off: %s", fmt.Sprintf(where, args...), text)
		return false
	}
	if err := t.Crashed(); err != nil {
		r.fault("%s: %v", fmt.Sprintf(where, args...), err)
		return false
	}
	return true
}

// conversations must go as they say.
func (c *checker) conversations(r *Result) error {
	n := 0
	for _, f := range c.opt.Fixtures {
		g, err := c.guest(f, r)
		if err != nil {
			return err
		}
		if !f.Expects {
			lawful(r, f.Script.Replay(g, c.module.Manifest, conversation.Cut{}), "%s", f.Name)
			continue
		}
		n++
		_, problems := f.Script.Play(g, c.module.Manifest, nil)
		for _, p := range problems {
			r.fault("%v", p)
		}
	}
	r.Detail = fmt.Sprintf("as expected: %d", n)
	return nil
}

// repeats: the same input has the same output.
func (c *checker) repeats(r *Result) error {
	for _, f := range c.opt.Fixtures {
		_, first, err := c.play(f, r, conversation.Cut{})
		if err != nil {
			return err
		}
		_, second, err := c.play(f, r, conversation.Cut{})
		if err != nil {
			return err
		}
		if first.digest() != second.digest() {
			r.fault("%s: two runs give different output", f.Name)
		}
	}
	r.Detail = "two runs give the same output"
	return nil
}

// splits: where the bytes are cut makes no difference.
func (c *checker) splits(r *Result) error {
	n := 0
	for _, f := range c.opt.Fixtures {
		whole, _, err := c.play(f, r, conversation.Cut{})
		if err != nil {
			return err
		}
		for _, cut := range append([]conversation.Cut{conversation.EachByte}, f.Script.Cuts(c.opt.Runs)...) {
			got, _, err := c.play(f, r, cut)
			if err != nil {
				return err
			}
			n++
			if same, a, b := whole.Equal(got); !same {
				r.fault("%s: cut %v:\nwhole: %s\ncut:   %s", f.Name, cut, a, b)
				break
			}
		}
		if r.enough() {
			break
		}
	}
	r.Detail = fmt.Sprintf("cuts that make no difference: %d", n)
	return nil
}

// fuel measures what whole fixtures spend, with an account that is never empty, or says why there is nothing to measure.
func (c *checker) fuel(wasm []byte) (f *Fuel, none string, err error) {
	const plenty = 1 << 40
	o := c.opt.Options
	o.Compiler = nil // the same module has just been compiled within its limits
	o.Fuel = guest.Fuel{Base: plenty, Cap: plenty, CompanionCap: plenty}
	m, err := Load(c.ctx, "plugin", wasm, o)
	if err != nil {
		return nil, "", err
	}
	defer m.Close()
	var perKiB []int64
	f = &Fuel{}
	for _, fx := range c.opt.Fixtures {
		e, err := m.Configure(c.ctx, fx.Script.Options)
		if err != nil {
			return nil, "", err
		}
		g, err := e.Guest(c.ctx)
		e.Close()
		if err != nil {
			return nil, "", err
		}
		t := newTap(g)
		t.full = plenty
		if _, ok := g.(fueled); !ok {
			g.Close()
			return nil, "guests of this lane do not say what they have left", nil
		}
		fx.Script.Replay(t, m.Manifest, conversation.Cut{})
		for _, s := range t.samples {
			perKiB = append(perKiB, s.fuel*1024/int64(s.bytes))
			f.Most = max(f.Most, s.fuel)
		}
	}
	if len(perKiB) == 0 {
		return nil, "in no fixture was the plugin shown a byte", nil
	}
	slices.Sort(perKiB)
	f.Deliveries, f.P50, f.P99 = len(perKiB), quantile(perKiB, 50), quantile(perKiB, 99)
	return f, "", nil
}

// quantile is the p-th percentile of sorted values.
func quantile[T any](sorted []T, p int) T { return sorted[(len(sorted)-1)*p/100] }
