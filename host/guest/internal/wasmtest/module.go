// Package wasmtest builds small WebAssembly modules for tests, also broken and hostile ones: nothing is checked.
package wasmtest

import "slices"

// Value types.
const (
	I32     = 0x7f
	I64     = 0x7e
	F32     = 0x7d
	F64     = 0x7c
	V128    = 0x7b
	FuncRef = 0x70
)

// Module is a module under construction. Imports must be added before functions.
type Module struct {
	types, imports, funcs, tables, memories, globals, exports, elems, codes, datas [][]byte

	importCount int
	start       []byte
	dataCount   bool
	customs     [][]byte
}

// Type adds a function type and returns its index.
func (m *Module) Type(params, results []byte) uint32 {
	m.types = append(m.types, slices.Concat([]byte{0x60}, vec(params), vec(results)))
	return uint32(len(m.types) - 1)
}

// Import adds an imported function and returns its index.
func (m *Module) Import(module, name string, params, results []byte) uint32 {
	m.ImportRaw(module, name, append([]byte{0}, U(m.Type(params, results))...))
	m.importCount++
	return uint32(m.importCount - 1)
}

// ImportRaw adds an import with the given description.
func (m *Module) ImportRaw(module, name string, desc []byte) {
	m.imports = append(m.imports, slices.Concat(str(module), str(name), desc))
}

// Func adds a function, exported when it has a name, and returns its index. The code is the body without its end; locals are types.
func (m *Module) Func(name string, params, results, locals []byte, code ...[]byte) uint32 {
	decl := U(uint32(len(locals)))
	for _, l := range locals {
		decl = append(decl, 1, l)
	}
	return m.FuncRaw(name, params, results, slices.Concat(decl, Code(code...), []byte{End}))
}

// FuncRaw adds a function whose body, locals and end included, is given.
func (m *Module) FuncRaw(name string, params, results []byte, body []byte) uint32 {
	m.funcs = append(m.funcs, U(m.Type(params, results)))
	m.codes = append(m.codes, append(U(uint32(len(body))), body...))
	k := uint32(m.importCount + len(m.funcs) - 1)
	if name != "" {
		m.Export(name, 0, k)
	}
	return k
}

// Export adds an export: kind 0 function, 1 table, 2 memory, 3 global.
func (m *Module) Export(name string, kind byte, index uint32) {
	m.exports = append(m.exports, slices.Concat(str(name), []byte{kind}, U(index)))
}

// Memory adds a memory, exported as "memory".
func (m *Module) Memory(minPages uint32, maxPages ...uint32) {
	b := append([]byte{byte(len(maxPages))}, U(minPages)...)
	for _, p := range maxPages {
		b = append(b, U(p)...)
	}
	m.MemoryRaw(b)
	m.Export("memory", 2, 0)
}

// MemoryRaw adds a memory with the given limits.
func (m *Module) MemoryRaw(limits []byte) { m.memories = append(m.memories, limits) }

// Table adds a table of functions.
func (m *Module) Table(size uint32) uint32 {
	m.tables = append(m.tables, append([]byte{FuncRef, 0}, U(size)...))
	return uint32(len(m.tables) - 1)
}

// Elem adds an active element segment of table 0.
func (m *Module) Elem(offset int32, funcs ...uint32) {
	b := slices.Concat([]byte{0}, I32Const(offset), []byte{End}, U(uint32(len(funcs))))
	for _, f := range funcs {
		b = append(b, U(f)...)
	}
	m.elems = append(m.elems, b)
}

// ElemRaw adds an element segment as it is.
func (m *Module) ElemRaw(b []byte) { m.elems = append(m.elems, b) }

// Global adds a global and returns its index; init is a constant expression without its end.
func (m *Module) Global(typ byte, mutable bool, init []byte) uint32 {
	mut := byte(0)
	if mutable {
		mut = 1
	}
	m.globals = append(m.globals, slices.Concat([]byte{typ, mut}, init, []byte{End}))
	return uint32(len(m.globals) - 1)
}

// Datas adds empty data segments.
func (m *Module) Datas(n int) {
	for range n {
		m.Data(0, nil)
	}
}

// Data adds an active data segment.
func (m *Module) Data(offset int32, b []byte) {
	m.datas = append(m.datas, slices.Concat([]byte{0}, I32Const(offset), []byte{End}, vec(b)))
}

// Passive adds a passive data segment and the section that announces how many there are. It returns the segment's index.
func (m *Module) Passive(b []byte) uint32 {
	m.dataCount = true
	m.datas = append(m.datas, append([]byte{1}, vec(b)...))
	return uint32(len(m.datas) - 1)
}

// Start sets the start function.
func (m *Module) Start(f uint32) { m.start = U(f) }

// Custom adds a custom section at the end.
func (m *Module) Custom(name string, b []byte) {
	m.customs = append(m.customs, append(str(name), b...))
}

// Bytes returns the module.
func (m *Module) Bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	list := func(id byte, items [][]byte) {
		if len(items) > 0 {
			b = Section(b, id, append(U(uint32(len(items))), slices.Concat(items...)...))
		}
	}
	list(1, m.types)
	list(2, m.imports)
	list(3, m.funcs)
	list(4, m.tables)
	list(5, m.memories)
	list(6, m.globals)
	list(7, m.exports)
	if m.start != nil {
		b = Section(b, 8, m.start)
	}
	list(9, m.elems)
	if m.dataCount {
		b = Section(b, 12, U(uint32(len(m.datas))))
	}
	list(10, m.codes)
	list(11, m.datas)
	for _, c := range m.customs {
		b = Section(b, 0, c)
	}
	return b
}

// Section appends a section to a module.
func Section(b []byte, id byte, body []byte) []byte {
	return slices.Concat(b, []byte{id}, U(uint32(len(body))), body)
}

// WithCompanion appends a companion to a plugin file.
func WithCompanion(plugin []byte, name string, wasm []byte) []byte {
	return Section(plugin, 0, append(str("sallyport.companion."+name), wasm...))
}

// U encodes an unsigned number.
func U(v uint32) (b []byte) {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func signed(v int64) (b []byte) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func vec(b []byte) []byte { return append(U(uint32(len(b))), b...) }
func str(s string) []byte { return vec([]byte(s)) }
