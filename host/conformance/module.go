package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/sallyport-dev/sallyport/host/extism"
	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// MaxModule bounds a plugin's file, in bytes; it is what the gateway takes.
const MaxModule = 64 << 20

// ReadModule reads a plugin's file, bounded.
func ReadModule(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxModule+1))
	if err != nil {
		return nil, err
	}
	if len(b) > MaxModule {
		return nil, fmt.Errorf("%s: larger than %d MiB", path, MaxModule>>20)
	}
	return b, nil
}

// Options say how a module is loaded. The zero value is usable.
type Options struct {
	// CacheDir keeps compiled modules between runs.
	CacheDir string
	// Compiler compiles the module somewhere else than in this process, which nobody has vouched for; it needs CacheDir. Nil: it is
	// compiled here.
	Compiler guest.Compiler
	// Logger gets what the plugin logs; nil: nobody does.
	Logger *slog.Logger
	// Fuel in place of the gateway's defaults.
	Fuel guest.Fuel
}

// Module is a loaded plugin, in whatever lane.
type Module struct {
	Listing  *Listing
	Manifest *abi.Manifest

	configure func(ctx context.Context, options []byte) (template, error)
	close     []func() error
}

// template makes guests.
type template interface {
	new(ctx context.Context) (drygate.Guest, error)
	Close()
}

type nativeTemplate struct{ *guest.Template }

func (t nativeTemplate) new(ctx context.Context) (drygate.Guest, error) {
	g, err := t.New(ctx)
	if err != nil {
		return nil, err
	}
	return nativeGuest{g}, nil
}

// nativeGuest is a guest of host/guest as the gate sees it.
type nativeGuest struct{ *guest.Guest }

func (g nativeGuest) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	return g.Guest.Data(uint32(side), p, flags)
}

type extismTemplate struct{ *extism.Template }

func (t extismTemplate) new(ctx context.Context) (drygate.Guest, error) { return t.New(ctx) }

// Load loads a plugin as the gateway does: checked, metered, compiled, described; nothing of it has run on a connection.
func Load(ctx context.Context, name string, wasm []byte, o Options) (*Module, error) {
	listing, err := List(wasm)
	if err != nil {
		return nil, err
	}
	m := &Module{Listing: listing}
	var manifest []byte
	if listing.Lane == "extism" {
		manifest, err = m.loadExtism(ctx, name, wasm, o)
	} else {
		manifest, err = m.loadNative(ctx, name, wasm, o)
	}
	if err == nil {
		m.Manifest, err = abi.ParseManifest(manifest)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Module) loadNative(ctx context.Context, name string, wasm []byte, o Options) ([]byte, error) {
	engine, err := guest.NewEngine(ctx, guest.Options{CacheDir: o.CacheDir, Compiler: o.Compiler, Logger: o.Logger, Fuel: o.Fuel})
	if err != nil {
		return nil, err
	}
	m.close = append(m.close, engine.Close)
	p, err := engine.Load(ctx, name, wasm)
	if err != nil {
		return nil, err
	}
	m.close = append(m.close, func() error { p.Close(); return nil })
	m.configure = func(ctx context.Context, options []byte) (template, error) {
		t, err := p.Configure(ctx, options)
		if err != nil {
			return nil, err
		}
		return nativeTemplate{t}, nil
	}
	return p.Manifest(), nil
}

func (m *Module) loadExtism(ctx context.Context, name string, wasm []byte, o Options) ([]byte, error) {
	p, err := extism.New(extism.Options{CacheDir: o.CacheDir, Compiler: o.Compiler, Logger: o.Logger, Fuel: o.Fuel}).Load(ctx, name, wasm)
	if err != nil {
		return nil, err
	}
	m.close = append(m.close, func() error { p.Close(); return nil })
	m.configure = func(ctx context.Context, options []byte) (template, error) {
		t, err := p.Configure(ctx, options)
		if err != nil {
			return nil, err
		}
		return extismTemplate{t}, nil
	}
	return p.Manifest(), nil
}

// Close frees the module.
func (m *Module) Close() error {
	var errs []error
	for i := len(m.close) - 1; i >= 0; i-- {
		errs = append(errs, m.close[i]())
	}
	m.close = nil
	return errors.Join(errs...)
}

// Endpoint is a module configured with options, from which guests are made.
type Endpoint struct {
	Manifest *abi.Manifest
	// Options are what the plugin was configured with: every declared option.
	Options []byte

	template template
}

// Configure configures the module with an endpoint's options.
func (m *Module) Configure(ctx context.Context, options map[string]any) (*Endpoint, error) {
	resolved, err := m.Manifest.ResolveOptions(options)
	if err != nil {
		return nil, err
	}
	t, err := m.configure(ctx, resolved)
	if err != nil {
		return nil, err
	}
	return &Endpoint{m.Manifest, resolved, t}, nil
}

// Guest makes the guest of one connection; the caller closes it.
func (e *Endpoint) Guest(ctx context.Context) (drygate.Guest, error) { return e.template.new(ctx) }

// Close lets the endpoint go; guests that run go on.
func (e *Endpoint) Close() { e.template.Close() }
