package rewrite

import (
	"fmt"
	"slices"
)

// Indices of what is added.
func (m *module) refillFunc() uint32  { return uint32(m.imports) }
func (m *module) fuelGlobal() uint32  { return uint32(len(m.globals)) }
func (m *module) stackGlobal() uint32 { return uint32(len(m.globals) + 1) }

// write makes the new module. The code is written first, because it may need types of its own.
func (m *module) write() {
	join, joins := m.joined()
	m.out.Joined = joins
	code := m.writeCode()
	functions := m.writeFunctions(join)
	elements := m.writeElements()
	data, count := m.writeData()

	out := append(make([]byte, 0, len(code)+len(code)/8+4096), "\x00asm\x01\x00\x00\x00"...)
	section := func(id byte, body []byte) {
		if body != nil {
			out = append(uleb(append(out, id), uint32(len(body))), body...)
		}
	}
	section(secType, m.writeTypes())
	section(secImport, m.writeImports())
	section(secFunction, functions)
	if r := m.sections[secTable]; r != nil && !m.out.Replaced {
		section(secTable, r.b)
	}
	if m.haveMem {
		mem := uleb([]byte{1, 1}, m.out.MinPages)
		section(secMemory, uleb(mem, m.maxDecl))
	}
	section(secGlobal, m.writeGlobals())
	section(secExport, m.writeExports())
	section(secElement, elements)
	section(secDataCount, count)
	section(secCode, code)
	section(secData, data)
	m.out.Wasm = out
}

// typeIndex finds or adds a type of the host's own.
func (m *module) typeIndex(t FuncType) uint32 {
	key := t.String()
	k, ok := m.extra[key]
	if !ok {
		k = uint32(len(m.types))
		m.types = append(m.types, t)
		m.extra[key] = k
	}
	return k
}

func (m *module) writeTypes() []byte {
	m.typeIndex(refillType)
	b := uleb(nil, uint32(len(m.types)))
	for _, t := range m.types {
		b = append(b, 0x60)
		b = append(uleb(b, uint32(len(t.Params))), t.Params...)
		b = append(uleb(b, uint32(len(t.Results))), t.Results...)
	}
	return b
}

var refillType = FuncType{Params: []ValType{I32}}

func (m *module) writeImports() []byte {
	b := uleb(nil, uint32(m.imports+1))
	if r := m.sections[secImport]; r != nil {
		r.i = 0
		r.u32()
		b = append(b, r.b[r.i:]...)
	}
	b = append(str(str(b, RefillModule), RefillName), 0)
	return uleb(b, m.typeIndex(refillType))
}

func (m *module) writeFunctions(join FuncType) []byte {
	r := m.sections[secFunction]
	own := m.ownFunctions()
	switch {
	case r == nil:
		return nil
	case own == 0:
		return r.b
	}
	b := uleb(nil, uint32(len(m.funcs)+own))
	for _, t := range m.funcs {
		b = uleb(b, t)
	}
	for _, d := range m.dispatchers {
		b = uleb(b, m.typeIndex(m.dispatcherType(d)))
	}
	if m.out.Joined {
		b = uleb(b, m.typeIndex(join))
	}
	return b
}

// ownFunctions is how many functions with bodies this package adds.
func (m *module) ownFunctions() int {
	n := len(m.dispatchers)
	if m.out.Joined {
		n++
	}
	return n
}

// writeGlobals copies the globals, shifting functions that initial values name, and adds fuel and stack, both zero: an instance
// can do nothing until the host has set them.
func (m *module) writeGlobals() []byte {
	b := uleb(nil, uint32(len(m.globals)+2))
	if r := m.sections[secGlobal]; r != nil {
		r.i = 0
		for range r.u32() {
			typ := r.byte()
			b = append(b, typ, r.byte())
			m.constExpr(r, typ, &b)
		}
	}
	b = append(b, I64, 1, 0x42, 0, 0x0b)
	return append(b, I32, 1, 0x41, 0, 0x0b)
}

func (m *module) writeExports() []byte {
	var b []byte
	n := uint32(0)
	add := func(name string, kind byte, index uint32) {
		b = uleb(append(str(b, name), kind), index)
		n++
	}
	for _, e := range m.exports {
		switch {
		case e.kind == 0:
			e.index = m.shift(e.index)
		case e.kind == 1 && m.out.Replaced:
			continue // the host has no use for tables
		}
		add(e.name, e.kind, e.index)
	}
	for k, g := range m.globals {
		if g.mutable {
			name := fmt.Sprint(globalPrefix, k)
			m.out.Globals = append(m.out.Globals, name)
			add(name, 3, uint32(k))
		}
	}
	add(FuelGlobal, 3, m.fuelGlobal())
	add(StackGlobal, 3, m.stackGlobal())
	if m.start >= 0 {
		add(StartFunc, 0, m.shift(uint32(m.start)))
	}
	if m.out.Joined {
		add(JoinedFunc, 0, m.joinedIndex())
	}
	return slices.Concat(uleb(nil, n), b)
}

// writeElements copies the element segments with shifted functions.
func (m *module) writeElements() []byte {
	r := m.sections[secElement]
	if r == nil {
		return nil
	}
	r.i = 0
	n := uint32(0)
	var b []byte
	m.elements(r, func(e *elements) {
		n++
		b = append(b, e.text...)
	})
	if m.out.Replaced {
		return nil
	}
	return append(uleb(nil, n), b...)
}

// elements is one element segment.
type elements struct {
	active bool
	table  uint32
	offset uint32
	known  bool   // the offset is known, and all functions
	funcs  []int  // a function, noFunc or unknownFunc
	text   []byte // the segment with shifted functions
}

// elements reads the element section.
func (m *module) elements(r *reader, each func(*elements)) {
	total := 0
	for range r.count("element segments", m.lim.Segments) {
		var e elements
		flags := r.u32()
		if flags > 7 {
			r.fail("element segment flags %#x are unknown", flags)
		}
		e.text = uleb(nil, flags)
		e.active, e.known = flags&1 == 0, true
		exprs := flags&4 != 0
		if e.active {
			if flags&2 != 0 {
				e.table = r.u32()
				e.text = uleb(e.text, e.table)
			}
			if int(e.table) >= m.tables {
				r.fail("table %d does not exist, there are %d", e.table, m.tables)
			}
			c := m.constExpr(r, I32, &e.text)
			e.offset, e.known = uint32(c.i32), c.isI32
		}
		if flags&3 != 0 {
			kind := r.byte()
			if kind != 0 && !exprs || kind != FuncRef && exprs {
				r.fail("element kind %#x is not supported", kind)
			}
			e.text = append(e.text, kind)
		}
		k := r.count("elements", int(m.lim.TableSize))
		if total += k; total > int(m.lim.TableSize)*2 {
			r.fail("more than %d elements", 2*m.lim.TableSize)
		}
		e.text = uleb(e.text, uint32(k))
		for range k {
			if exprs {
				e.funcs = append(e.funcs, m.constExpr(r, FuncRef, &e.text).fn)
				continue
			}
			f := r.index("function", m.allFuncs())
			e.text = uleb(e.text, m.shift(f))
			e.funcs = append(e.funcs, int(f))
		}
		each(&e)
	}
	r.end("element section")
}

// writeData takes the active segments out. Where instructions refer to segments by number, each keeps its number: an active one becomes
// an empty passive one, which is what instantiation leaves of it.
func (m *module) writeData() (data, count []byte) {
	r := m.sections[secData]
	if r == nil {
		if m.datas >= 0 {
			count = uleb(nil, 0)
		}
		return nil, count
	}
	n := r.count("data segments", m.lim.Segments)
	b := uleb(nil, uint32(n))
	for range n {
		flags := r.u32()
		switch flags {
		case 0, 2:
			if flags == 2 && r.u32() != 0 || !m.haveMem {
				r.fail("data segment for a memory that does not exist")
			}
			m.activeData(r)
			b = append(b, 1, 0)
		case 1:
			bytes := r.bytes(int(r.u32()))
			b = append(uleb(append(b, 1), uint32(len(bytes))), bytes...)
		default:
			r.fail("data segment flags %#x are unknown", flags)
		}
	}
	r.end("data section")
	if !m.usesData {
		return nil, nil
	}
	return b, uleb(nil, uint32(n))
}

func (m *module) activeData(r *reader) {
	from := r.i
	c := m.constExpr(r, I32, nil)
	if !c.isI32 {
		r.fail("data segment whose address is not a constant (%d bytes)", r.i-from)
	}
	s := Segment{Offset: uint32(c.i32), Bytes: r.bytes(int(r.u32()))}
	if uint64(s.Offset)+uint64(len(s.Bytes)) > uint64(m.out.MinPages)<<16 {
		r.fail("data segment of %d bytes at %#x lies outside of the memory", len(s.Bytes), s.Offset)
	}
	m.out.Data = append(m.out.Data, s)
}
