package drivers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// The drivers of Go, and psql, are this test binary, started again with a role, so that they run inside the tunnel.
const (
	roleEnv = "SALLYPORT_DRIVERS_ROLE"
	modeEnv = "SALLYPORT_DRIVERS_MODE"
)

// step is a step of a scenario, as a driver gets it.
type step struct {
	Do         string
	SQL        string
	Args       []any
	Times      [][]any
	Statements []string
	Fetch      int
	During     string
	Table      string
	Rows       [][]any
}

// script is a scenario as a driver gets it.
type script struct {
	Name  string
	Steps []step
}

// player plays steps with a driver. Errors of the server come as *failed.
type player interface {
	play(ctx context.Context, s step) (result any, err error)
	close(ctx context.Context) error
}

// failed is an error of the server.
type failed struct{ state, message string }

func (f *failed) Error() string { return f.state + ": " + f.message }

// play is the main function of a role.
func play(role, file string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	if err := playFile(ctx, role, file); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		return 1
	}
	return 0
}

func playFile(ctx context.Context, role, file string) error {
	scripts, err := readScripts(file)
	if err != nil {
		return err
	}
	var p player
	switch role {
	case "pgx":
		p, err = newPgx(ctx, os.Getenv(modeEnv))
	case "pq":
		p, err = newPQ(ctx, os.Getenv(modeEnv))
	case "psql":
		return playPsql(ctx, scripts, os.Getenv(modeEnv))
	default:
		err = errors.New("no such role")
	}
	if err != nil {
		return err
	}
	for _, s := range scripts {
		for i, step := range s.Steps {
			result, err := p.play(ctx, normal(step))
			var f *failed
			if err != nil && !errors.As(err, &f) {
				return fmt.Errorf("%s, step %d: %w", s.Name, i, err)
			}
			if err != nil {
				printLine(s.Name, i, state(f.state), f.message)
			} else {
				printLine(s.Name, i, result, "")
			}
		}
	}
	return p.close(ctx)
}

func readScripts(file string) (scripts []script, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return scripts, json.Unmarshal(b, &scripts)
}

func printLine(scenario string, step int, result any, message string) {
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"scenario": scenario, "step": step, "result": result, "message": message})
}

// normal is a step whose numbers are integers, as in the file.
func normal(s step) step {
	for _, list := range append([][]any{s.Args}, append(s.Times, s.Rows...)...) {
		for i, v := range list {
			if f, ok := v.(float64); ok {
				list[i] = int(f)
			}
		}
	}
	return s
}

type object = map[string]any

var ok = object{"ok": true}

func state(code string) object { return object{"state": code} }

// attempt makes an error of the server a result.
func attempt(result any, err error) (any, error) {
	var f *failed
	if errors.As(err, &f) {
		return state(f.state), nil
	}
	return result, err
}

// several are the results of work for each of some items, whether it fails or not.
func several[T any](items []T, work func(T) (any, error)) (any, error) {
	results := []any{}
	for _, item := range items {
		r, err := attempt(work(item))
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return object{"results": results}, nil
}

// rows are rows as everything prints them; of many only the number.
func rows(all [][]any) object {
	if len(all) > 10 {
		return object{"many": len(all)}
	}
	if all == nil {
		all = [][]any{}
	}
	return object{"rows": all}
}
