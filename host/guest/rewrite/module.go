package rewrite

import (
	"errors"
	"fmt"
)

// Section numbers in the order in which they must appear; data count (12) comes before code.
const (
	secCustom = iota
	secType
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
	secDataCount
)

var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count"}

// order gives each section its place.
func order(id byte) int {
	switch id {
	case secDataCount:
		return 2*secCode - 1
	default:
		return 2 * int(id)
	}
}

// module is the state of one rewriting.
type module struct {
	lim Limits
	out Module

	types    []FuncType
	typeBase int // number of the original's types; more are added for wrapped bodies
	extra    map[string]uint32
	imports  int // imported functions
	funcs    []uint32
	globals  []global
	tables   int
	datas    int // data segments; -1 until known
	haveMem  bool
	maxDecl  uint32
	start    int // -1: none
	exports  []export
	usesData bool // memory.init or data.drop

	tableSizes  []uint32
	tableCode   bool                // there are instructions on tables beside call_indirect
	sameType    map[uint32]uint32   // of the types that call_indirects name, the first that is equal
	indirect    map[dispatcher]bool // types and tables of the call_indirects
	contents    [][]int             // of the tables, when they are replaced
	dispatchers []dispatcher
	join        []string

	sections [secDataCount + 1]*reader
	work     int64
}

type global struct {
	typ     ValType
	mutable bool
}

type export struct {
	name  string
	kind  byte
	index uint32
}

// Rewrite reads, checks and rewrites a module. join names exported functions that [JoinedFunc] is to call, in their order; where they
// cannot be joined, Module.Joined is false. The error is an [*Error].
func Rewrite(wasm []byte, lim Limits, join ...string) (out *Module, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *Error:
			out, err = nil, e
		default:
			panic(e)
		}
	}()
	m := &module{lim: lim, join: join, start: -1, datas: -1, extra: map[string]uint32{}, indirect: map[dispatcher]bool{}, sameType: map[uint32]uint32{}}
	m.split(&reader{b: wasm})
	m.read()
	m.write()
	return &m.out, nil
}

// IsRefused says whether err is a refusal by this package.
func IsRefused(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return ok
}

// read parses every section except code and data, whose parsing is part of writing.
func (m *module) read() {
	steps := []struct {
		id int
		f  func(*reader)
	}{
		{secType, m.readTypes}, {secImport, m.readImports}, {secFunction, m.readFunctions}, {secTable, m.readTables},
		{secMemory, m.readMemory}, {secGlobal, m.readGlobals}, {secExport, m.readExports}, {secStart, m.readStart},
		{secDataCount, m.readDataCount},
	}
	for _, s := range steps {
		if r := m.sections[s.id]; r != nil {
			s.f(r)
			r.end(sectionNames[s.id] + " section")
			r.i = 0
		}
	}
	code := 0
	if r := m.sections[secCode]; r != nil {
		code = r.count("function bodies", m.lim.Functions)
	}
	if code != len(m.funcs) {
		panic(&Error{What: fmt.Sprintf("%d functions are declared, %d have bodies", len(m.funcs), code)})
	}
	n := 0
	if r := m.sections[secData]; r != nil {
		n = r.count("data segments", m.lim.Segments)
		r.i = 0
	}
	if m.datas >= 0 && m.datas != n {
		panic(&Error{What: fmt.Sprintf("%d data segments are announced, there are %d", m.datas, n)})
	}
	m.out.Resettable = true
}

func (m *module) readTypes(r *reader) {
	for range r.count("types", m.lim.Types) {
		if form := r.byte(); form != 0x60 {
			r.fail("type form %#x is not a function", form)
		}
		m.types = append(m.types, FuncType{m.readTypeList(r), m.readTypeList(r)})
	}
	m.typeBase = len(m.types)
}

func (m *module) readTypeList(r *reader) []ValType {
	n := r.count("values in a type", m.lim.Params)
	var ts []ValType
	for range n {
		ts = append(ts, r.valType())
	}
	return ts
}

func (m *module) readImports(r *reader) {
	for range r.count("imports", m.lim.Imports) {
		im := Import{Module: r.name(m.lim.Name), Name: r.name(m.lim.Name)}
		switch kind := r.byte(); kind {
		case 0:
			im.Type = m.types[r.index("type", len(m.types))]
			m.out.Imports = append(m.out.Imports, im)
			m.imports++
		case 1, 2, 3, 4:
			r.fail("import %q.%q is a %s; only functions can be imported", im.Module, im.Name,
				[...]string{1: "table", 2: "memory", 3: "global", 4: "tag"}[kind])
		default:
			r.fail("import kind %d is unknown", kind)
		}
	}
}

func (m *module) readFunctions(r *reader) {
	for range r.count("functions", m.lim.Functions) {
		m.funcs = append(m.funcs, r.index("type", m.typeBase))
	}
}

func (m *module) readTables(r *reader) {
	for range r.count("tables", m.lim.Tables) {
		if t := r.byte(); t != FuncRef {
			r.fail("table of type %#x: only functions are supported", t)
		}
		f := r.byte()
		if f > 1 {
			r.fail("table flags %#x are not supported", f)
		}
		size := r.u32()
		if size > m.lim.TableSize {
			r.fail("table of %d entries, the limit is %d", size, m.lim.TableSize)
		}
		if f == 1 && r.u32() < size {
			r.fail("table is larger than its own maximum")
		}
		m.tables++
		m.tableSizes = append(m.tableSizes, size)
	}
}

func (m *module) readMemory(r *reader) {
	n := r.count("memories", 16)
	if n > 1 {
		r.fail("%d memories: only one is supported", n)
	}
	if n == 0 {
		return
	}
	m.haveMem = true
	f := r.byte()
	if f > 1 {
		r.fail("memory flags %#x: shared and 64-bit memories are not supported", f)
	}
	pages := r.u32()
	if pages > m.lim.MemoryPages {
		r.fail("memory of %d pages of 64 KiB, the limit is %d", pages, m.lim.MemoryPages)
	}
	m.out.MinPages, m.out.MaxPages, m.maxDecl = pages, m.lim.MemoryPages, 1<<16
	if f == 1 {
		top := r.u32()
		if top < pages || top > 1<<16 {
			r.fail("memory with a maximum of %d pages, and %d at first", top, pages)
		}
		if top <= m.lim.MemoryPages {
			m.out.MaxPages, m.maxDecl = top, top
		}
	}
}

func (m *module) readGlobals(r *reader) {
	for range r.count("globals", m.lim.Globals) {
		g := global{typ: r.valType()}
		switch mut := r.byte(); mut {
		case 0:
		case 1:
			g.mutable = true
		default:
			r.fail("mutability %d is unknown", mut)
		}
		if g.mutable && (g.typ == FuncRef || g.typ == V128) {
			r.fail("mutable global of type %s: the host could not restore it", typeName(g.typ))
		}
		m.constExpr(r, g.typ, nil)
		m.globals = append(m.globals, g)
	}
}

// constant is what a constant expression says, as far as it matters here.
type constant struct {
	i32   int32
	isI32 bool // an i32.const; else i32 is not known
	fn    int  // a function, noFunc or unknownFunc
}

// What stands in the place of a function.
const (
	noFunc      = -1
	unknownFunc = -2
)

// constExpr reads a constant expression of one instruction. Function indices in it are shifted and the result appended to w
// when that is not nil.
func (m *module) constExpr(r *reader, want ValType, w *[]byte) (c constant) {
	from := r.i
	var got ValType
	var shifted []byte
	c.fn = unknownFunc
	switch op := r.byte(); op {
	case 0x41:
		c.i32, c.isI32, got = int32(r.signed(32)), true, I32
	case 0x42:
		r.signed(64)
		got = I64
	case 0x43:
		r.bytes(4)
		got = F32
	case 0x44:
		r.bytes(8)
		got = F64
	case 0x23:
		k := r.index("global", len(m.globals))
		if m.globals[k].mutable {
			r.fail("initial value from a mutable global")
		}
		got = m.globals[k].typ
	case 0xd0:
		if t := r.byte(); t != FuncRef {
			r.fail("reference of type %#x is not supported", t)
		}
		c.fn, got = noFunc, FuncRef
	case 0xd2:
		k := r.index("function", m.allFuncs())
		shifted = uleb([]byte{op}, m.shift(k))
		c.fn, got = int(k), FuncRef
	case 0xfd:
		if r.u32() != 12 {
			r.fail("not a constant expression")
		}
		r.bytes(16)
		got = V128
	default:
		r.fail("instruction %#x is not a constant expression", op)
	}
	if got != want {
		r.fail("constant of type %s where %s is wanted", typeName(got), typeName(want))
	}
	if w != nil {
		if shifted == nil {
			shifted = r.b[from:r.i]
		}
		*w = append(append(*w, shifted...), 0x0b)
	}
	if r.byte() != 0x0b {
		r.fail("constant expression of more than one instruction")
	}
	return c
}

func (m *module) allFuncs() int { return m.imports + len(m.funcs) }

// shift makes room for the refill import, which comes after the original's imports.
func (m *module) shift(f uint32) uint32 {
	if int(f) >= m.imports {
		return f + 1
	}
	return f
}

func (m *module) typeOf(f uint32) FuncType {
	if int(f) < m.imports {
		return m.out.Imports[f].Type
	}
	return m.types[m.funcs[int(f)-m.imports]]
}
