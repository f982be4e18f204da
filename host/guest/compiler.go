package guest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Compiler compiles modules somewhere else than in this process.
type Compiler interface {
	// Compile leaves the native code of a module, which is checked and rewritten already, in the compilation cache in dir, a
	// directory that belongs to this process alone. An error that wraps [ErrHost] says that nothing is known about the module.
	Compile(ctx context.Context, wasm []byte, dir string) error
}

// Child compiles in a child process that can be killed, within limits on its processor time and memory (on Linux; elsewhere only the
// time by the clock is limited). It is for modules that nobody has vouched for: what rewriting refuses already keeps compiling
// below some 40 µs for each byte of code and 1 KiB of memory, which for a large module is still minutes.
//
// The child is a program that calls [CompileChild] when it sees Command's arguments, as its very first act: the running program itself, say.
type Child struct {
	Command []string      // program and arguments
	CPU     time.Duration // processor time, in whole seconds; default 60 s
	Memory  int64         // bytes, beyond what the program has when it starts; default 1 GiB
	Wall    time.Duration // time by the clock; default 2 minutes
}

// childTask is the first line of what the child reads; the module follows.
type childTask struct {
	Dir    string
	CPU    uint64 // seconds
	Memory int64
}

const (
	childRefused = 3        // exit status of a child that says why on its standard output
	childOutput  = 64 << 10 // bytes of its output that are looked at
)

func (c *Child) withDefaults() Child {
	d := *c
	if d.CPU <= 0 {
		d.CPU = time.Minute
	}
	d.CPU = max(d.CPU.Truncate(time.Second), time.Second)
	if d.Memory <= 0 {
		d.Memory = 1 << 30
	}
	if d.Wall <= 0 {
		d.Wall = 2 * time.Minute
	}
	return d
}

// Compile implements [Compiler].
func (c *Child) Compile(ctx context.Context, wasm []byte, dir string) error {
	d := c.withDefaults()
	if len(d.Command) == 0 {
		return fmt.Errorf("%w: no command for a compiling child", ErrHost)
	}
	task, err := json.Marshal(childTask{dir, uint64(d.CPU / time.Second), d.Memory})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHost, err)
	}
	limited, cancel := context.WithTimeout(ctx, d.Wall)
	defer cancel()
	cmd := exec.CommandContext(limited, d.Command[0], d.Command[1:]...)
	cmd.Env = []string{"GOTRACEBACK=none"} // the child needs nothing, and strangers' modules get nothing to steal
	cmd.WaitDelay = time.Second
	cmd.Stdin = io.MultiReader(bytes.NewReader(task), strings.NewReader("\n"), bytes.NewReader(wasm))
	var stdout, stderr tail
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// A child is told of its parent's end by the thread that has started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	diesWithParent(cmd)
	if err = cmd.Run(); err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("compile: %w", ctx.Err())
	}
	exited, ok := errors.AsType[*exec.ExitError](err)
	if !ok && limited.Err() == nil {
		return fmt.Errorf("%w: start a compiling child: %w", ErrHost, err)
	}
	return d.verdict(limited.Err() != nil, exited, stdout.String(), stderr.String())
}

// verdict says in words why a child has failed.
func (c *Child) verdict(late bool, exited *exec.ExitError, stdout, stderr string) error {
	switch {
	case late:
		return fmt.Errorf("compiling took more than %v", c.Wall)
	case exited.ExitCode() == childRefused:
		return fmt.Errorf("not valid WebAssembly: %s", printable([]byte(stdout), maxErrorText))
	case outOfMemory(stderr):
		return fmt.Errorf("compiling took more than %d MiB of memory", c.Memory>>20)
	case exited.ExitCode() < 0: // a signal; the system counts the processor time in its own way, so no comparison here
		used := (exited.UserTime() + exited.SystemTime()).Round(time.Millisecond)
		return fmt.Errorf("the compiling process was killed after %v of processor time, the limit is %v", used, c.CPU)
	}
	line, _, _ := strings.Cut(stderr, "\n")
	return fmt.Errorf("the compiling process failed: %v %s", exited, printable([]byte(line), maxErrorText))
}

// outOfMemory says whether a program's last words are about memory that it did not get.
func outOfMemory(text string) bool {
	for _, words := range []string{"out of memory", "cannot allocate", "pthread_create failed", "failed to create new OS thread"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// tail keeps the beginning of what is written to it.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	if room := childOutput - t.Len(); room > 0 {
		t.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// CompileChild is the child's side of [Child]: it limits itself, reads a module from in, and leaves its native code in the
// cache. The result is the exit status of the process.
func CompileChild(in io.Reader, out io.Writer) int {
	if err := compileChild(in); err != nil {
		fmt.Fprint(out, err)
		return childRefused
	}
	return 0
}

func compileChild(in io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(in, 256<<20))
	if err != nil {
		return err
	}
	line, wasm, _ := bytes.Cut(b, []byte("\n"))
	var task childTask
	if err := json.Unmarshal(line, &task); err != nil {
		return fmt.Errorf("task: %w", err)
	}
	if err := checkCacheDir(task.Dir); err != nil {
		return err
	}
	if err := limitSelf(task.CPU, task.Memory); err != nil {
		return fmt.Errorf("limit the compiling process: %w", err)
	}
	debug.SetMemoryLimit(task.Memory / 2)
	ctx := context.Background()
	cache, err := wazero.NewCompilationCacheWithDir(task.Dir)
	if err != nil {
		return err
	}
	_, err = wazero.NewRuntimeWithConfig(ctx, runtimeConfig(cache)).CompileModule(ctx, wasm)
	return err
}

// runtimeConfig is that of every engine and of a compiling child: what one compiles, the other finds in the cache.
func runtimeConfig(cache wazero.CompilationCache) wazero.RuntimeConfig {
	return wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithDebugInfoEnabled(false).
		WithCompilationCache(cache)
}

// precompile has a module compiled elsewhere, where the options say so.
func (e *Engine) precompile(ctx context.Context, name string, wasm []byte) error {
	if e.opt.Compiler == nil {
		return nil
	}
	err := e.opt.Compiler.Compile(ctx, wasm, e.opt.CacheDir)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("plugin %s: load: %w", name, ctx.Err())
	case errors.Is(err, ErrHost):
		return &Error{Plugin: name, Call: "load", Kind: ErrHost, Reason: strings.TrimPrefix(err.Error(), ErrHost.Error()+": ")}
	}
	return &Error{Plugin: name, Call: "load", Kind: ErrRefused, Reason: err.Error()}
}

// SelfCompiler is a [Child] that runs the present program again, with one argument by which its main function must recognise that it
// is to call [CompileChild]. It fails where the program's file is not known.
func SelfCompiler(argument string) (*Child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("a program for compiling: %w", err)
	}
	return &Child{Command: []string{exe, argument}}, nil
}
