// Package gateway puts the rooms together: from a configuration to a running gateway.
//
// [Assemble] loads every plugin, configures it for every endpoint and compiles every rule; what `sallyport check` reports is
// what it finds, so a configuration that checks is one that starts. [Assembly.Serve] then opens the state, the record and the
// tunnel, and serves connections until its context ends.
package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/extism"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/plugins"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// MaxPlugin bounds a plugin's file, in bytes.
const MaxPlugin = 64 << 20

// Options say how a gateway is put together.
type Options struct {
	// CacheDir keeps compiled plugins between runs; empty: they are compiled anew.
	CacheDir string
	// Logger gets what operators want to know; nil: nothing is logged.
	Logger *slog.Logger
	// Version is what runs, for the record; empty: it does not say.
	Version string
	// Progress is told what is being done, one line each; it may be nil.
	Progress func(string)
	// Record is a folder that gets a recording of each connection; empty: nothing is recorded. See MakeRecordings.
	Record string
	// Passphrase asks for the one that the sealed file is sealed with. It is called again at each reload that needs it; nil: there is nobody to ask.
	Passphrase func() ([]byte, error)
	// PolicyOnly loads only what decides: no secret and no certificate is read. Such an assembly explains and tries, and cannot serve.
	PolicyOnly bool
}

// Assembly is a checked configuration with everything loaded that it names.
type Assembly struct {
	cfg       *config.Config
	options   Options
	version   string
	log       *slog.Logger
	sandbox   *sandbox
	plugins   map[string]*plugin
	endpoints map[string]*endpoint
	rules     *decide.Engine
	effective []EffectiveRule // what rules was made of, by index
	revision  string          // policy, once it is served
	channels  channels
	judges    map[string]*panelist
	store     *secret.Store
	templates []templateKey // taken from the sandbox
	warnings  config.Problems

	mu     sync.Mutex
	users  int // connections
	closed bool
}

// plugin is a loaded plugin.
type plugin struct {
	module   module
	manifest *abi.Manifest
	digest   string // SHA-256 of its file, in hex
	key      pluginKey
}

// endpoint is what serving a connection to one endpoint needs.
type endpoint struct {
	cfg      *config.Endpoint
	manifest *abi.Manifest
	digest   string
	template template // nil for plugin "none", and where nothing is served

	transport
	mu     sync.Mutex        // of logins, once it is served
	logins map[string]*login // by profile; those that agents of it log in with by themselves are not there
}

// guest makes the guest of one connection.
func (e *endpoint) guest(ctx context.Context) (gate.Guest, error) {
	switch {
	case e.cfg.Plugin.Value == config.None:
		return e.relay(), nil
	case e.template == nil: // nothing may pass unread because something was not loaded
		return nil, fmt.Errorf("the plugin %s is not loaded", e.cfg.Plugin)
	}
	return e.template.newGuest(ctx)
}

// Assemble loads what a configuration names. What is wrong with the configuration is of type config.Problems, everything at
// once; the caller closes the assembly.
func Assemble(ctx context.Context, cfg *config.Config, o Options) (*Assembly, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	canaries, search := canaries(o.Logger)
	engine, err := guest.NewEngine(ctx, guest.Options{CacheDir: o.CacheDir, MemoryLimit: cfg.Limits.GuestMemory, Logger: o.Logger, Search: search})
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	box := newSandbox(engine, extism.New(extism.Options{MemoryLimit: cfg.Limits.GuestMemory, Logger: o.Logger}))
	box.canaries = canaries
	return assemble(ctx, cfg, o, box)
}

// assemble is Assemble in a sandbox that may hold another assembly already.
func assemble(ctx context.Context, cfg *config.Config, o Options, box *sandbox) (*Assembly, error) {
	box.enter()
	a := &Assembly{cfg: cfg, options: o, version: o.Version, log: o.Logger, sandbox: box, plugins: map[string]*plugin{}, endpoints: map[string]*endpoint{}, store: newSecrets(&cfg.Secrets, o.Passphrase)}
	a.store.Watch(box.canaries)
	problems, err := a.load(ctx, o.Progress)
	if err == nil && len(problems) > 0 {
		problems.Sort()
		err = problems
	}
	if err == nil {
		return a, nil
	}
	if unclosed := a.Close(); unclosed != nil {
		err = errors.Join(err, unclosed)
	}
	return nil, err
}

func (a *Assembly) load(ctx context.Context, progress func(string)) (config.Problems, error) {
	var problems config.Problems
	for i := range a.cfg.Plugins {
		p := &a.cfg.Plugins[i]
		progress("plugin " + p.Name.Value)
		loaded, err := a.loadPlugin(ctx, p)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			problems = append(problems, a.cfg.Problem(p.Pos, "%v", err))
			continue
		}
		a.plugins[p.Name.Value] = loaded
	}
	problems = append(problems, a.configure(ctx)...)
	if !a.options.PolicyOnly {
		problems = append(problems, a.transports(ctx, time.Now())...)
		_, unusable := a.receiptOptions(ctx)
		problems = append(problems, unusable...)
		problems = append(problems, a.checkSealed()...)
		problems = append(problems, a.reachable(ctx)...)
	}
	problems = append(problems, a.loadJudges(ctx, progress)...)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	problems = append(problems, a.compile()...)
	return problems, nil
}

func (a *Assembly) loadPlugin(ctx context.Context, p *config.Plugin) (*plugin, error) {
	wasm, err := moduleOf(p)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(wasm)
	if !p.Builtin && sum != p.SHA256 {
		return nil, fmt.Errorf("%s is not the file that is pinned: its sha256 is %x, the configuration says %x", p.Path, sum, p.SHA256)
	}
	key := pluginKey{p.Name.Value, sum}
	return a.sandbox.plugins.take(key, func() (*plugin, error) {
		module, err := a.sandbox.load(ctx, p.Name.Value, wasm)
		if err != nil {
			return nil, err
		}
		manifest, err := abi.ParseManifest(module.Manifest())
		if err != nil {
			module.Close()
			return nil, fmt.Errorf("plugin %s: %w", p.Name.Value, err)
		}
		return &plugin{module: module, manifest: manifest, digest: hex.EncodeToString(sum[:]), key: key}, nil
	})
}

// moduleOf reads a plugin's file, bounded.
func moduleOf(p *config.Plugin) ([]byte, error) {
	if p.Builtin {
		return plugins.Module(p.Name.Value)
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", p.Name.Value, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxPlugin+1))
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", p.Name.Value, err)
	}
	if len(b) > MaxPlugin {
		return nil, fmt.Errorf("plugin %s: %s is larger than %d MiB", p.Name.Value, p.Path, MaxPlugin>>20)
	}
	return b, nil
}

// configure makes the template of every endpoint.
func (a *Assembly) configure(ctx context.Context) config.Problems {
	var problems config.Problems
	for i := range a.cfg.Endpoints {
		c := &a.cfg.Endpoints[i]
		if c.Plugin.Value == config.None {
			a.endpoints[c.Name.Value] = &endpoint{cfg: c, manifest: relayManifest(c)}
			continue
		}
		p := a.plugins[c.Plugin.Value]
		if p == nil {
			continue // its own problem is on the list
		}
		e := &endpoint{cfg: c, manifest: p.manifest, digest: p.digest}
		options, err := p.manifest.ResolveOptions(values(c.Options))
		if err == nil && !a.options.PolicyOnly {
			e.template, err = a.template(ctx, p, options)
		}
		if err != nil {
			problems = append(problems, a.cfg.Problem(optionPos(c, err), "%v%s", err, otherOptions(p.manifest, err)))
		}
		a.endpoints[c.Name.Value] = e
	}
	return problems
}

// template is the plugin with these options.
func (a *Assembly) template(ctx context.Context, p *plugin, options []byte) (template, error) {
	key := templateKey{p.key, string(options)}
	t, err := a.sandbox.templates.take(key, func() (template, error) { return p.module.configure(ctx, options) })
	if err != nil {
		return nil, err
	}
	a.templates = append(a.templates, key)
	return t, nil
}

func values(options []config.Option) map[string]any {
	m := make(map[string]any, len(options))
	for _, o := range options {
		m[o.Name.Value] = o.Value
	}
	return m
}

// optionPos is the place of the option that an error is about, or of the endpoint.
func optionPos(c *config.Endpoint, err error) config.Pos {
	var bad *abi.OptionError
	if errors.As(err, &bad) {
		for _, o := range c.Options {
			if o.Name.Value == bad.Option {
				return o.Name.Pos
			}
		}
	}
	return c.Pos
}

// otherOptions names what a plugin has, behind an error about an option that it has not.
func otherOptions(m *abi.Manifest, err error) string {
	var bad *abi.OptionError
	if !errors.As(err, &bad) || slices.ContainsFunc(m.Options, func(o abi.Option) bool { return o.Name == bad.Option }) {
		return ""
	}
	var names []string
	for _, o := range m.Options {
		names = append(names, o.Name)
	}
	if len(names) == 0 {
		return "; it has none: remove it"
	}
	return "; it has: " + strings.Join(names, ", ")
}
