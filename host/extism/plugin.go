package extism

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"

	sdk "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The functions of the plugin interface, version 0.
const (
	expInitialize = "_initialize"
	expABI        = "sallyport_abi"
	expDescribe   = "sallyport_describe"
	expConfigure  = "sallyport_configure"
	expOpen       = "sallyport_open"
	expData       = "sallyport_data"
	expEvent      = "sallyport_event"
)

// Engine loads plugins of this lane. It holds nothing but its options: each plugin has a runtime of its own.
type Engine struct{ opt Options }

// New makes an engine.
func New(opt Options) *Engine { return &Engine{opt.withDefaults()} }

// Plugin is a loaded plugin: checked, compiled, described. It is safe for use by many goroutines.
type Plugin struct {
	opt      Options
	name     string
	digest   [32]byte
	manifest []byte
	mod      *rewrite.Module
	compiled *sdk.CompiledPlugin
	cache    wazero.CompilationCache // of its own; nil: none

	mu     sync.Mutex
	users  int // templates and guests
	closed bool
}

// Load checks a plugin, compiles it and asks it for its manifest. Its error is a [*guest.Error], as in the native lane.
func (e *Engine) Load(ctx context.Context, name string, wasm []byte) (*Plugin, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("plugin %s: load: %w", name, err)
	}
	p := &Plugin{opt: e.opt, name: name, digest: sha256.Sum256(wasm)}
	lim := rewrite.DefaultLimits()
	lim.MemoryPages = uint32(e.opt.MemoryLimit / wasmPage)
	var err error
	if p.mod, err = rewrite.Rewrite(wasm, lim); err == nil {
		if err = checkImports(p.mod); err == nil {
			err = checkExports(p.mod)
		}
	}
	if err != nil {
		return nil, p.refused(err)
	}
	if err := p.compile(ctx); err != nil {
		return nil, err
	}
	if err := p.describe(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Plugin) refused(err error) error {
	return &guest.Error{Plugin: p.name, Call: "load", Kind: guest.ErrRefused, Reason: err.Error()}
}

// describe runs the plugin once, for its version and its manifest.
func (p *Plugin) describe() error {
	i, err := p.fresh()
	if err != nil {
		return err
	}
	defer i.kill()
	i.meter.left = p.opt.Fuel.Setup
	v, err := i.call(expABI, nil)
	if err != nil {
		return err
	}
	if len(v) != 4 || binary.LittleEndian.Uint32(v) != abi.Version {
		return p.refused(fmt.Errorf("%s gives %q, this host speaks version %d of the interface, as a u32", expABI, v[:min(len(v), 16)], abi.Version))
	}
	i.meter.left = p.opt.Fuel.Setup
	m, err := i.call(expDescribe, nil)
	if err != nil {
		return err
	}
	p.manifest = bytes.Clone(m)
	return nil
}

// Name returns the name given to Load.
func (p *Plugin) Name() string { return p.name }

// Manifest returns what sallyport_describe wrote: JSON, not checked. The caller must not change it.
func (p *Plugin) Manifest() []byte { return p.manifest }

// Digest returns the SHA-256 of the plugin file.
func (p *Plugin) Digest() [32]byte { return p.digest }

// Configure makes a template. Options that the plugin refuses are an error that wraps [guest.ErrConfigure] with the plugin's text.
func (p *Plugin) Configure(ctx context.Context, options []byte) (*Template, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("plugin %s: configure: %w", p.name, err)
	}
	if !p.take() {
		return nil, &guest.Error{Plugin: p.name, Call: expConfigure, Kind: guest.ErrClosed}
	}
	t := &Template{plugin: p, options: bytes.Clone(options)}
	i, err := t.configured()
	if err != nil {
		p.drop()
		return nil, err
	}
	i.kill()
	return t, nil
}

// Close says that no more templates will be made. What runs goes on; everything is freed with the last guest. Idempotent.
func (p *Plugin) Close() {
	p.mu.Lock()
	last := !p.closed && p.users == 0
	p.closed = true
	p.mu.Unlock()
	if last {
		p.free()
	}
}

func (p *Plugin) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.users++
	return true
}

func (p *Plugin) drop() {
	p.mu.Lock()
	p.users--
	last := p.closed && p.users == 0
	p.mu.Unlock()
	if last {
		p.free()
	}
}

// Template is a plugin with an endpoint's options, from which guests are made. It is safe for use by many goroutines.
type Template struct {
	plugin  *Plugin
	options []byte

	mu     sync.Mutex
	users  int
	closed bool
}

// configured makes an instance and configures it.
func (t *Template) configured() (*instance, error) {
	i, err := t.plugin.fresh()
	if err != nil {
		return nil, err
	}
	i.meter.left = i.opt.Fuel.Setup
	if _, err := i.call(expConfigure, t.options); err != nil {
		i.kill()
		return nil, err
	}
	i.meter.left = 0
	return i, nil
}

// New makes a guest for one connection; the caller closes it.
func (t *Template) New(ctx context.Context) (*Guest, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("plugin %s: new guest: %w", t.plugin.name, err)
	}
	t.mu.Lock()
	closed := t.closed
	if !closed {
		t.users++
	}
	t.mu.Unlock()
	if closed {
		return nil, &guest.Error{Plugin: t.plugin.name, Call: "new guest", Kind: guest.ErrClosed}
	}
	i, err := t.configured()
	if err != nil {
		t.drop()
		return nil, err
	}
	return &Guest{tmpl: t, inst: i, meter: &i.meter}, nil
}

func (t *Template) drop() {
	t.mu.Lock()
	t.users--
	last := t.closed && t.users == 0
	t.mu.Unlock()
	if last {
		t.plugin.drop()
	}
}

// Close says that no more guests will be made; those that run go on. Idempotent.
func (t *Template) Close() {
	t.mu.Lock()
	last := !t.closed && t.users == 0
	t.closed = true
	t.mu.Unlock()
	if last {
		t.plugin.drop()
	}
}
