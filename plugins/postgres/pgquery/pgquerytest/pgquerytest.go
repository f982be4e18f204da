// Package pgquerytest builds the PostgreSQL companion module once for all tests and runs it on wazero directly, without the
// gateway's metering, snapshots and resets. It is for tests only.
package pgquerytest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Module returns the companion's bytes. The first call on a machine builds it (some 20 seconds); later ones take it from the
// cache of pgquery/build, which goes by content.
func Module(tb testing.TB) []byte {
	tb.Helper()
	code, err := module()
	if err != nil {
		tb.Fatal(err)
	}
	return code
}

var module = sync.OnceValues(func() ([]byte, error) {
	script, err := buildScript()
	if err != nil {
		return nil, err
	}
	dir, err := cacheDir()
	if err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(dir, "test.lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	out, err := os.MkdirTemp("", "pgquerytest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	path := filepath.Join(out, "pgquery.wasm")
	if text, err := exec.Command(script, path).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the companion: %w\n%s", err, text)
	}
	return os.ReadFile(path)
})

// buildScript finds pgquery/build from any package of the module.
func buildScript() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "plugins", "postgres", "pgquery", "build"), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("pgquerytest: no go.mod above the working directory")
		}
		dir = parent
	}
}

// cacheDir is the folder that the build script uses as well.
func cacheDir() (string, error) {
	base := os.Getenv("SALLYPORT_CACHE")
	if base == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(user, "sallyport")
	}
	dir := filepath.Join(base, "pgquery")
	return dir, os.MkdirAll(dir, 0o700)
}

// lock keeps test processes from building the same objects at once.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { file.Close() }, nil
}

// Companion is one copy of the module. It is replaced by a new one after each trap. Safe for use by several goroutines, one call
// at a time.
type Companion struct {
	mu       sync.Mutex
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	instance *instance
	traps    int
}

type instance struct {
	module      api.Module
	call        api.Function
	in, inSize  uint32
	out, outCap uint32
	errorLength uint32 // address of the fifth word
}

// New makes a companion that lives as long as the test.
func New(tb testing.TB) *Companion {
	tb.Helper()
	code := Module(tb)
	ctx := context.Background()
	config := wazero.NewRuntimeConfig()
	if dir, err := cacheDir(); err == nil {
		if cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(dir, "wazero")); err == nil {
			config = config.WithCompilationCache(cache)
			tb.Cleanup(func() { cache.Close(ctx) })
		}
	}
	c := &Companion{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	tb.Cleanup(func() { c.runtime.Close(ctx) })
	var err error
	if c.compiled, err = c.runtime.CompileModule(ctx, code); err != nil {
		tb.Fatal(err)
	}
	return c
}

// Imports lists what the module wants from its host.
func (c *Companion) Imports() []string {
	var names []string
	for _, f := range c.compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		names = append(names, module+"."+name)
	}
	return names
}

// Traps counts the calls that ended in a trap.
func (c *Companion) Traps() int { return c.traps }

// A ParseError is what the parser says about a text that it does not accept.
type ParseError struct{ Text string }

func (e *ParseError) Error() string { return e.Text }

// Call runs the companion over one text and returns its record, or a *ParseError when the parser gave a reason.
func (c *Companion) Call(mode byte, text []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.instance == nil {
		var err error
		if c.instance, err = c.instantiate(); err != nil {
			return nil, err
		}
	}
	record, trapped, err := c.instance.run(mode, text)
	if trapped {
		c.traps++
		c.instance.module.Close(context.Background())
		c.instance = nil
	}
	return record, err
}

func (c *Companion) instantiate() (*instance, error) {
	ctx := context.Background()
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	module, err := c.runtime.InstantiateModule(ctx, c.compiled, config)
	if err != nil {
		return nil, err
	}
	if _, err := module.ExportedFunction("sallyport_warm").Call(ctx); err != nil {
		return nil, fmt.Errorf("sallyport_warm: %w", err)
	}
	result, err := module.ExportedFunction("sallyport_buffers").Call(ctx)
	if err != nil {
		return nil, fmt.Errorf("sallyport_buffers: %w", err)
	}
	address := uint32(result[0])
	var words [4]uint32
	for i := range words {
		value, ok := module.Memory().ReadUint32Le(address + uint32(4*i))
		if !ok {
			return nil, errors.New("sallyport_buffers points outside memory")
		}
		words[i] = value
	}
	return &instance{module: module, call: module.ExportedFunction("sallyport_call"),
		in: words[0], inSize: words[1], out: words[2], outCap: words[3], errorLength: address + 16}, nil
}

func (i *instance) run(mode byte, text []byte) (record []byte, trapped bool, err error) {
	if uint32(len(text))+1 > i.inSize {
		return nil, false, fmt.Errorf("%d bytes do not fit into the companion", len(text))
	}
	memory := i.module.Memory()
	memory.WriteByte(i.in, mode)
	memory.Write(i.in+1, text)
	stack := [1]uint64{uint64(len(text) + 1)}
	if err := i.call.CallWithStack(context.Background(), stack[:]); err != nil {
		n, _ := memory.ReadUint32Le(i.errorLength)
		if n == 0 || n > i.outCap {
			return nil, true, fmt.Errorf("the companion trapped: %w", err)
		}
		reason, _ := memory.Read(i.out, n)
		return nil, true, &ParseError{string(reason)}
	}
	n := int32(stack[0])
	if n < 0 {
		reason, _ := memory.Read(i.out, uint32(-1-n))
		return nil, false, &ParseError{string(reason)}
	}
	view, ok := memory.Read(i.out, uint32(n))
	if !ok {
		return nil, false, errors.New("the companion's result lies outside memory")
	}
	return append([]byte(nil), view...), false, nil
}
