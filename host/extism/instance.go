package extism

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// instance is one instance of a module with a kernel of its own. One goroutine uses it at a time; after any error it is killed.
type instance struct {
	name   string
	opt    *Options
	plugin *sdk.Plugin
	kernel *memory
	main   *memory
	meter  meter
	rand   uint64
	logs   int
	ctx    context.Context
}

// fresh makes an instance from nothing: initial data, start function, _initialize.
func (p *Plugin) fresh() (*instance, error) {
	i := &instance{name: p.name, opt: &p.opt, kernel: &memory{limit: kernelPages * wasmPage}, main: &memory{limit: uint64(p.opt.MemoryLimit)}}
	if p.mod.MaxPages > 0 {
		i.main.limit = min(i.main.limit, uint64(p.mod.MaxPages)*wasmPage)
	}
	// Extism instantiates its kernel first and the module behind it.
	free := []*memory{i.kernel, i.main}
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(
		func(_, _ uint64) experimental.LinearMemory {
			if len(free) == 0 {
				return &memory{} // has no room: instantiating fails
			}
			m := free[0]
			free = free[1:]
			return m
		}))
	i.ctx = context.WithValue(context.Background(), instanceKey{}, i)
	plugin, err := p.compiled.Instance(ctx, sdk.PluginInstanceConfig{ModuleConfig: wazero.NewModuleConfig().WithRandSource(strings.NewReader(""))})
	if err != nil {
		return nil, p.refused(fmt.Errorf("not a module that Extism can run: %w", err))
	}
	i.plugin = plugin
	plugin.SetLogger(func(_ sdk.LogLevel, text string) { i.log([]byte(text)) })
	if err := i.begin(p.mod); err != nil {
		i.kill()
		return nil, err
	}
	return i, nil
}

// begin does what instantiating would have done, had rewriting not put it off.
func (i *instance) begin(m *rewrite.Module) error {
	for _, d := range m.Data {
		b, ok := i.main.view(uint64(d.Offset), uint64(len(d.Bytes)))
		if !ok {
			return &guest.Error{Plugin: i.name, Call: "instantiate", Kind: guest.ErrRefused, Reason: "a data segment lies outside of the memory"}
		}
		copy(b, d.Bytes)
	}
	i.meter.left = i.opt.Fuel.Setup
	_, isHaskell := m.Functions["hs_init"] // Extism itself runs its _initialize
	if m.Start {
		if _, err := i.call(rewrite.StartFunc, nil); err != nil {
			return err
		}
	}
	if _, ok := m.Functions[expInitialize]; ok && !isHaskell {
		if _, err := i.call(expInitialize, nil); err != nil {
			return err
		}
	}
	return nil
}

// call runs an exported function and returns its output. An error is a *guest.Error, after which the instance must be killed.
func (i *instance) call(name string, input []byte) ([]byte, error) {
	m := &i.meter
	m.armed, m.began, m.cause, m.why, m.blocks = false, time.Now(), nil, "", 1
	rc, out, err := i.plugin.CallWithContext(i.ctx, name, input)
	m.returnSlice()
	switch {
	case m.cause != nil || err != nil && !m.armed:
		return nil, i.failure(name, err)
	case err == nil && rc == 0:
		return out, nil
	case name == expConfigure && err != nil && !i.trapped(err):
		return nil, &guest.Error{Plugin: i.name, Call: name, Kind: guest.ErrConfigure, Reason: printable([]byte(err.Error()))}
	case err == nil:
		return nil, &guest.Error{Plugin: i.name, Call: name, Kind: guest.ErrTrap, Reason: fmt.Sprintf("returned code %d", int32(rc))}
	}
	return nil, i.failure(name, err)
}

// trapped reports whether an error is one of the machine, and not a text that the guest gave.
func (i *instance) trapped(err error) bool {
	return strings.Contains(err.Error(), "wasm error:") || strings.Contains(err.Error(), "(recovered by wazero)")
}

func (i *instance) failure(call string, err error) *guest.Error {
	e := &guest.Error{Plugin: i.name, Call: call, Kind: i.meter.cause, Reason: i.meter.why}
	if e.Kind == nil {
		e.Kind = guest.ErrTrap
		if err != nil {
			text, _, _ := strings.Cut(err.Error(), "\n")
			e.Reason = strings.TrimSuffix(strings.TrimPrefix(printable([]byte(text)), "wasm error: "), " (recovered by wazero)")
		}
		if e.Reason == "stack overflow" {
			e.Kind, e.Reason = guest.ErrStack, ""
		}
	}
	if (i.main.refused || i.kernel.refused) && errors.Is(e.Kind, guest.ErrTrap) {
		e.Kind, e.Reason = guest.ErrMemory, e.Kind.Error()+" "+e.Reason
	}
	return e
}

// kill closes the instance. Idempotent.
func (i *instance) kill() {
	if i.plugin != nil {
		_ = i.plugin.Close(context.Background())
		i.plugin = nil
	}
}

// log writes a bounded line of a guest to the log, until the guest's limit is reached.
func (i *instance) log(b []byte) {
	limit := i.opt.LogLimit
	if len(b) == 0 || i.logs >= limit {
		return
	}
	n := min(len(b), maxLogLine)
	i.logs += n + 32
	i.opt.Logger.Info(printable(b[:n]), "plugin", i.name)
	if i.logs >= limit {
		i.opt.Logger.Warn("the guest has logged too much, the rest is dropped", "plugin", i.name, "limit", limit)
	}
}

// printable bounds text from a guest and replaces what does not belong into a log line.
func printable(b []byte) string {
	b = b[:min(len(b), maxErrorText)]
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r == 0x2028 || r == 0x2029 || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(b), "?"))
}
