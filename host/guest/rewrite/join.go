package rewrite

// JoinedFunc is the export that calls each of the functions given to [Rewrite] as join: its first parameter says which, the others are
// theirs. An engine gives every exported function that the host holds a call stack of its own, of tens of kilobytes once it has grown; through
// one door all calls of an instance share one.
const JoinedFunc = prefix + "joined"

// joined is the type of the function that calls each of m.join: which of them, and as many arguments as the one with most takes. It
// reports false when one of them is missing, takes something other than i32, or does not return one i32.
func (m *module) joined() (t FuncType, ok bool) {
	most := 0
	for _, name := range m.join {
		f, ok := m.out.Functions[name]
		if !ok || string(f.Results) != string([]ValType{I32}) {
			return t, false
		}
		for _, p := range f.Params {
			if p != I32 {
				return t, false
			}
		}
		most = max(most, len(f.Params))
	}
	t.Results = []ValType{I32}
	for range 1 + most {
		t.Params = append(t.Params, I32)
	}
	return t, len(m.join) > 0 && len(m.funcs) > 0
}

// joinedIndex is the index of that function, behind all others.
func (m *module) joinedIndex() uint32 { return m.shift(uint32(m.allFuncs() + len(m.dispatchers))) }

// joinedBody calls the function that the first parameter names; with any other it traps.
func (m *module) joinedBody() []byte {
	b := []byte{0} // no locals
	for k, name := range m.join {
		b = append(sleb(append(b, 0x20, 0, 0x41), int64(k)), 0x46, 0x04, 0x40) // if which == k
		for p := range m.out.Functions[name].Params {
			b = uleb(append(b, 0x20), uint32(1+p))
		}
		b = append(uleb(append(b, 0x10), m.shift(m.exported(name))), 0x0f, 0x0b)
	}
	return append(b, 0x00, 0x0b)
}

// exported is the function that is exported under a name.
func (m *module) exported(name string) uint32 {
	for _, e := range m.exports {
		if e.kind == 0 && e.name == name {
			return e.index
		}
	}
	panic("rewrite: " + name + " is among the exported functions and not exported")
}
