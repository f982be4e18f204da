package extism

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	sdk "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sallyport-dev/sallyport/host/guest"
)

// compile compiles the rewritten module, where the options say so once elsewhere before.
func (p *Plugin) compile(ctx context.Context) error {
	if err := p.trial(ctx); err != nil {
		return err
	}
	if err := p.openCache(ctx); err != nil {
		return err
	}
	ctx = experimental.WithFunctionListenerFactory(context.WithoutCancel(ctx), listeners{})
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2).WithDebugInfoEnabled(false)
	if p.cache != nil {
		config = config.WithCompilationCache(p.cache)
	}
	sdk.SetLogLevel(sdk.LogLevelInfo) // of the process; what guests write goes to the plugin's logger
	var err error
	p.compiled, err = sdk.NewCompiledPlugin(ctx, sdk.Manifest{
		Wasm:   []sdk.Wasm{sdk.WasmData{Data: p.mod.Wasm}},
		Memory: &sdk.ManifestMemory{MaxVarBytes: maxVariables}, // pages are limited by the allocator, which hears of it,
	}, sdk.PluginConfig{RuntimeConfig: config}, hostFunctions())
	if err != nil {
		p.free()
		return p.refused(fmt.Errorf("not a module that Extism can run: %w", err))
	}
	p.mod.Wasm = nil
	return nil
}

// trial has the module compiled by the options' compiler. Its result cannot be used, because Extism compiles with listeners; that it
// comes at all, within the compiler's limits, is what matters.
func (p *Plugin) trial(ctx context.Context) error {
	if p.opt.Compiler == nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "sallyport-trial-")
	if err != nil {
		return &guest.Error{Plugin: p.name, Call: "load", Kind: guest.ErrHost, Reason: err.Error()}
	}
	defer os.RemoveAll(dir)
	err = p.opt.Compiler.Compile(ctx, p.mod.Wasm, dir)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("plugin %s: load: %w", p.name, ctx.Err())
	case errors.Is(err, guest.ErrHost):
		return &guest.Error{Plugin: p.name, Call: "load", Kind: guest.ErrHost, Reason: strings.TrimPrefix(err.Error(), guest.ErrHost.Error()+": ")}
	}
	return p.refused(err)
}

// openCache opens the cache directory, once an engine of the native lane has made or refused it.
func (p *Plugin) openCache(ctx context.Context) error {
	if p.opt.CacheDir == "" {
		return nil
	}
	e, err := guest.NewEngine(ctx, guest.Options{CacheDir: p.opt.CacheDir})
	if err == nil {
		err = e.Close()
	}
	if err == nil {
		p.cache, err = wazero.NewCompilationCacheWithDir(p.opt.CacheDir)
	}
	if err != nil {
		return &guest.Error{Plugin: p.name, Call: "load", Kind: guest.ErrHost, Reason: err.Error()}
	}
	return nil
}

// free lets go of the compiled module.
func (p *Plugin) free() {
	if p.compiled != nil {
		_ = p.compiled.Close(context.Background())
	}
	if p.cache != nil {
		_ = p.cache.Close(context.Background())
	}
}
