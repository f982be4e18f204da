package guest

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// compileArgument is what makes this test's program a compiling child.
const compileArgument = "compile-a-module"

func child(t *testing.T) *Child {
	t.Helper()
	c, err := SelfCompiler(compileArgument)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// costly is a module that rewriting lets pass and whose compiling takes seconds, of 60 KB for each function: branches that some thousand
// values live across.
func costly(functions int) []byte {
	const locals = 3900
	var set, get []byte
	for k := range locals {
		set = wt.Code(set, wt.Get(uint32(k)), wt.I32Const(int32(k)), wt.Op(wt.I32Add), wt.Set(uint32(k*7%locals)))
		get = wt.Code(get, wt.Get(uint32(k)), wt.Set(0))
	}
	branches := bytes.Repeat(wt.Block(wt.Get(0), wt.BrIf(0), wt.Get(5), wt.Set(6), wt.Get(6), wt.Set(7), wt.Get(7), wt.Set(8)), 55)
	body := slices.Concat([]byte{1}, wt.U(locals-1), i32, set, branches, get, wt.Get(0), []byte{wt.End})
	return wt.Plugin{Finish: func(m *wt.Module) {
		for range functions {
			m.FuncRaw("", i32, i32, body)
		}
	}}.Build()
}

// TestCompileChild compiles in a child, plugin and companion, and finds the result in the cache.
func TestCompileChild(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	c := &counting{Compiler: child(t)}
	for range 2 {
		e := newEngine(t, Options{CacheDir: dir, Compiler: c})
		mustData(t, start(t, template(t, load(t, e, "test", companionPlugin(wt.Companion{})), "")), "x", "+x")
	}
	if c.n != 4 {
		t.Errorf("%d modules were compiled elsewhere", c.n)
	}
	if files, _ := filepath.Glob(dir + "/*/*"); len(files) < 2 {
		t.Errorf("the cache holds %q", files)
	}
	e := newEngine(t, Options{CacheDir: dir, Compiler: child(t)})
	_, err := e.Load(t.Context(), "test", wt.Plugin{Data: wt.F32Const()}.Build())
	wantKind(t, err, ErrRefused, "not valid WebAssembly")
}

type counting struct {
	Compiler
	n int
}

func (c *counting) Compile(ctx context.Context, wasm []byte, dir string) error {
	c.n++
	return c.Compiler.Compile(ctx, wasm, dir)
}

// TestCompileChildLimits has a module that takes a minute to compile, and a child that may have less of everything in turn.
func TestCompileChildLimits(t *testing.T) {
	wasm := costly(25)
	for name, c := range map[string]struct {
		child Child
		linux bool
		say   string
	}{
		"clock":     {Child{Wall: 200 * time.Millisecond}, false, "took more than 200ms"},
		"processor": {Child{CPU: time.Second}, true, "processor time, the limit is 1s"},
		"memory":    {Child{Memory: 8 << 20}, true, "more than 8 MiB of memory"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.linux && runtime.GOOS != "linux" {
				t.Skip("needs limits on resources")
			}
			c.child.Command = child(t).Command
			e := newEngine(t, Options{CacheDir: filepath.Join(t.TempDir(), "cache"), Compiler: &c.child})
			_, err := e.Load(t.Context(), "test", wasm)
			if name == "memory" && underRace {
				c.say = ""
			}
			wantKind(t, err, ErrRefused, c.say)
			mustData(t, start(t, template(t, load(t, newEngine(t, Options{}), "good", wt.Plugin{}.Build()), "")), "x", "x")
		})
	}
}

func TestCompileChildCancelled(t *testing.T) {
	e := newEngine(t, Options{CacheDir: filepath.Join(t.TempDir(), "cache"), Compiler: child(t)})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := e.Load(ctx, "test", costly(25)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCompileChildBroken(t *testing.T) {
	if _, err := NewEngine(t.Context(), Options{Compiler: child(t)}); err == nil || !strings.Contains(err.Error(), "CacheDir") {
		t.Errorf("without a cache: %v", err)
	}
	for name, command := range map[string][]string{"nothing": nil, "no such program": {filepath.Join(t.TempDir(), "none")}} {
		e := newEngine(t, Options{CacheDir: filepath.Join(t.TempDir(), "cache"), Compiler: &Child{Command: command}})
		_, err := e.Load(t.Context(), "test", wt.Plugin{}.Build())
		t.Log(name, err)
		wantKind(t, err, ErrHost)
	}
	for _, in := range []string{"", "{}\n", `{"Dir":"/"}` + "\n", "text"} {
		cmd := exec.Command(child(t).Command[0], compileArgument)
		cmd.Stdin = strings.NewReader(in)
		if out, err := cmd.Output(); err == nil || len(out) == 0 {
			t.Errorf("%q: %q %v", in, out, err)
		}
	}
}
