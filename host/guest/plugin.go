package guest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// The functions of the plugin interface, version 0.
const (
	abiVersion = 0

	expInitialize = "_initialize"
	expABI        = "sallyport_abi"
	expBuffers    = "sallyport_buffers"
	expDescribe   = "sallyport_describe"
	expConfigure  = "sallyport_configure"
	expOpen       = "sallyport_open"
	expData       = "sallyport_data"
	expEvent      = "sallyport_event"
	expWarm       = "sallyport_warm"
	expCall       = "sallyport_call"

	companionSection = "sallyport.companion."
	moreBit          = 1 << 31
	maxErrorText     = 1024 // bytes of a guest's error text that go into an error
)

// entries are the functions that a connection calls, through one of the host's own.
var entries = []string{expOpen, expData, expEvent}

// entry is one of them.
type entry int

const (
	entryOpen entry = iota
	entryData
	entryEvent
)

func sig(params int, result bool) rewrite.FuncType {
	t := rewrite.FuncType{Params: bytes.Repeat([]byte{rewrite.I32}, params)}
	if result {
		t.Results = []byte{rewrite.I32}
	}
	return t
}

// Plugin is a loaded plugin: checked, compiled, described. It is safe for use by many goroutines.
type Plugin struct {
	eng      *Engine
	name     string
	digest   [32]byte
	code     *code
	manifest []byte
	env      *env
	rate     rate
	refs     refs // templates
}

// Load checks a plugin, compiles it and asks it for its manifest. What is wrong with the module is all said at once where
// possible; the error is an [*Error] that wraps [ErrRefused], or what the module did when it was initialised.
//
// The name is for messages. Load may take seconds for a large module that is not in the cache.
func (e *Engine) Load(ctx context.Context, name string, wasm []byte) (*Plugin, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("plugin %s: load: %w", name, err)
	}
	leave, err := e.enter(name, "load")
	if err != nil {
		return nil, err
	}
	defer leave()
	p := &Plugin{eng: e, name: name, digest: sha256.Sum256(wasm), env: &env{}}
	p.refs.free = p.free
	c, err := e.compile(ctx, name, wasm, e.opt.Stack, allowPlugin, entries...)
	if err != nil {
		return nil, err
	}
	p.code = c
	if err := p.prepare(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Plugin) prepare(ctx context.Context) error {
	if err := p.checkExports(); err != nil {
		return p.refused(err)
	}
	if err := p.describe(); err != nil {
		return err
	}
	if err := p.loadCompanions(ctx); err != nil {
		return err
	}
	p.rate = p.eng.opt.Fuel.rate(len(p.env.companions) > 0)
	p.code.mod.Customs = nil
	return nil
}

func (p *Plugin) refused(err error) error {
	return &Error{Plugin: p.name, Call: "load", Kind: ErrRefused, Reason: err.Error()}
}

func (p *Plugin) checkExports() error {
	c := p.code
	return errors.Join(
		c.wantExport(expInitialize, false, sig(0, false)),
		c.wantExport(expABI, true, sig(0, true)),
		c.wantExport(expBuffers, true, sig(0, true)),
		c.wantExport(expDescribe, true, sig(0, true)),
		c.wantExport(expConfigure, true, sig(1, true)),
		c.wantExport(expOpen, true, sig(1, true)),
		c.wantExport(expData, true, sig(3, true)),
		c.wantExport(expEvent, true, sig(1, true)),
	)
}

// describe runs the plugin once, for its version and its manifest.
func (p *Plugin) describe() error {
	acct := &account{left: p.eng.opt.Fuel.Setup}
	i, err := p.code.fresh(acct, &env{})
	if err != nil {
		return err
	}
	defer i.kill()
	v, e := i.call(expABI, i.fn(expABI), acct)
	if e != nil {
		return e
	}
	if v != abiVersion {
		return p.refused(fmt.Errorf("the plugin speaks version %d of the interface, this host version %d", int32(v), abiVersion))
	}
	b, _, e := i.readBuffers(acct, 4)
	if e != nil {
		return e
	}
	n, e := i.call(expDescribe, i.fn(expDescribe), acct)
	if e != nil {
		return e
	}
	if n > b.outCap {
		return &Error{Plugin: p.name, Call: expDescribe, Kind: ErrBadOutput, Reason: fmt.Sprintf("length %d of a buffer of %d bytes", int32(n), b.outCap)}
	}
	if again, _, e := i.readBuffers(acct, 4); e != nil {
		return e
	} else if again != b {
		return &Error{Plugin: p.name, Call: expBuffers, Kind: ErrBadOutput, Reason: "the buffers have moved"}
	}
	out, ok := i.view(b.out, n)
	if !ok {
		return &Error{Plugin: p.name, Call: expDescribe, Kind: ErrBadOutput, Reason: outOfRange}
	}
	p.manifest = bytes.Clone(out)
	return nil
}

// loadCompanions prepares the companions that the manifest lists, in its order.
func (p *Plugin) loadCompanions(ctx context.Context) error {
	var m struct {
		Companions []struct {
			Name string `json:"name"`
		} `json:"companions"`
	}
	if err := json.Unmarshal(p.manifest, &m); err != nil {
		return p.refused(fmt.Errorf("the manifest is not JSON: %w", err))
	}
	sections := map[string][]byte{}
	for _, c := range p.code.mod.Customs {
		if name, ok := strings.CutPrefix(c.Name, companionSection); ok {
			if _, dup := sections[name]; dup {
				return p.refused(fmt.Errorf("companion %q is there twice", name))
			}
			sections[name] = c.Bytes
		}
	}
	for _, c := range m.Companions {
		wasm, ok := sections[c.Name]
		if !ok {
			return p.refused(fmt.Errorf("companion %q: the file has no section %q, or the manifest lists it twice", c.Name, companionSection+c.Name))
		}
		delete(sections, c.Name)
		comp, err := p.eng.loadCompanion(ctx, p.name+"/"+c.Name, wasm)
		if err != nil {
			return err
		}
		p.env.companions = append(p.env.companions, comp)
	}
	for name := range sections {
		return p.refused(fmt.Errorf("companion %q is in the file but not in the manifest", name))
	}
	return nil
}

// Name returns the name given to Load.
func (p *Plugin) Name() string { return p.name }

// Manifest returns what sallyport_describe wrote: JSON, not checked beyond that. The caller must not change it.
func (p *Plugin) Manifest() []byte { return p.manifest }

// Digest returns the SHA-256 of the plugin file.
func (p *Plugin) Digest() [32]byte { return p.digest }

// Configure makes a template: initialised, configured with the endpoint's options, ready to be cloned. Options that the plugin
// refuses are an error that wraps [ErrConfigure] with the plugin's text.
func (p *Plugin) Configure(ctx context.Context, options []byte) (*Template, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("plugin %s: configure: %w", p.name, err)
	}
	leave, err := p.eng.enter(p.name, expConfigure)
	if err != nil {
		return nil, err
	}
	defer leave()
	if !p.refs.take() {
		return nil, &Error{Plugin: p.name, Call: expConfigure, Kind: ErrClosed}
	}
	t, err := newTemplate(p, options)
	if err != nil {
		p.refs.drop()
		return nil, err
	}
	return t, nil
}

// Close says that no more templates will be made. What runs goes on; memory is freed with the last template. Idempotent.
func (p *Plugin) Close() { p.refs.close() }

func (p *Plugin) free() {
	for _, c := range p.env.companions {
		c.close()
	}
	p.code.refs.close()
}
