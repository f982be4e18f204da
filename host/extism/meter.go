package extism

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// meter is the fuel of one connection, and what the present call has done with it.
type meter struct {
	left  int64       // units not handed out as a slice
	stop  atomic.Bool // set from any goroutine: end at the next slice
	fuel  api.MutableGlobal
	stack api.MutableGlobal
	armed bool // the present call has entered the guest
	began time.Time

	blocks int64 // blocks of Extism's kernel that the present call may have made it search
	cause  error // set before a call is ended from inside: the kind of the failure
	why    string
}

// refill is called by the rewritten module when a slice of fuel or the call stack is used up. That it is a call into Go at all lets
// the host's garbage collector run.
func (i *instance) refill(s []uint64) {
	m := &i.meter
	if m.fuel == nil {
		i.stop(guest.ErrHost, "a guest runs without its meter")
	}
	if uint32(s[0]) == rewrite.WhyStack {
		i.stop(guest.ErrStack, "")
	}
	i.mayGoOn()
	have := int64(m.fuel.Get())
	n := min(m.left, max(i.opt.Fuel.Slice, -have))
	if have+n < 0 {
		i.stop(guest.ErrFuel, "")
	}
	m.left -= n
	m.fuel.Set(uint64(have + n))
}

// mayGoOn ends the present call when it was interrupted, or has taken too long by the clock.
func (i *instance) mayGoOn() {
	if i.meter.stop.Load() {
		i.stop(guest.ErrInterrupted, "")
	}
	if time.Since(i.meter.began) > i.opt.Watchdog {
		i.stop(guest.ErrWatchdog, fmt.Sprintf("after %v", i.opt.Watchdog))
	}
}

// charge takes fuel for work of the host on the guest's behalf.
func (i *instance) charge(cost int64) {
	m := &i.meter
	if m.fuel != nil {
		if have := int64(m.fuel.Get()); have >= cost {
			m.fuel.Set(uint64(have - cost))
			return
		}
	}
	i.mayGoOn()
	m.returnSlice()
	if !m.spend(cost) {
		i.stop(guest.ErrFuel, "")
	}
	m.takeSlice(i.opt.Fuel.Slice)
}

// stop ends the present call from inside a host function.
func (i *instance) stop(kind error, why string) {
	i.meter.cause, i.meter.why = kind, why
	panic(kind)
}

// add tops the account up to at most limit.
func (m *meter) add(n, limit int64) { m.left = max(m.left, min(m.left+n, limit)) }

func (m *meter) spend(n int64) bool {
	if m.left < n {
		m.left = 0
		return false
	}
	m.left -= n
	return true
}

// takeSlice moves a slice of the account into the guest; returnSlice moves back what is left of it.
func (m *meter) takeSlice(slice int64) {
	if m.fuel == nil {
		return
	}
	n := min(m.left, slice)
	m.left -= n
	m.fuel.Set(uint64(n))
}

func (m *meter) returnSlice() {
	if m.fuel == nil {
		return
	}
	if n := int64(m.fuel.Get()); n > 0 && n < math.MaxInt64/2 {
		m.left += n
	}
	m.fuel.Set(0)
}

type instanceKey struct{}

// instanceOf finds the instance in whose call a host function runs.
func instanceOf(ctx context.Context) *instance {
	i, _ := ctx.Value(instanceKey{}).(*instance)
	return i
}

// listeners is how the host gets between Extism and a guest: before the guest's exported functions, to hand it its first slice, and
// before the functions of Extism that it calls, to charge for them.
type listeners struct{}

// NewFunctionListener chooses the functions.
func (listeners) NewFunctionListener(def api.FunctionDefinition) experimental.FunctionListener {
	if def.GoFunction() == nil {
		for _, name := range def.ExportNames() {
			if entry[name] {
				return entered{}
			}
		}
		return nil
	}
	if def.ModuleName() != envModule {
		return nil
	}
	for _, name := range def.ExportNames() {
		if c, ok := charges[name]; ok {
			return charged{name, c}
		}
	}
	return nil
}

// entry are the functions that Extism may call in a guest.
var entry = map[string]bool{expABI: true, expDescribe: true, expConfigure: true, expOpen: true, expData: true, expEvent: true,
	expInitialize: true, rewrite.StartFunc: true, "hs_init": true}

// entered arms the meter of a call.
type entered struct{}

// Before runs before the guest's function.
func (entered) Before(ctx context.Context, mod api.Module, _ api.FunctionDefinition, _ []uint64, _ experimental.StackIterator) {
	i := instanceOf(ctx)
	if i == nil || i.meter.armed {
		return
	}
	m := &i.meter
	m.armed = true
	fuel, _ := mod.ExportedGlobal(rewrite.FuelGlobal).(api.MutableGlobal)
	stack, _ := mod.ExportedGlobal(rewrite.StackGlobal).(api.MutableGlobal)
	if fuel == nil || stack == nil {
		return // refill refuses to go on
	}
	m.fuel, m.stack = fuel, stack
	stack.Set(uint64(i.opt.Stack))
	m.takeSlice(i.opt.Fuel.Slice)
}

// After has nothing to do.
func (entered) After(context.Context, api.Module, api.FunctionDefinition, []uint64) {}

// Abort has nothing to do.
func (entered) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}

// charged makes a guest pay for a function of Extism before it runs.
type charged struct {
	name string
	charge
}

// Before charges.
func (c charged) Before(ctx context.Context, _ api.Module, _ api.FunctionDefinition, params []uint64, _ experimental.StackIterator) {
	i := instanceOf(ctx)
	if i == nil {
		return
	}
	cost := c.units
	if c.search {
		cost += 2 * i.meter.blocks
	}
	if c.copies {
		cost += int64(len(i.kernel.b)) / 8
	}
	if c.block {
		i.meter.blocks++
	}
	i.charge(cost)
	if c.name == "output_set" && params[1] > maxOutput {
		i.stop(guest.ErrBadOutput, "an output that is larger than may be")
	}
}

// After has nothing to do.
func (charged) After(context.Context, api.Module, api.FunctionDefinition, []uint64) {}

// Abort has nothing to do.
func (charged) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}
