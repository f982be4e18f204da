// Package program runs programs of the operator's that the gateway calls: Extism plugins with one function, which is given bytes and
// answers with bytes. Judges and notifiers are made of it.
//
// Each call has an instance of its own, so nothing of one is left for the next. A program has no files, no environment, a clock and
// random numbers; it is limited in memory and time, and calls the hosts that the configuration lists and no others. Extism's SDK would
// follow redirects to anywhere, so its HTTP functions are replaced by those of this package (http.go).
package program

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"
)

// MaxFile bounds the file of a program, in bytes, MaxOutput what a call may answer with.
const (
	MaxFile   = 64 << 20
	MaxOutput = 1 << 20
)

// Options say what a program may have.
type Options struct {
	Wasm     []byte
	Function string   // what the program exports
	Hosts    []string // host:port
	Memory   int64    // bytes
	Settings map[string]string
	// Timeout bounds loading; how long a call may take its context says.
	Timeout time.Duration
}

// Program is a loaded program. It is safe for concurrent use.
type Program struct {
	function string
	compiled *extism.CompiledPlugin
	web      *web
}

// Error is a program's failure in its own words, one line of them. Nothing in it is safe to show as it is.
type Error struct {
	Text string
	Code uint32 // what the function returned; 0: it did not
}

func (e *Error) Error() string { return e.Text }

const page = 64 << 10

// Read reads the file of a program and checks that it is the one that is pinned.
func Read(path string, pinned [sha256.Size]byte) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	wasm, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, err
	}
	switch sum := sha256.Sum256(wasm); {
	case len(wasm) > MaxFile:
		return nil, fmt.Errorf("%s is larger than %d MiB", path, MaxFile>>20)
	case sum != pinned:
		return nil, fmt.Errorf("%s is not the file that is pinned: its sha256 is %x, the configuration says %x", path, sum, pinned)
	}
	return wasm, nil
}

// Load compiles a program, and checks that it is one.
func Load(ctx context.Context, o Options) (*Program, error) {
	wasm, err := redirected(o.Wasm)
	if err != nil {
		return nil, err
	}
	p := &Program{function: o.Function, web: newWeb(o.Hosts)}
	manifest := extism.Manifest{
		Wasm:   []extism.Wasm{extism.WasmData{Data: wasm}},
		Memory: &extism.ManifestMemory{MaxPages: uint32(max(o.Memory/page, 1)), MaxHttpResponseBytes: 0, MaxVarBytes: 0},
		Config: o.Settings,
		// Any value makes running code stop when its context ends.
		Timeout: uint64(max(o.Timeout, time.Millisecond) / time.Millisecond),
	}
	p.compiled, err = extism.NewCompiledPlugin(ctx, manifest, extism.PluginConfig{EnableWasi: true}, p.web.functions())
	if err != nil {
		return nil, fmt.Errorf("load the program: %w", err)
	}
	if err := p.check(ctx); err != nil {
		return nil, errors.Join(err, p.compiled.Close(ctx))
	}
	return p, nil
}

// check makes an instance, which finds what is missing.
func (p *Program) check(ctx context.Context) error {
	i, err := p.compiled.Instance(ctx, extism.PluginInstanceConfig{})
	if err != nil {
		return fmt.Errorf("load the program: %w", err)
	}
	defer i.Close(ctx)
	if !i.FunctionExists(p.function) {
		return fmt.Errorf("the program has no function %q", p.function)
	}
	return nil
}

// Close lets the program go. No call may be under way.
func (p *Program) Close() error {
	p.web.client.CloseIdleConnections()
	return p.compiled.Close(context.Background())
}

// Call has an instance answer. Its errors are those of ctx, and *Error for all that the program did wrong.
func (p *Program) Call(ctx context.Context, input []byte) ([]byte, error) {
	i, err := p.compiled.Instance(ctx, extism.PluginInstanceConfig{})
	if err != nil {
		return nil, failure(ctx, 0, err)
	}
	// What the limits ended is closed all the same.
	defer i.Close(context.WithoutCancel(ctx))
	i.SetLogger(func(extism.LogLevel, string) {}) // what it logs could be the agent's words
	code, output, err := i.CallWithContext(context.WithValue(ctx, callKey{}, &call{}), p.function, input)
	switch {
	case err != nil:
		return nil, failure(ctx, code, err)
	case code != 0:
		return nil, &Error{Text: fmt.Sprintf("it ended with %d", code), Code: code}
	case len(output) > MaxOutput:
		return nil, &Error{Text: fmt.Sprintf("it answered with %d bytes", len(output))}
	}
	return output, nil
}

// failure is the error of a call in one line.
func failure(ctx context.Context, code uint32, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text, _, _ := strings.Cut(err.Error(), "\n") // behind it is the stack
	return &Error{Text: text, Code: code}
}
