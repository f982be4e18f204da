package extism

import (
	"errors"
	"fmt"

	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

const (
	envModule  = "extism:host/env"
	wasiModule = "wasi_snapshot_preview1"
)

// Prices of a call, in units of fuel, which are about nanoseconds. Extism makes a call stack of 10 KiB for each function of its
// kernel that it runs.
const (
	inHost   = 100
	inKernel = 1000
)

// charges says what a call of each function of Extism that a guest may import costs.
var charges = map[string]charge{
	"input_load_u64": {units: inHost}, "load_u64": {units: inHost}, "store_u64": {units: inHost}, "get_log_level": {units: inHost},
	"input_length": {units: inKernel}, "input_offset": {units: inKernel}, "input_load_u8": {units: inKernel},
	"load_u8": {units: inKernel}, "store_u8": {units: inKernel}, "length_unsafe": {units: inKernel},
	"length": {units: inKernel, search: true}, "free": {units: inKernel, search: true},
	"alloc": {units: inKernel, search: true, block: true}, "output_set": {units: inKernel, search: true},
	"error_set": {units: inKernel, search: true, copies: true}, "config_get": {units: 3 * inKernel, search: true, copies: true},
	"var_get":   {units: 4 * inKernel, search: true, copies: true, block: true},
	"var_set":   {units: 4 * inKernel, search: true, copies: true},
	"log_trace": {units: 3 * inKernel, search: true, copies: true}, "log_debug": {units: 3 * inKernel, search: true, copies: true},
	"log_info": {units: 3 * inKernel, search: true, copies: true}, "log_warn": {units: 3 * inKernel, search: true, copies: true},
	"log_error": {units: 3 * inKernel, search: true, copies: true},
}

// charge is the price of one function.
type charge struct {
	units  int64
	search bool // walks the kernel's blocks
	block  bool // adds one
	copies bool // copies as much as the kernel's memory may hold
}

// Is reports whether a module is one for this lane: it imports something of extism:host/env. A file that cannot be read is not;
// whoever loads it says what is wrong with it.
func Is(wasm []byte) bool {
	r := reader{b: wasm}
	if string(r.take(8)) != "\x00asm\x01\x00\x00\x00" {
		return false
	}
	for len(r.b) > 0 && !r.bad {
		id := r.take(1)
		body := r.take(int(r.u32()))
		if r.bad || id[0] > 2 {
			return false
		}
		if id[0] == 2 {
			return importsEnv(reader{b: body})
		}
	}
	return false
}

func importsEnv(r reader) bool {
	for n := r.u32(); n > 0 && !r.bad; n-- {
		module := string(r.take(int(r.u32())))
		r.take(int(r.u32()))
		if !r.bad && module == envModule {
			return true
		}
		if kind := r.take(1); r.bad || kind[0] != 0 {
			return false
		}
		r.u32()
	}
	return false
}

// reader takes bytes off the front of a module.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) u32() (v uint32) {
	for shift := 0; shift < 35; shift += 7 {
		b := r.take(1)
		if r.bad {
			return 0
		}
		v |= uint32(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return v
		}
	}
	r.bad = true
	return 0
}

// checkImports names every import that a guest may not have.
func checkImports(m *rewrite.Module) error {
	var bad []error
	for _, im := range m.Imports {
		switch im.Module {
		case envModule:
			if _, ok := charges[im.Name]; !ok {
				bad = append(bad, fmt.Errorf("import %q.%q is one of Extism that a plugin of this gateway may not have", im.Module, im.Name))
			}
		case wasiModule:
			if f, ok := findWASI(im.Name); !ok {
				bad = append(bad, fmt.Errorf("import %q.%q is not one that the host has", im.Module, im.Name))
			} else if !f.sig.Equal(im.Type) {
				bad = append(bad, fmt.Errorf("import %q.%q has the type %v, not %v", im.Module, im.Name, im.Type, f.sig))
			}
		default:
			bad = append(bad, fmt.Errorf("import %q.%q %v is not one that a plugin may have", im.Module, im.Name, im.Type))
		}
	}
	return errors.Join(bad...)
}

// checkExports checks that every function of the interface is there: without parameters, and with the i32 result that Extism's
// PDKs give it, or none.
func checkExports(m *rewrite.Module) error {
	var bad []error
	for _, name := range []string{expABI, expDescribe, expConfigure, expOpen, expData, expEvent} {
		t, ok := m.Functions[name]
		switch {
		case !ok:
			bad = append(bad, fmt.Errorf("function %q () -> (i32) is not exported", name))
		case len(t.Params) != 0 || len(t.Results) > 1 || len(t.Results) == 1 && t.Results[0] != rewrite.I32:
			bad = append(bad, fmt.Errorf("function %q has the type %v, not () -> (i32)", name, t))
		}
	}
	if t, ok := m.Functions[expInitialize]; ok && len(t.Params)+len(t.Results) != 0 {
		bad = append(bad, fmt.Errorf("function %q has the type %v, not () -> ()", expInitialize, t))
	}
	return errors.Join(bad...)
}
