package hostile

import (
	"bytes"
	"math/rand/v2"
	"slices"

	"github.com/sallyport-dev/sallyport/host/guest"
	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// broken are files that are no modules, or not whole.
func broken() []Module {
	whole := Benign()
	noise := make([]byte, 10_000)
	for k, rnd := 0, rand.New(rand.NewPCG(1, 2)); k < len(noise); k++ {
		noise[k] = byte(rnd.Uint32())
	}
	return list(AtLoad, guest.ErrRefused, map[string]entry{
		"an empty file":            {nil, "not a WebAssembly module"},
		"a text":                   {[]byte("hello, world"), "not a WebAssembly module"},
		"noise":                    {noise, "not a WebAssembly module"},
		"noise behind a header":    {slices.Concat([]byte("\x00asm\x01\x00\x00\x00"), noise), ""},
		"an empty module":          {[]byte("\x00asm\x01\x00\x00\x00"), "memory"},
		"a component":              {[]byte("\x00asm\x0d\x00\x01\x00"), "core module"},
		"cut in the middle":        {whole[:len(whole)/2], ""},
		"cut before the last":      {whole[:len(whole)-1], ""},
		"something behind it":      {append(bytes.Clone(whole), 1), "end"},
		"a section twice":          {wt.Section(whole, 11, []byte{0}), "out of order"},
		"a section of 4 GiB":       {append(bytes.Clone(whole), 0, 0xff, 0xff, 0xff, 0xff, 0x0f), "left"},
		"a body of the wrong type": {wt.Plugin{Data: wt.F32Const()}.Build(), "not valid"},
	})
}

// misfits are modules that want what the host does not have, or lack what it needs.
func misfits() []Module {
	imports := func(module, name string, params, results []byte) []byte {
		return wt.Plugin{Prepare: func(m *wt.Module) { m.Import(module, name, params, results) }}.Build()
	}
	raw := func(desc ...byte) []byte {
		return wt.Plugin{Prepare: func(m *wt.Module) { m.ImportRaw("env", "thing", desc) }}.Build()
	}
	without := func(name string) []byte { return wt.Plugin{Skip: map[string]bool{name: true}}.Build() }
	typed := func(name string, params, results []byte) []byte {
		return wt.Plugin{Signature: map[string][2][]byte{name: {params, results}}}.Build()
	}
	manifest := func(text string) []byte { return wt.Plugin{Manifest: text}.Build() }
	return slices.Concat(
		list(AtLoad, guest.ErrRefused, map[string]entry{
			"imports a system call":        {imports("env", "system", i32, i32), `"env"."system"`},
			"imports more of the host":     {imports("sallyport", "exec", i32, i32), `"sallyport"."exec"`},
			"imports the meter":            {imports("sallyport_meter", "refill", i32, nil), "refill"},
			"imports WASI that is not":     {imports("wasi_snapshot_preview1", "sock_open", i32, i32), "sock_open"},
			"imports with another type":    {imports("sallyport", "log", i32, nil), "(i32 i32) -> ()"},
			"imports the host's memory":    {raw(2, 0, 1), "only functions"},
			"imports a table":              {raw(1, wt.FuncRef, 0, 1), "only functions"},
			"imports a global":             {raw(3, wt.I32, 1), "only functions"},
			"exports the meter's global":   {with(func(m *wt.Module) { m.Func("__sallyport_fuel", nil, nil, nil) }), "the host's"},
			"writes the meter's global":    {wt.Plugin{Data: wt.Code(wt.I64Const(1<<60), wt.GlobalSet(0), zero)}.Build(), "global 0 does not exist"},
			"no version":                   {without("sallyport_abi"), "sallyport_abi"},
			"no data function":             {without("sallyport_data"), "sallyport_data"},
			"data function of two":         {typed("sallyport_data", []byte{wt.I32, wt.I32}, i32), "(i32 i32 i32) -> (i32)"},
			"event function of i64":        {typed("sallyport_event", []byte{wt.I64}, i32), "sallyport_event"},
			"open function without result": {typed("sallyport_open", i32, nil), ""},
			"memory under another name":    {wt.Plugin{Finish: func(m *wt.Module) { m.MemoryRaw([]byte{0, 1}) }}.Build(), "memories"},
		}),
		list(AtStart, guest.ErrRefused, map[string]entry{
			"another version":         {wt.Plugin{ABI: wt.I32Const(7)}.Build(), "version 7"},
			"a manifest that is text": {manifest("name: test"), "JSON"},
			"a companion that is not": {manifest(`{"companions":[{"name":"c"}]}`), `"c"`},
			"a companion not named":   {wt.WithCompanion(wt.Plugin{}.Build(), "c", wt.Companion{}.Build()), `"c"`},
			"a companion twice":       {manifest(`{"companions":[{"name":"c"},{"name":"c"}]}`), `"c"`},
		}),
	)
}

// bombs are modules that are cheap to send and costly to hold or to compile.
func bombs() []Module {
	times := func(n int, b ...[]byte) []byte { return bytes.Repeat(wt.Code(b...), n) }
	function := func(locals int, code ...[]byte) []byte {
		body := slices.Concat([]byte{1}, wt.U(uint32(locals)), i32, wt.Code(code...), []byte{wt.End})
		return with(func(m *wt.Module) { m.FuncRaw("", nil, nil, body) })
	}
	return list(AtLoad, guest.ErrRefused, map[string]entry{
		"a memory of 4 GiB":    {wt.Plugin{Pages: 65536}.Build(), "limit"},
		"a table of a billion": {with(func(m *wt.Module) { m.Table(1 << 30) }), "limit"},
		"many tables": {with(func(m *wt.Module) {
			times(0)
			m.Table(9)
			m.Table(9)
			m.Table(9)
			m.Table(9)
			m.Table(9)
		}), "tables"},
		"table.grow":                 {wt.Plugin{Finish: func(m *wt.Module) { m.Table(1) }, Data: wt.Code(wt.Loop([]byte{0xd0, wt.FuncRef}, wt.I32Const(1<<20), []byte{0xfc, 15, 0}, wt.Op(wt.Drop), wt.Br(0)), zero)}.Build(), "table.grow"},
		"ref.func for ever":          {wt.Plugin{Data: wt.Code(wt.Loop([]byte{0xd2, 0}, wt.Op(wt.Drop), wt.Br(0)), zero)}.Build(), "ref.func"},
		"thousands of data segments": {with(func(m *wt.Module) { m.Datas(600_000) }), "data segments"},
		"a data segment outside":     {with(func(m *wt.Module) { m.Data(-8, []byte("far away")) }), "outside"},
		"billions of locals": {with(func(m *wt.Module) {
			m.FuncRaw("", nil, nil, []byte{2, 0xff, 0xff, 0xff, 0xff, 0x0f, wt.I32, 0xff, 0xff, 0xff, 0xff, 0x0f, wt.I32, wt.End})
		}), "locals"},
		"locals across many blocks":   {function(3_900, times(12_000, wt.Block())), "costly to compile"},
		"locals across many branches": {function(2_000, times(9_000, wt.Block(zero, wt.BrIf(0)))), "costly to compile"},
		"loops inside each other":     {function(100, times(2_000, []byte{3, 0x40}), times(2_000, wt.Op(wt.End))), "costly to compile"},
		"blocks inside each other":    {function(1, times(100_000, []byte{2, 0x40}), times(100_000, wt.Op(wt.End))), "blocks inside each other"},
		"a switch of a million":       {function(1, zero, []byte{0x0e}, wt.U(1_000_000), make([]byte, 1_000_001)), "targets"},
		"fifty long switches":         {function(1, times(50, wt.Block(zero, []byte{0x0e}, wt.U(19_000), make([]byte, 19_001)))), "costly to compile"},
		"a stack of many values":      {function(1, times(250_000, zero), times(250_000, wt.Op(wt.Drop))), "operand stack"},
		"a function of two megabytes": {function(1, times(2<<20, wt.Op(wt.Nop))), "limit"},
		"many functions of many locals": {with(func(m *wt.Module) {
			for range 2_000 {
				m.FuncRaw("", nil, nil, slices.Concat([]byte{1}, wt.U(3_900), i32, []byte{wt.End}))
			}
		}), "costly to compile"},
	})
}
