package rewrite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// run instantiates an original module, as it is.
func run(t *testing.T, wasm []byte) api.Module {
	t.Helper()
	ctx := t.Context()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { rt.Close(context.Background()) })
	m, err := rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// metered is a rewritten module that runs, with the host's part of the metering.
type metered struct {
	*rewrite.Module
	inst    api.Module
	refills int
	budget  int64
}

func (m *metered) global(name string) api.MutableGlobal {
	return m.inst.ExportedGlobal(name).(api.MutableGlobal)
}

// runMetered rewrites a module and does what the host does: data, start function, fuel.
func runMetered(t *testing.T, wasm []byte) *metered {
	t.Helper()
	r, err := rewrite.Rewrite(wasm, rewrite.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { rt.Close(context.Background()) })
	m := &metered{Module: r, budget: 1 << 40}
	_, err = rt.NewHostModuleBuilder(rewrite.RefillModule).NewFunctionBuilder().
		WithFunc(func(_ context.Context, why int32) {
			if m.refills++; why == rewrite.WhyStack {
				panic("stack")
			}
			fuel := m.global(rewrite.FuelGlobal)
			need := max(1000, -int64(fuel.Get()))
			if m.budget -= need; m.budget < 0 {
				panic("fuel")
			}
			fuel.Set(fuel.Get() + uint64(need))
		}).Export(rewrite.RefillName).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := rt.InstantiateWithConfig(ctx, r.Wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	m.inst = inst
	for _, d := range r.Data {
		if !inst.Memory().Write(d.Offset, d.Bytes) {
			t.Fatal("data out of range")
		}
	}
	m.global(rewrite.StackGlobal).Set(1 << 20)
	if r.Start {
		if _, err := inst.ExportedFunction(rewrite.StartFunc).Call(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// compare calls a function of one i32 in both worlds: results and memories must be the same, and the stack balanced.
func compare(t *testing.T, a api.Module, b *metered, name string, args ...uint64) {
	t.Helper()
	fa, fb := a.ExportedFunction(name), b.inst.ExportedFunction(name)
	b.global(rewrite.StackGlobal).Set(1 << 20)
	ra, ea := fa.Call(t.Context(), args...)
	rb, eb := fb.Call(t.Context(), args...)
	if (ea == nil) != (eb == nil) {
		t.Fatalf("%s%v: original %v, rewritten %v", name, args, ea, eb)
	}
	if fmt.Sprint(ra) != fmt.Sprint(rb) {
		t.Errorf("%s%v: original %v, rewritten %v", name, args, ra, rb)
	}
	if s := b.global(rewrite.StackGlobal).Get(); eb == nil && s != 1<<20 {
		t.Errorf("%s%v: stack is %d afterwards", name, args, s)
	}
	if a.Memory() != nil {
		ma, _ := a.Memory().Read(0, a.Memory().Size())
		mb, _ := b.inst.Memory().Read(0, b.inst.Memory().Size())
		if string(ma) != string(mb) {
			t.Errorf("%s%v: memories differ", name, args)
		}
	}
}

// clang builds a C file for plain WebAssembly.
func clang(t *testing.T, file string, flags ...string) []byte {
	t.Helper()
	cc, err := exec.LookPath("clang-16")
	if err != nil {
		t.Fatal("clang-16 is not installed: run scripts/deps build")
	}
	out := filepath.Join(t.TempDir(), "out.wasm")
	args := append([]string{"--target=wasm32", "-nostdlib", "-ffreestanding", "-fuse-ld=" + lld(t), "-Wl,--no-entry", "-o", out, file}, flags...)
	if msg, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		t.Fatalf("clang: %v\n%s", err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lld(t *testing.T) string {
	p, err := exec.LookPath("wasm-ld-16")
	if err != nil {
		t.Skip("wasm-ld-16 is not installed")
	}
	return p
}

func TestSameAsOriginalC(t *testing.T) {
	for _, flags := range [][]string{
		{"-O0", "-mbulk-memory"}, {"-O2", "-mbulk-memory"}, {"-O3", "-mbulk-memory", "-msimd128", "-mmultivalue"}, {"-Os", "-mbulk-memory"},
	} {
		t.Run(fmt.Sprint(flags), func(t *testing.T) {
			wasm := clang(t, "testdata/mix.c", flags...)
			a, b := run(t, wasm), runMetered(t, wasm)
			rnd := rand.New(rand.NewPCG(1, 2))
			for _, f := range []string{"sorted", "pointers", "machine", "copies", "floats", "wide", "vectors"} {
				for range 10 {
					compare(t, a, b, f, uint64(rnd.Uint32()))
				}
			}
			compare(t, a, b, "fib", 17)
			if b.refills == 0 || b.Stats.Loops == 0 || b.Stats.Guarded == 0 || !b.Resettable {
				t.Errorf("nothing was metered: %+v, %d refills", b.Stats, b.refills)
			}
		})
	}
}

// exits is one function with every way to leave it, with two results.
func exits() []byte {
	m := &wt.Module{}
	m.Memory(1)
	one := []byte{wt.I32}
	two := m.Type(nil, []byte{wt.I32, wt.I64})
	in := m.Type(one, one)
	leaf := m.Func("", one, one, nil, wt.Get(0), wt.I32Const(3), wt.Op(wt.I32Mul))
	block2 := append([]byte{0x02}, wt.U(two)...)
	loopIn := append([]byte{0x03}, wt.U(in)...)
	// br_table with the function itself as one target
	m.Func("f", one, []byte{wt.I32, wt.I64}, []byte{wt.I32},
		wt.Get(0), wt.Call(leaf), wt.Set(1),
		wt.Block(
			wt.Block(
				wt.Block(
					wt.Get(1), wt.I64Const(1), wt.Get(0), // results, should the function be the target
					append([]byte{0x0e}, append(wt.U(1), 3, 3)...)), // br_table to the function, whatever the index
				wt.Op(wt.Unreachable)),
			wt.Op(wt.Unreachable)),
		wt.I32Const(0), wt.I64Const(0))
	m.Func("g", one, []byte{wt.I32, wt.I64}, []byte{wt.I32},
		wt.Get(0), wt.Call(leaf), wt.Set(1),
		wt.Get(0), wt.I32Const(1), wt.Op(0x71), // and
		wt.If(wt.Get(1), wt.I64Const(7), wt.Op(wt.Return)),
		wt.Get(0), wt.I32Const(2), wt.Op(0x71),
		wt.If(wt.Loop(wt.Get(1), wt.I64Const(8), wt.Br(2))),
		wt.Get(0), wt.I32Const(4), wt.Op(0x71),
		wt.Op(block2...), wt.Get(1), wt.I64Const(9), wt.Get(0), wt.I32Const(8), wt.Op(0x71), wt.BrIf(1), wt.Op(wt.End),
		wt.Op(wt.Drop), wt.Op(wt.Drop), wt.Op(wt.Drop),
		// a loop with a parameter, counting down
		wt.Get(0), wt.I32Const(63), wt.Op(0x71),
		loopIn, wt.Set(1), wt.Get(1), wt.I32Const(1), wt.Op(wt.I32Sub), wt.Set(1), wt.Get(1), wt.Get(1), wt.I32Const(0), wt.Op(0x4a), wt.BrIf(0), wt.Op(wt.End),
		wt.I64Const(10), wt.Op(wt.Return), wt.Op(wt.Unreachable))
	return m.Bytes()
}

func TestSameAsOriginalExits(t *testing.T) {
	a, b := run(t, exits()), runMetered(t, exits())
	for n := range uint64(64) {
		compare(t, a, b, "f", n)
		compare(t, a, b, "g", n)
	}
}

// TestSameAsOriginalSegments has everything that refers to functions: calls, elements, a start function; and to
// segments.
func TestSameAsOriginalSegments(t *testing.T) {
	m := &wt.Module{}
	m.Memory(1)
	m.Table(10)
	i32 := []byte{wt.I32}
	typ := m.Type(i32, i32)
	a := m.Func("", i32, i32, nil, wt.Get(0), wt.I32Const(1), wt.Op(wt.I32Add))
	b := m.Func("", i32, i32, nil, wt.Get(0), wt.Call(a), wt.I32Const(5), wt.Op(wt.I32Mul))
	g := m.Global(wt.I32, true, wt.I32Const(7))
	s := m.Func("", nil, nil, nil, wt.I32Const(100), wt.GlobalGet(g), wt.Store32(0), wt.I32Const(9), wt.GlobalSet(g))
	m.Start(s)
	m.Elem(3, a, b, s)
	p := m.Passive([]byte("passive"))
	m.Data(200, []byte("active"))
	m.Func("f", i32, i32, nil, wt.Get(0), wt.Get(0), wt.CallIndirect(typ), wt.GlobalGet(g), wt.Op(wt.I32Add))
	m.Func("init", i32, i32, nil, wt.Get(0), wt.I32Const(1), wt.I32Const(3), wt.MemoryInit(p), wt.I32Const(0))
	wasm := m.Bytes()
	x, y := run(t, wasm), runMetered(t, wasm)
	for n := range uint64(12) { // out of the table, null, two functions, one of the wrong type
		compare(t, x, y, "f", n)
	}
	compare(t, x, y, "init", 300)
	compare(t, x, y, "init", 65534)
	if len(y.Globals) != 1 || !y.Resettable {
		t.Errorf("globals %v, resettable %v", y.Globals, y.Resettable)
	}
}
