package guest

import (
	"context"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// hostModule is the module name of the host's own functions.
const hostModule = "sallyport"

// hostFunc is a function that modules may import.
type hostFunc struct {
	name string
	sig  rewrite.FuncType
	f    func(i *instance, s []uint64)
}

// signature parses "iiI:i": parameters, then results; i is i32, I is i64.
func signature(s string) (t rewrite.FuncType) {
	to := &t.Params
	for _, c := range s {
		switch c {
		case 'i':
			*to = append(*to, rewrite.I32)
		case 'I':
			*to = append(*to, rewrite.I64)
		case ':':
			to = &t.Results
		}
	}
	return t
}

func hostFunctions() []hostFunc {
	return []hostFunc{
		{"call", signature("iiiii:i"), hostCall},
		{"log", signature("ii:"), hostLog},
	}
}

// hostModules registers everything that modules can import.
func (e *Engine) hostModules() error {
	meter := []hostFunc{{rewrite.RefillName, signature("i:"), refill}}
	for module, fs := range map[string][]hostFunc{
		hostModule: hostFunctions(), wasiModule: wasiFunctions(), rewrite.RefillModule: meter,
	} {
		b := e.rt.NewHostModuleBuilder(module)
		for _, f := range fs {
			fn := f.f
			b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, s []uint64) {
				fn(instanceOf(ctx), s)
			}), f.sig.Params, f.sig.Results).Export(f.name)
		}
		if _, err := b.Instantiate(e.ctx); err != nil {
			return fmt.Errorf("host module %s: %w", module, err)
		}
	}
	return nil
}

// refill is called when a slice of fuel or the call stack is used up. That it is a call into Go at all lets the host's garbage
// collector run.
func refill(i *instance, s []uint64) {
	if uint32(s[0]) == rewrite.WhyStack {
		i.stop(ErrStack, "")
	}
	i.visit()
	have := int64(i.fuel.Get())
	n := min(i.acct.left, max(i.code.eng.opt.Fuel.Slice, -have))
	if have+n < 0 {
		i.stop(ErrFuel, "")
	}
	i.acct.left -= n
	i.fuel.Set(uint64(have + n))
}

// charge takes fuel for work of the host on n bytes.
func (i *instance) charge(n uint32) {
	cost := 60 + int64(n)/16
	if have := int64(i.fuel.Get()); have >= cost {
		i.fuel.Set(uint64(have - cost))
		return
	}
	i.visit()
	i.returnSlice()
	if !i.acct.spend(cost) {
		i.stop(ErrFuel, "")
	}
	i.takeSlice()
}

// mem returns n bytes of the instance's memory, or ends the call.
func (i *instance) mem(addr, n uint64) []byte {
	b, ok := i.view(uint32(addr), uint32(n))
	if !ok {
		i.stop(ErrBadOutput, fmt.Sprintf("a host function got address %#x and length %d, outside of the memory", uint32(addr), uint32(n)))
	}
	return b
}

// hostCall is sallyport.call(k, in, inLen, out, outCap): a function of companion k.
func hostCall(i *instance, s []uint64) {
	k, in, out := uint32(s[0]), i.mem(s[1], s[2]), i.mem(s[3], s[4])
	i.charge(uint32(s[2]))
	if k >= uint32(len(i.env.companions)) {
		i.stop(ErrBadOutput, fmt.Sprintf("sallyport.call of companion %d, of which there are %d", k, len(i.env.companions)))
	}
	i.visit() // a guest that calls companions all the time has a fresh slice after each
	if len(out) >= 1<<31 {
		out = out[:1<<31-1]
	}
	var r int32
	tell := func(text []byte) { r = -1 - int32(copy(out, text)) }
	acct := i.acct
	i.returnSlice() // the companion spends from the same account
	err := i.env.companions[k].call(acct, in, func(b []byte) {
		if len(b) > len(out) {
			tell(fmt.Appendf(nil, "the result has %d bytes, there is room for %d", len(b), len(out)))
			return
		}
		r = int32(copy(out, b))
	}, tell)
	if err != nil {
		i.stop(err.Kind, strings.TrimSpace(err.Reason+" in companion "+err.Plugin))
	}
	i.takeSlice()
	i.charge(uint32(max(r, -1-r)))
	s[0] = uint64(uint32(r))
}

// hostLog is sallyport.log(ptr, len).
func hostLog(i *instance, s []uint64) {
	b := i.mem(s[0], s[1])
	i.charge(uint32(s[1]))
	i.log(b)
}

const maxLogLine = 1024

// log writes a bounded line of a guest to the log, until the guest's limit is reached.
func (i *instance) log(b []byte) {
	limit := i.code.eng.opt.LogLimit
	if len(b) == 0 || i.logs >= limit {
		return
	}
	n := min(len(b), maxLogLine)
	i.logs += n + 32 // empty lines are not free either
	i.code.eng.opt.Logger.Info(printable(b, maxLogLine), "plugin", i.code.name)
	if i.logs >= limit {
		i.code.eng.opt.Logger.Warn("the guest has logged too much, the rest is dropped", "plugin", i.code.name, "limit", limit)
	}
}
