//go:build !race

package rewrite_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// TestSameAsOriginalGo runs a stock-Go module with its garbage collector, goroutines and maps in both worlds. (Not with the race
// detector, under which compiling takes a minute.)
func TestSameAsOriginalGo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", file, "../testdata/goguest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rewrite.Rewrite(wasm, rewrite.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	a, b := goModule(t, wasm, nil), goModule(t, r.Wasm, r)
	for _, c := range []string{"seen a", "seen b", "gc", "goroutines", "seen a", "gc", "deep", "world", "seen c", "panic", "seen d"} {
		if x, y := ask(t, a, c), ask(t, b, c); x != y {
			t.Errorf("%s: original %s, rewritten %s", c, x, y)
		}
	}
}

// goModule instantiates a Go module with wazero's own WASI, whose clock and randomness are the same each time.
func goModule(t *testing.T, wasm []byte, r *rewrite.Module) api.Module {
	t.Helper()
	ctx := t.Context()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { rt.Close(context.Background()) })
	wasi_snapshot_preview1.MustInstantiate(ctx, rt)
	if r != nil {
		_, err := rt.NewHostModuleBuilder(rewrite.RefillModule).NewFunctionBuilder().
			WithFunc(func(_ context.Context, m api.Module, why int32) {
				if why == rewrite.WhyStack {
					panic("stack")
				}
				m.ExportedGlobal(rewrite.FuelGlobal).(api.MutableGlobal).Set(10_000)
			}).Export(rewrite.RefillName).Instantiate(ctx)
		if err != nil {
			t.Fatal(err)
		}
	}
	m, err := rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	if r != nil {
		for _, d := range r.Data {
			m.Memory().Write(d.Offset, d.Bytes)
		}
		m.ExportedGlobal(rewrite.StackGlobal).(api.MutableGlobal).Set(1 << 20)
	}
	if _, err := m.ExportedFunction("_initialize").Call(ctx); err != nil {
		t.Fatal(err)
	}
	return m
}

func ask(t *testing.T, m api.Module, command string) string {
	t.Helper()
	table, err := m.ExportedFunction("sallyport_buffers").Call(t.Context())
	if err != nil {
		return "error"
	}
	in, _ := m.Memory().ReadUint32Le(uint32(table[0]))
	out, _ := m.Memory().ReadUint32Le(uint32(table[0]) + 8)
	m.Memory().Write(in, []byte(command))
	n, err := m.ExportedFunction("sallyport_data").Call(t.Context(), 0, uint64(len(command)), 0)
	if err != nil {
		return "error"
	}
	b, _ := m.Memory().Read(out, uint32(n[0]))
	return fmt.Sprintf("%q", bytes.Clone(b))
}
