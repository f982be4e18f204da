package guest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// code is a rewritten, compiled module, shared by all instances of it. Each instance is a user.
type code struct {
	eng      *Engine
	name     string // for errors: plugin, or plugin/companion
	mod      *rewrite.Module
	compiled wazero.CompiledModule
	stack    int64 // call stack of one call, estimated bytes
	refs     refs
}

// compile checks, rewrites and compiles one module. allowed says which imports it may have, join which of its exports are called through
// one function.
func (e *Engine) compile(ctx context.Context, name string, wasm []byte, stack int64, allowed func(rewrite.Import) error, join ...string) (*code, error) {
	refuse := func(err error) error {
		return &Error{Plugin: name, Call: "load", Kind: ErrRefused, Reason: err.Error()}
	}
	lim := rewrite.DefaultLimits()
	lim.MemoryPages = uint32(e.opt.MemoryLimit / wasmPage)
	m, err := rewrite.Rewrite(wasm, lim, join...)
	if err != nil {
		return nil, refuse(err)
	}
	var bad []error
	for _, im := range m.Imports {
		if err := allowed(im); err != nil {
			bad = append(bad, err)
		}
	}
	if m.Memory != "memory" {
		bad = append(bad, errors.New(`no memory is exported under the name "memory"`))
	}
	if err := errors.Join(bad...); err != nil {
		return nil, refuse(err)
	}
	if err := e.precompile(ctx, name, m.Wasm); err != nil {
		return nil, err
	}
	compiled, err := e.rt.CompileModule(ctx, m.Wasm)
	if err != nil {
		return nil, refuse(fmt.Errorf("not valid WebAssembly: %w", err))
	}
	m.Wasm = nil // the compiled module has its own copy of what it needs
	c := &code{eng: e, name: name, mod: m, compiled: compiled, stack: stack}
	c.refs.free = func() { _ = compiled.Close(context.Background()) }
	return c, nil
}

func (c *code) release() { c.refs.drop() }

// wantExport checks that a function is exported with the given signature.
func (c *code) wantExport(name string, required bool, want rewrite.FuncType) error {
	got, ok := c.mod.Functions[name]
	switch {
	case !ok && required:
		return fmt.Errorf("function %q %v is not exported", name, want)
	case ok && !got.Equal(want):
		return fmt.Errorf("function %q has the type %v, not %v", name, got, want)
	}
	return nil
}

// moduleConfig is that of every instance: no name, nothing that runs by itself. A source of randomness is given because wazero would
// make one of 5 KiB for each instance; nothing reads from it.
func moduleConfig() wazero.ModuleConfig {
	return wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(strings.NewReader(""))
}

// instantiate makes an instance on the given memory, which belongs to the instance from then on, also after an error.
func (c *code) instantiate(lin linear) (*instance, error) {
	if !c.refs.take() {
		lin.Free()
		return nil, &Error{Plugin: c.name, Call: "instantiate", Kind: ErrClosed}
	}
	ctx := experimental.WithMemoryAllocator(c.eng.ctx, experimental.MemoryAllocatorFunc(
		func(_, _ uint64) experimental.LinearMemory { return lin }))
	mod, err := c.eng.rt.InstantiateModule(ctx, c.compiled, moduleConfig())
	if err != nil {
		lin.Free()
		c.release()
		return nil, &Error{Plugin: c.name, Call: "instantiate", Kind: ErrHost, Reason: trapReason(err)}
	}
	i := &instance{code: c, mod: mod, lin: lin}
	i.ctx = calling{c.eng.ctx, i}
	i.fuel = mod.ExportedGlobal(rewrite.FuelGlobal).(api.MutableGlobal)
	i.stack = mod.ExportedGlobal(rewrite.StackGlobal).(api.MutableGlobal)
	for _, g := range c.mod.Globals {
		i.globals = append(i.globals, mod.ExportedGlobal(g).(api.MutableGlobal))
	}
	c.eng.stats.instances.Add(1)
	return i, nil
}

// fresh makes an instance from nothing: initial data, start function, _initialize.
func (c *code) fresh(acct *account, env *env) (*instance, error) {
	lin, err := newLinear(uint64(c.mod.MaxPages)*wasmPage, c.eng.opt.Plain)
	if err != nil {
		return nil, &Error{Plugin: c.name, Call: "instantiate", Kind: ErrHost, Reason: err.Error()}
	}
	// Asked for here, because wazero would panic if the system had no memory.
	if size := uint64(c.mod.MinPages) * wasmPage; lin.Reallocate(size) == nil {
		lin.Free()
		return nil, &Error{Plugin: c.name, Call: "instantiate", Kind: ErrHost, Reason: fmt.Sprintf("no %d bytes of memory", size)}
	}
	i, err := c.instantiate(lin)
	if err != nil {
		return nil, err
	}
	i.env = env
	for _, d := range c.mod.Data {
		if !i.mod.Memory().Write(d.Offset, d.Bytes) {
			i.kill()
			return nil, &Error{Plugin: c.name, Call: "instantiate", Kind: ErrRefused, Reason: "a data segment lies outside of the memory"}
		}
	}
	if c.mod.Start {
		if _, err := i.call("start function", i.fn(rewrite.StartFunc), acct); err != nil {
			i.kill()
			return nil, err
		}
	}
	if _, ok := c.mod.Functions[expInitialize]; ok {
		if _, err := i.call(expInitialize, i.fn(expInitialize), acct); err != nil {
			i.kill()
			return nil, err
		}
	}
	return i, nil
}
