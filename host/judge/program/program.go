// Package program asks judges that are programs: Extism plugins with the function "judge", which is shown an action as JSON and
// answers with JSON.
//
// Each question has an instance of its own, so nothing of one is left for the next. A program has no files, no environment, a clock and
// random numbers; it is limited in memory and time, and calls the hosts that the configuration lists and no others. Extism's SDK would
// follow redirects to anywhere, so its HTTP functions are replaced by those of this package (http.go).
package program

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"

	"github.com/sallyport-dev/sallyport/host/judge"
)

// MaxFile bounds the file of a program, in bytes.
const MaxFile = 64 << 20

// function is what a program exports.
const function = "judge"

// Options say what a program may have.
type Options struct {
	Wasm     []byte
	Hosts    []string // host:port
	Memory   int64    // bytes
	Settings map[string]string
	// Timeout bounds loading; how long an answer may take the context of Ask says.
	Timeout time.Duration
}

// Program is a loaded program. It is safe for concurrent use.
type Program struct {
	compiled *extism.CompiledPlugin
	web      *web
}

const page = 64 << 10

// Load compiles a program, and checks that it is one.
func Load(ctx context.Context, o Options) (*Program, error) {
	wasm, err := redirected(o.Wasm)
	if err != nil {
		return nil, err
	}
	p := &Program{web: newWeb(o.Hosts)}
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
	if !i.FunctionExists(function) {
		return fmt.Errorf("the program has no function %q", function)
	}
	return nil
}

// Close lets the program go. No question may be under way.
func (p *Program) Close() error {
	p.web.client.CloseIdleConnections()
	return p.compiled.Close(context.Background())
}

// Ask has an instance answer.
func (p *Program) Ask(ctx context.Context, s *judge.Subject) (judge.Answer, error) {
	input, err := s.JSON()
	if err != nil {
		return judge.Answer{}, err
	}
	i, err := p.compiled.Instance(ctx, extism.PluginInstanceConfig{})
	if err != nil {
		return judge.Answer{}, failure(ctx, err)
	}
	// What the limits ended is closed all the same.
	defer i.Close(context.WithoutCancel(ctx))
	i.SetLogger(func(extism.LogLevel, string) {}) // what it logs could be the agent's words
	code, output, err := i.CallWithContext(context.WithValue(ctx, callKey{}, &call{}), function, input)
	switch {
	case err != nil:
		return judge.Answer{}, failure(ctx, err)
	case code != 0:
		return judge.Answer{}, fmt.Errorf("the program ended with %d", code)
	}
	var a judge.Answer
	a.Outcome, a.Reason, err = judge.ParseAnswer(output)
	return a, err
}

// failure is the error of a call in one line.
func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text, _, _ := strings.Cut(err.Error(), "\n") // behind it is the stack
	return fmt.Errorf("the program failed: %s", judge.Line(text))
}
