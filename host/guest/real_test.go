package guest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/pack"
)

// The real modules: what ships, and what it was tested with.
const (
	builtPostgres = "../../plugins/built/postgres.wasm"
	vectorFiles   = "../../plugins/postgres/sqlfacts/testdata/*.txt"
)

func postgresWasm(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(builtPostgres)
	if os.IsNotExist(err) {
		t.Skip("the plugins are not built: run make plugins")
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// statements are the texts of the vectors: a line that begins with "> ", and the lines that follow up to the first fact.
func statements(t testing.TB) (all []string) {
	t.Helper()
	files, err := filepath.Glob(vectorFiles)
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if text, ok := strings.CutPrefix(s.Text(), "> "); ok {
				all = append(all, text)
			}
		}
		f.Close()
	}
	return all
}

// original is a companion as its author made it, on plain wazero: no metering, no snapshot, a new instance after each trap.
type original struct {
	rt       wazero.Runtime
	compiled wazero.CompiledModule
	mod      api.Module
}

func newOriginal(t testing.TB, wasm []byte) *original {
	t.Helper()
	ctx := context.Background()
	cache, err := wazero.NewCompilationCacheWithDir(sharedCache)
	if err != nil {
		t.Fatal(err)
	}
	o := &original{rt: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))}
	t.Cleanup(func() { o.rt.Close(ctx); cache.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, o.rt)
	if o.compiled, err = o.rt.CompileModule(ctx, wasm); err != nil {
		t.Fatal(err)
	}
	return o
}

// call answers as an engine's companion does: the result or an error text.
func (o *original) call(t testing.TB, in []byte) (result, failed []byte) {
	t.Helper()
	ctx := context.Background()
	call := func(name string, args ...uint64) (uint32, error) {
		f := o.mod.ExportedFunction(name)
		if f == nil {
			return 0, nil
		}
		r, err := f.Call(ctx, args...)
		if err != nil || len(r) == 0 {
			return 0, err
		}
		return uint32(r[0]), nil
	}
	if o.mod == nil {
		var err error
		if o.mod, err = o.rt.InstantiateModule(ctx, o.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions()); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{expInitialize, expWarm} {
			if _, err := call(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	table, err := call(expBuffers)
	if err != nil {
		t.Fatal(err)
	}
	mem := o.mod.Memory()
	word := func(k uint32) uint32 { w, _ := mem.ReadUint32Le(table + 4*k); return w }
	mem.Write(word(0), in)
	n, err := call(expCall, uint64(len(in)))
	if err != nil {
		text, _ := mem.Read(word(2), word(4))
		failed = bytes.Clone(text)
		o.mod.Close(ctx)
		o.mod = nil
		return nil, failed
	}
	if int32(n) < 0 {
		text, _ := mem.Read(word(2), uint32(-1-int32(n)))
		return nil, bytes.Clone(text)
	}
	b, _ := mem.Read(word(2), n)
	return bytes.Clone(b), nil
}

// TestCompanionSameAsOriginal gives every statement of the vectors to the shipped companion as it is and to the one that the engine
// runs, metered and reset after each call. It logs what they cost.
func TestCompanionSameAsOriginal(t *testing.T) {
	wasm := postgresWasm(t)
	brought, err := pack.List(wasm)
	if err != nil || len(brought) == 0 {
		t.Fatal("no companion", err)
	}
	a := newOriginal(t, brought[0].Module)
	b, err := newEngine(t, Options{CacheDir: sharedCache}).loadCompanion(t.Context(), "test/c", brought[0].Module)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	var perByte, perUnit []float64
	for _, s := range statements(t) {
		in := append([]byte{0}, s...)
		want, wantFailed := a.call(t, in)
		var got, failed []byte
		acct := &account{left: 1 << 40}
		from := time.Now()
		if err := b.call(acct, in, func(r []byte) { got = bytes.Clone(r) }, func(r []byte) { failed = bytes.Clone(r) }); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		took, units := float64(time.Since(from)), float64(1<<40-acct.left)
		perByte, perUnit = append(perByte, units/float64(len(in))), append(perUnit, took/units)
		if !bytes.Equal(got, want) || !bytes.Equal(failed, wantFailed) {
			t.Errorf("%s\n\toriginal %q %q\n\trewritten %q %q", s, want, wantFailed, got, failed)
		}
	}
	if len(perByte) < 200 {
		t.Errorf("only %d statements", len(perByte))
	}
	for name, v := range map[string][]float64{"units for a byte": perByte, "ns for a unit": perUnit} {
		slices.Sort(v)
		t.Logf("%s: p50 %.2f, p99 %.2f, most %.2f", name, v[len(v)/2], v[len(v)*99/100], v[len(v)-1])
	}
}

// TestLargeStatements has bulk inserts as ORMs write them, read through the shipped plugin: each is decided for what it is, and where
// fuel does not suffice it is opaque and the connection lives.
func TestLargeStatements(t *testing.T) {
	wasm := postgresWasm(t)
	rows := func(n int) string {
		return "insert into t values " + strings.Repeat("(0, 'name 0', now()), ", n) + "(1, 'x', now())"
	}
	var numbered strings.Builder
	numbered.WriteString("insert into t values ($1::text)")
	for i := 2; i <= 65535; i++ {
		fmt.Fprintf(&numbered, ", ($%d::text)", i)
	}
	for _, c := range []struct {
		name string
		text string
		fuel int64
		want abi.Class
	}{
		{"10,000 rows", rows(10_000), 0, abi.ClassWrite},
		{"20,000 rows", rows(20_000), 0, abi.ClassWrite},
		{"a megabyte of rows", rows(1_040_000 / len("(0, 'name 0', now()), ")), 0, abi.ClassWrite},
		{"65,535 parameters", numbered.String(), 0, abi.ClassWrite},
		{"little fuel", rows(20_000), 200_000_000, abi.ClassOpaque},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t, Options{CacheDir: sharedCache, Fuel: Fuel{CompanionCap: c.fuel}})
			g := start(t, template(t, load(t, e, "postgres", wasm), `{"max_message": 1048576}`))
			var asked []abi.Action
			do := func(list []byte, more bool, err error) {
				for {
					if err != nil {
						t.Fatal(err)
					}
					for len(list) > 0 {
						var cmd abi.Command
						if list, err = abi.Next(list, &cmd); err != nil {
							t.Fatal(err)
						}
						if cmd.Tag == abi.TagClose {
							t.Fatalf("closed: %s", cmd.Data)
						}
						if cmd.Tag == abi.TagAsk {
							asked = append(asked, abi.Action{Class: abi.Class(cmd.Data[2]), Title: string(cmd.Data[3:min(len(cmd.Data), 200)])})
						}
					}
					if !more {
						return
					}
					list, more, err = g.Event(nil)
				}
			}
			message := func(typ byte, body string) []byte {
				return append(binary.BigEndian.AppendUint32([]byte{typ}, uint32(4+len(body))), body...)
			}
			startup := append([]byte{0, 0, 0, 0, 0, 3, 0, 0}, "user\x00bench\x00\x00"...)
			startup[3] = byte(len(startup))
			do(g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "e", Peer: "p", Profile: "d"})))
			do(g.Data(0, startup, 0))
			do(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1})))
			do(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindConnected})))
			do(g.Data(1, slices.Concat(message('R', "\x00\x00\x00\x00"), message('S', "client_encoding\x00UTF8\x00"),
				message('S', "standard_conforming_strings\x00on\x00"), message('Z', "I")), 0))
			for p := range slices.Chunk(message('Q', c.text+"\x00"), g.InputCapacity()) {
				do(g.Data(0, p, 0))
			}
			if len(asked) != 2 || asked[1].Class != c.want {
				t.Errorf("%d bytes, %d million units: asked %+v, want one of class %v", len(c.text), g.FuelSpent()/1e6, asked[1:], c.want)
			}
			t.Logf("%d bytes: %d million units spent", len(c.text), g.FuelSpent()/1e6)
		})
	}
}
