// Package program asks judges that are programs: Extism plugins with the function "judge", which is shown an action as JSON and
// answers with JSON. How they are run and limited, package host/program says.
package program

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-dev/sallyport/host/judge"
	runner "github.com/sallyport-dev/sallyport/host/program"
)

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
type Program struct{ running *runner.Program }

// Load compiles a program, and checks that it is one.
func Load(ctx context.Context, o Options) (*Program, error) {
	p, err := runner.Load(ctx, runner.Options{Wasm: o.Wasm, Function: "judge", Hosts: o.Hosts, Memory: o.Memory, Settings: o.Settings, Timeout: o.Timeout})
	if err != nil {
		return nil, err
	}
	return &Program{p}, nil
}

// Close lets the program go. No question may be under way.
func (p *Program) Close() error { return p.running.Close() }

// Ask has an instance answer.
func (p *Program) Ask(ctx context.Context, s *judge.Subject) (judge.Answer, error) {
	input, err := s.JSON()
	if err != nil {
		return judge.Answer{}, err
	}
	output, err := p.running.Call(ctx, input)
	var failed *runner.Error
	switch {
	case errors.As(err, &failed):
		return judge.Answer{}, fmt.Errorf("the program failed: %s", judge.Line(failed.Text))
	case err != nil:
		return judge.Answer{}, err
	}
	var a judge.Answer
	a.Outcome, a.Reason, err = judge.ParseAnswer(output)
	return a, err
}
