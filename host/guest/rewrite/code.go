package rewrite

import (
	"cmp"
	"slices"
)

// Estimated bytes of a frame on the call stack.
const (
	frameBytes = 64
	localBytes = 8
)

// editKind says what happens at a place in a body.
type editKind byte

const (
	replaceIndex editKind = iota // of a function, by a shifted one; an offset by another
	returnBranch                 // a return, by a branch to the end of the wrapping block
	insertCharge                 // a constant amount of fuel, and the check that there is some left
	insertDebit                  // a constant amount of fuel without the check
	insertCheck                  // the check alone
	insertBulk                   // fuel by the length on top of the operand stack
	insertTable                  // the same for an instruction on a table
	indirectCall                 // call_indirect, by a call of a dispatcher where tables are replaced
	insertOr                     // "or 0" of n bits behind an "and", see masked
	leaveOut                     // instructions, see addresses
	narrowKept                   // instructions, by one that narrows what is on top of the operand stack, and one that keeps it in local n
	getLocal                     // instructions, by local n
	readEnd                      // a byte at the address in the local of the lower half of n, with the offset of the upper one, is read and dropped
	nothing                      // a charge that turned out to be needless
)

// edit replaces the bytes [from, to) of a body.
type edit struct {
	kind     editKind
	from, to int
	n        int64 // index, depth or cost; table and type of an indirect call
}

// loopWork is how much more than another block a loop costs to compile; each loop around it adds one.
const loopWork = 8

// control is an open block.
type control struct {
	loop     int // a loop's own region, -1: not a loop
	region   int // the region of what is read next in this block
	switched bool
	kind     byte
	base     int // values on the operand stack below it
	results  int
}

// body is one function while it is read.
type body struct {
	*reader
	m      *module
	typ    FuncType
	locals int // parameters included
	edits  []edit
	open   []control
	loop   []int // indices in open of the loops

	regions []region
	height  int // values on the operand stack, an estimate that is not too low where it matters
	work    int64
	calls   bool
	bulk    bool
	start   int // where the instructions begin
	groups  int // of locals

	masked    masked
	addresses addresses
	moved     []edit // what addresses has found

	indirects bool // it has a call_indirect
	branched  bool // something that can leave the straight way has been read: a branch, a call
	loopFirst bool // the way in leads straight to a loop, whose check is the function's as well
}

// writeCode reads all functions, decides what becomes of the tables, and writes the functions.
func (m *module) writeCode() []byte {
	r := m.sections[secCode]
	if r == nil {
		return nil
	}
	bodies := m.readCode(r)
	m.out.Replaced = m.replaceTables(m.indirect)
	out := make([]byte, 0, len(r.b)+len(r.b)/4)
	write := func(b []byte) { out = append(uleb(out, uint32(len(b))), b...) }
	for _, f := range bodies {
		write(f.emit())
	}
	for _, d := range m.dispatchers {
		write(m.dispatcherBody(d))
	}
	if m.out.Joined {
		write(m.joinedBody())
	}
	return append(uleb(nil, uint32(len(bodies)+m.ownFunctions())), out...)
}

func (m *module) readCode(r *reader) []*body {
	r.i = 0
	n := r.u32()
	bodies := make([]*body, n)
	common := &scratch{}
	for k := range bodies {
		size := r.u32()
		if uint64(size) > uint64(m.lim.Body) {
			r.fail("function of %d bytes, the limit is %d", size, m.lim.Body)
		}
		f := &body{reader: r.sub(int(size)), m: m, typ: m.types[m.funcs[k]], addresses: addresses{scratch: common}}
		f.groups = f.readLocals()
		f.start = f.i
		f.scan()
		bodies[k] = f
		m.out.Stats.Functions++
	}
	r.end("code section")
	if m.out.Stats.Work = m.work; m.work > m.lim.Work+m.lim.WorkPerByte*int64(len(r.b)) {
		r.fail("%d bytes of code are too costly to compile: %d branches and values that live across them, the limit is %d and %d for each byte",
			len(r.b), m.work, m.lim.Work, m.lim.WorkPerByte)
	}
	return bodies
}

// readLocals reads the declarations of locals and returns how many groups there are.
func (f *body) readLocals() int {
	n := f.count("groups of locals", f.m.lim.Locals)
	f.locals = len(f.typ.Params)
	for range n {
		k := f.u32()
		if uint64(f.locals)+uint64(k) > uint64(f.m.lim.Locals) {
			f.fail("more than %d locals", f.m.lim.Locals)
		}
		f.locals += int(k)
		f.valType()
	}
	return n
}

// scan reads the instructions and notes what has to change.
func (f *body) scan() {
	f.regions = append(f.regions, region{edit: -1})
	f.push(0x02, f.typ)
	for len(f.open) > 0 {
		if f.done() {
			f.fail("function without an end")
		}
		f.instruction()
	}
	f.end("function")
	f.settle()
	if f.work > f.m.lim.Work {
		f.fail("function with %d locals is too costly to compile: %d branches and values that live across them, the limit is %d", f.locals, f.work, f.m.lim.Work)
	}
	f.m.work += f.work
}

// branch counts an edge of the control flow: compiling it costs in proportion to the values that may be alive.
func (f *body) branch(weight int) {
	f.work += int64(weight) * int64(f.locals+f.height+16)
}

func (f *body) push(kind byte, t FuncType) {
	if len(f.open) > f.m.lim.Nesting {
		f.fail("more than %d blocks inside each other", f.m.lim.Nesting)
	}
	c := control{loop: -1, kind: kind, base: max(f.height-len(t.Params), 0), results: len(t.Results)}
	if n := len(f.open); n > 0 {
		c.region = f.open[n-1].region
	}
	if kind == opLoop {
		c.loop = f.enterRegion()
		c.region = c.loop
		f.regions[c.loop].loop = true
		f.loopFirst = f.loopFirst || !f.branched
		f.loop = append(f.loop, len(f.open))
		f.branch(loopWork + len(f.loop))
	} else {
		f.branch(1)
	}
	f.open = append(f.open, c)
}

func (f *body) pop() {
	c := f.open[len(f.open)-1]
	f.open = f.open[:len(f.open)-1]
	f.height = c.base + c.results
	if c.loop >= 0 {
		f.loop = f.loop[:len(f.loop)-1]
		f.m.out.Stats.Loops++
	} else if c.switched && len(f.loop) > 0 {
		f.open[len(f.open)-1].region = f.enterRegion()
	}
}

func (f *body) blockType() FuncType {
	at := f.i
	switch c := f.byte(); {
	case c == 0x40:
		return FuncType{}
	case c == I32, c == I64, c == F32, c == F64, c == V128, c == FuncRef:
		return FuncType{Results: []ValType{c}}
	default:
		f.i = at
		k := f.signed(33)
		if k < 0 || k >= int64(f.m.typeBase) {
			f.i = at
			f.fail("block type %d does not exist", k)
		}
		return f.m.types[k]
	}
}

func (f *body) label() uint32 {
	k := f.index("label", len(f.open))
	f.branch(1)
	return k
}

// callee reads a function index and notes its shift.
func (f *body) callee() uint32 {
	from := f.i
	k := f.index("function", f.m.allFuncs())
	if s := f.m.shift(k); s != k {
		f.edits = append(f.edits, edit{replaceIndex, from, f.i, int64(s)})
	}
	return k
}

// emit writes the changed body.
func (f *body) emit() []byte {
	wrap, groups := f.calls, f.groups
	out := make([]byte, 0, len(f.b)+len(f.b)/4+64)
	if f.bulk {
		groups++
	}
	if f.addresses.narrowed > 0 {
		groups++
	}
	length := uint32(f.locals + f.addresses.narrowed) // the local for that of a bulk instruction
	r := &reader{b: f.b}
	r.u32()
	out = append(uleb(out, uint32(groups)), f.b[r.i:f.start]...)
	if n := f.addresses.narrowed; n > 0 {
		out = append(uleb(out, uint32(n)), I32)
	}
	if f.bulk {
		out = append(out, 1, I32)
	}
	if w := f.regions[0].weight; f.calls || w > freeLeaf {
		out = f.m.debit(out, 1+w/perUnit)
		if f.calls && !f.loopFirst {
			out = f.m.checkFuel(out)
		}
		f.m.out.Stats.Metered++
	}
	frame := int64(frameBytes + localBytes*f.locals)
	if f.indirects {
		frame += frameBytes // of the dispatcher
	}
	if wrap {
		out = f.m.takeStack(out, frame)
		out = f.m.blockOf(append(out, 0x02), f.typ.Results)
		f.m.out.Stats.Guarded++
	}
	at := f.start
	edits := f.edits
	if len(f.moved) > 0 {
		edits = append(edits, f.moved...)
		slices.SortStableFunc(edits, func(x, y edit) int { return cmp.Or(x.from-y.from, x.to-y.to) })
	}
	for _, e := range edits {
		out = append(out, f.b[at:e.from]...)
		at = e.to
		switch e.kind {
		case replaceIndex:
			out = uleb(out, uint32(e.n))
		case indirectCall:
			if f.m.out.Replaced {
				out = uleb(append(out, 0x10), f.m.dispatch(uint32(e.n), uint32(e.n>>32)))
			} else {
				out = append(out, f.b[e.from:e.to]...)
			}
		case returnBranch:
			if wrap {
				out = uleb(append(out, 0x0c), uint32(e.n))
			} else {
				out = append(out, 0x0f)
			}
		case insertCharge:
			out = f.m.checkFuel(f.m.debit(out, e.n))
		case insertDebit:
			out = f.m.debit(out, e.n)
		case insertCheck:
			out = f.m.checkFuel(out)
		case insertBulk:
			out = f.m.chargeBulk(out, length, bulkShift)
		case insertOr:
			if e.n == 64 {
				out = append(out, 0x42, 0, opOr64)
			} else {
				out = append(out, 0x41, 0, opOr32)
			}
		case narrowKept:
			out = uleb(append(out, opNarrow, opTee), uint32(e.n))
		case getLocal:
			out = uleb(append(out, opGet), uint32(e.n))
		case readEnd:
			out = uleb(append(out, opGet), uint32(e.n))
			out = append(uleb(append(out, 0x2d, 0), uint32(e.n>>32)), 0x1a)
		case insertTable:
			out = f.m.chargeBulk(out, length, 0)
		}
	}
	out = append(out, f.b[at:]...)
	if wrap {
		out = append(f.m.giveStack(out, frame), 0x0b)
	}
	return out
}

// blockOf appends a block type with the given results.
func (m *module) blockOf(b []byte, results []ValType) []byte {
	switch len(results) {
	case 0:
		return append(b, 0x40)
	case 1:
		return append(b, results[0])
	}
	return sleb(b, int64(m.typeIndex(FuncType{Results: results})))
}

// debit appends: fuel -= n.
func (m *module) debit(b []byte, n int64) []byte {
	b = uleb(append(b, 0x23), m.fuelGlobal())
	b = append(sleb(append(b, 0x42), n), 0x7d)
	return uleb(append(b, 0x24), m.fuelGlobal())
}

// checkFuel appends: if fuel < 0 { refill(WhyFuel) }.
func (m *module) checkFuel(b []byte) []byte {
	b = uleb(append(b, 0x23), m.fuelGlobal())
	b = append(b, 0x42, 0, 0x53, 0x04, 0x40, 0x41, WhyFuel)
	return append(uleb(append(b, 0x10), m.refillFunc()), 0x0b)
}

// chargeBulk appends: tmp = length on the stack, which stays there; fuel -= bulkUnits + length>>shift; and the check.
func (m *module) chargeBulk(b []byte, tmp uint32, shift byte) []byte {
	b = uleb(append(b, 0x22), tmp)
	b = uleb(append(b, 0x23), m.fuelGlobal())
	b = uleb(append(b, 0x20), tmp)
	b = append(b, 0xad, 0x42, shift, 0x88, 0x7d, 0x42, bulkUnits, 0x7d)
	return m.checkFuel(uleb(append(b, 0x24), m.fuelGlobal()))
}

// takeStack appends: stack -= n; if stack < 0 { refill(WhyStack) }.
func (m *module) takeStack(b []byte, n int64) []byte {
	b = uleb(append(b, 0x23), m.stackGlobal())
	b = append(sleb(append(b, 0x41), n), 0x6b)
	b = uleb(append(b, 0x24), m.stackGlobal())
	b = uleb(append(b, 0x23), m.stackGlobal())
	b = append(b, 0x41, 0, 0x48, 0x04, 0x40, 0x41, WhyStack)
	return append(uleb(append(b, 0x10), m.refillFunc()), 0x0b)
}

// giveStack appends: stack += n.
func (m *module) giveStack(b []byte, n int64) []byte {
	b = uleb(append(b, 0x23), m.stackGlobal())
	b = append(sleb(append(b, 0x41), n), 0x6a)
	return uleb(append(b, 0x24), m.stackGlobal())
}
