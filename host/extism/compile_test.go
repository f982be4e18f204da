package extism

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/guest"
)

// compileArgument is what makes this test's program a compiling child.
const compileArgument = "compile-a-module"

func child(t *testing.T) *guest.Child {
	t.Helper()
	c, err := guest.SelfCompiler(compileArgument)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSlowToCompile: a module that is made to be slow to compile is refused in a child that may not take that long, and so it never is
// compiled here. Its twin, in which the same function is short, is a plugin.
func TestSlowToCompile(t *testing.T) {
	wasm := build(t, "refused.c", "-DGOOD")
	o := limits
	c := child(t)
	o.Compiler = c
	p, err := New(o).Load(t.Context(), "short", withFunctions(t, wasm, 4, []byte{0, 0x00, 0x0b}))
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	c.Wall = 200 * time.Millisecond
	slow := withFunctions(t, wasm, 4, costly())
	var e *guest.Error
	if _, err := New(o).Load(t.Context(), "slow", slow); !errors.As(err, &e) || e.Plugin != "slow" || !errors.Is(err, guest.ErrRefused) || !strings.Contains(err.Error(), "compiling took more than 200ms") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	c.Wall = patience
	if _, err := New(o).Load(ctx, "slow", slow); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	o.Compiler = &guest.Child{Command: []string{filepath.Join(t.TempDir(), "none")}}
	if _, err := New(o).Load(t.Context(), "good", wasm); !errors.Is(err, guest.ErrHost) {
		t.Errorf("without a compiler: %v", err)
	}
	o = limits
	o.CacheDir = t.TempDir()
	if err := os.Chmod(o.CacheDir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := New(o).Load(t.Context(), "good", wasm); !errors.Is(err, guest.ErrHost) || !strings.Contains(err.Error(), "0700") {
		t.Errorf("a cache that others may write to: %v", err)
	}
}

// costly is the code of a function that compiling takes seconds for: branches that some thousand values live across.
func costly() []byte {
	const locals = 3900
	u := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	b := slices.Concat([]byte{1}, u(locals), []byte{0x7f})
	for k := range locals { // local.get k, i32.const 1, i32.add, local.set
		b = slices.Concat(b, []byte{0x20}, u(k), []byte{0x41, 1, 0x6a, 0x21}, u(k*7%locals))
	}
	b = append(b, bytes.Repeat([]byte{0x02, 0x40, 0x20, 0, 0x0d, 0, 0x20, 5, 0x21, 6, 0x20, 6, 0x21, 7, 0x20, 7, 0x21, 8, 0x0b}, 55)...)
	for k := range locals {
		b = slices.Concat(b, []byte{0x20}, u(k), []byte{0x21, 0})
	}
	return append(b, 0x00, 0x0b) // unreachable: it fits any result
}

// withFunctions puts n functions of the same code behind those of a module. They have its first type without parameters.
func withFunctions(t *testing.T, wasm []byte, n int, code []byte) []byte {
	t.Helper()
	out := bytes.Clone(wasm[:8])
	kind := -1
	for rest := wasm[8:]; len(rest) > 0; {
		id := rest[0]
		size, k := binary.Uvarint(rest[1:])
		body := rest[1+k : 1+k+int(size)]
		rest = rest[1+k+int(size):]
		count, k := binary.Uvarint(body)
		add := func(entry []byte) {
			body = slices.Concat(binary.AppendUvarint(nil, count+uint64(n)), body[k:], bytes.Repeat(entry, n))
		}
		switch id {
		case 1:
			at := k
			for i := 0; i < int(count) && kind < 0; i++ { // all types here are shorter than 128 values
				if body[at+1] == 0 {
					kind = i
				}
				at += 2 + int(body[at+1])
				at += 1 + int(body[at])
			}
		case 3:
			add([]byte{byte(kind)})
		case 10:
			add(append(binary.AppendUvarint(nil, uint64(len(code))), code...))
		}
		out = append(out, id)
		out = append(binary.AppendUvarint(out, uint64(len(body))), body...)
	}
	if kind < 0 || kind > 127 {
		t.Fatal("no type without parameters")
	}
	return out
}
