package rewrite

import "slices"

// Bounds on replacing tables by code: what is larger keeps its tables.
const (
	maxDispatched = 10_000  // functions in one dispatcher
	maxSwitched   = 400_000 // of all dispatchers together: places of their switches, and instructions of their cases
	caseSize      = 8       // instructions of a case without parameters, generously
)

// dispatcher is a function of the host's own which does what call_indirect does for one type and table: it takes the arguments and the
// place in the table, and calls the function that stands there.
//
// A module's table is part of the module's constant text unless it has instructions that change it. An engine builds it anew for every
// instance, entry by entry, and stock Go enters every function: that was three quarters of the time and of the memory that a new guest took. As
// code it is shared by all of them.
type dispatcher struct {
	typ   uint32
	table uint32
}

// indirect notes a call_indirect.
func (f *body) indirect(from int, typ, table uint32) {
	typ = f.m.canonical(typ)
	f.edits = append(f.edits, edit{kind: indirectCall, from: from, to: f.i, n: int64(table)<<32 | int64(typ)})
	f.indirects = true
	f.m.indirect[dispatcher{typ, table}] = true
}

// canonical is the first of the types that are the same as one, so that they share a dispatcher.
func (m *module) canonical(typ uint32) uint32 {
	if k, ok := m.sameType[typ]; ok {
		return k
	}
	t := m.types[typ]
	k := uint32(slices.IndexFunc(m.types[:m.typeBase], t.Equal))
	m.sameType[typ] = k
	return k
}

// dispatch returns the index of the function that stands for a call_indirect.
func (m *module) dispatch(typ, table uint32) uint32 {
	d := dispatcher{typ, table}
	k := slices.Index(m.dispatchers, d)
	if k < 0 {
		k = len(m.dispatchers)
		m.dispatchers = append(m.dispatchers, d)
	}
	return m.shift(uint32(m.allFuncs() + k))
}

// replaceTables reads the element segments into m.contents, and says whether the tables can be replaced by dispatchers: nothing in the
// module but call_indirect can see them, and they are not too large. pairs are the types and tables of all call_indirects.
func (m *module) replaceTables(pairs map[dispatcher]bool) bool {
	if m.tables == 0 || m.tableCode {
		return false
	}
	if !m.readContents() {
		return false
	}
	places := 0
	for d := range pairs {
		low, high, cases := m.cases(d)
		places += high - low + len(cases)*(caseSize+2*len(m.types[d.typ].Params))
		if len(cases) > maxDispatched || high-low > m.lim.Targets {
			return false
		}
	}
	return places <= maxSwitched
}

// readContents fills m.contents with what the active element segments say: for each table the functions. It reports false where that is
// not known here, or where instantiating the module fails.
func (m *module) readContents() bool {
	for _, size := range m.tableSizes {
		m.contents = append(m.contents, slices.Repeat([]int{noFunc}, int(size)))
	}
	r := m.sections[secElement]
	if r == nil {
		return true
	}
	r.i = 0
	known := true
	m.elements(r, func(e *elements) {
		switch {
		case !e.active:
		case !e.known || slices.Contains(e.funcs, unknownFunc) || uint64(e.offset)+uint64(len(e.funcs)) > uint64(len(m.contents[e.table])):
			known = false
		default:
			copy(m.contents[e.table][e.offset:], e.funcs)
		}
	})
	return known
}

// cases finds which functions a dispatcher can call, and the range of places in the table in which they stand.
func (m *module) cases(d dispatcher) (low, high int, funcs []int) {
	want := m.types[d.typ]
	seen := map[int]bool{}
	for at, f := range m.contents[d.table] {
		if f < 0 || !m.typeOf(uint32(f)).Equal(want) {
			continue
		}
		if len(seen) == 0 {
			low = at
		}
		high = at + 1
		if !seen[f] {
			seen[f] = true
			funcs = append(funcs, f)
		}
	}
	return low, high, funcs
}

// dispatcherType is the type's parameters and the place in the table.
func (m *module) dispatcherType(d dispatcher) FuncType {
	t := m.types[d.typ]
	return FuncType{Params: append(slices.Clone(t.Params), I32), Results: t.Results}
}

// dispatcherBody writes a switch over the places, one case for each function. Any other place traps, as call_indirect does.
func (m *module) dispatcherBody(d dispatcher) []byte {
	low, high, funcs := m.cases(d)
	params := uint32(len(m.types[d.typ].Params))
	label := map[int]uint32{}
	b := []byte{0} // no locals
	for k, f := range funcs {
		label[f] = uint32(k)
		b = append(b, 0x02, 0x40)
	}
	trap := uint32(len(funcs))
	b = append(b, 0x02, 0x40) // the switch's own, whose end the first case follows
	b = uleb(append(b, 0x20), params)
	b = append(sleb(append(b, 0x41), int64(low)), 0x6b)
	b = uleb(append(b, 0x0e), uint32(high-low))
	for _, f := range m.contents[d.table][low:high] {
		if k, ok := label[f]; ok {
			b = uleb(b, k)
		} else {
			b = uleb(b, trap)
		}
	}
	b = uleb(b, trap)
	for _, f := range funcs {
		b = append(b, 0x0b)
		for p := range params {
			b = uleb(append(b, 0x20), p)
		}
		b = append(uleb(append(b, 0x10), m.shift(uint32(f))), 0x0f)
	}
	return append(b, 0x0b, 0x00, 0x0b)
}
