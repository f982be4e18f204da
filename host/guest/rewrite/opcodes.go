package rewrite

// instruction reads one instruction with its immediates.
func (f *body) instruction() {
	from := f.i
	op := f.byte()
	f.weigh(weights[op])
	f.move(stackEffect(op))
	if bits := f.masked.bits(op); bits > 0 {
		f.edits = append(f.edits, edit{kind: insertOr, from: from, to: from, n: bits})
	}
	local, n, at := uint32(0), uint64(0), 0
	switch {
	case op <= 0x01, op >= 0x45 && op <= 0xc4, op == 0x1a, op == 0x1b, op == 0xd1:
		// unreachable, nop, numbers, drop, select, ref.is_null: no immediates
	case op >= 0x02 && op <= 0x11:
		f.controlInstruction(op, from)
	case op == 0x1c: // select with types
		for range f.count("types of select", 8) {
			f.valType()
		}
	case op >= opGet && op <= opTee:
		local = f.index("local", f.locals)
		n = uint64(local)
	case op == 0x23 || op == 0x24:
		f.index("global", len(f.m.globals))
	case op == 0x25 || op == 0x26: // table.get, table.set
		f.index("table", f.m.tables)
		f.m.tableCode = true
		if op == 0x26 {
			f.m.out.Resettable = false
		}
	case op >= firstAccess && op <= lastAccess:
		n, at = f.memArg()
	case op == 0x3f || op == 0x40: // memory.size, memory.grow
		f.zeroByte()
		if op == 0x40 {
			f.edits = append(f.edits, edit{kind: insertCharge, from: from, to: from, n: growCost})
		}
	case op == 0x41:
		f.signed(32)
	case op == opConst64:
		n = uint64(f.signed(64))
	case op == 0x43:
		f.bytes(4)
	case op == 0x44:
		f.bytes(8)
	case op == 0xd0: // ref.null
		if t := f.byte(); t != FuncRef {
			f.fail("reference of type %#x is not supported", t)
		}
	case op == 0xd2:
		f.i = from
		f.fail("ref.func in a function is not supported: each takes memory of the host, which no limit covers")
	case op == 0xfc:
		f.bulkInstruction(from)
	case op == 0xfd:
		f.vectorInstruction()
	default:
		f.i = from
		f.fail("instruction %#x is not supported", op)
	}
	f.masked.follow(op, local)
	f.addresses.follow(f, op, from, at, f.i, n)
}

// Opcodes that more than one place needs.
const (
	opLoop = 0x03
	opIf   = 0x04
	opElse = 0x05
)

func (f *body) controlInstruction(op byte, from int) {
	switch op {
	case 0x02, opIf: // block, if
		t := f.blockType()
		if op == opIf {
			f.jump()
		}
		f.push(op, t)
	case opLoop:
		f.push(op, f.blockType())
	case opElse:
		c := &f.open[len(f.open)-1]
		if c.kind != opIf {
			f.fail("else without if")
		}
		c.kind = op
		c.region = f.open[len(f.open)-2].region // what the other branch has entered was not entered here
		f.branch(1)
		f.height = c.base
	case 0x0b: // end
		f.pop()
	case 0x0c, 0x0d: // br, br_if
		f.jump()
		f.label()
	case 0x0e: // br_table
		targets := make([]uint32, 0, 16)
		for range f.count("targets of br_table", f.m.lim.Targets) {
			targets = append(targets, f.label())
		}
		f.dispatch(append(targets, f.label()))
		f.jump()
	case 0x0f: // return
		f.jump()
		f.branch(1)
		f.edits = append(f.edits, edit{returnBranch, from, f.i, int64(len(f.open) - 1)})
	case 0x10: // call
		f.called(f.m.typeOf(f.callee()))
	case 0x11: // call_indirect
		t := f.index("type", f.m.typeBase)
		table := f.index("table", f.m.tables)
		f.weigh(tableWeight)
		f.indirect(from, t, table)
		f.called(f.m.types[t])
	default:
		f.i = from
		f.fail("instruction %#x is not supported (exception handling and tail calls are not)", op)
	}
}

func (f *body) called(t FuncType) {
	f.calls, f.branched = true, true
	f.move(len(t.Results) - len(t.Params))
	f.weigh(callWeight)
}

// move changes the estimated height of the operand stack, which does not go below the block's own.
func (f *body) move(by int) {
	f.height = max(f.height+by, f.open[len(f.open)-1].base)
	if f.height > f.m.lim.Height {
		f.fail("more than %d values on the operand stack", f.m.lim.Height)
	}
}

// stackEffect is how many values an instruction leaves more than it takes, as far as its opcode tells. After a branch nothing is known
// and nothing is alive; the height stays where it is until the block ends.
func stackEffect(op byte) int {
	switch {
	case op == 0x04, op == 0x0d, op == 0x0e, op == 0x11, op == 0x1a, op == 0x21, op == 0x24:
		return -1
	case op == 0x1b, op == 0x1c, op == 0x26, op >= 0x36 && op <= 0x3e:
		return -2
	case op == 0x20, op == 0x23, op == 0x3f, op >= 0x41 && op <= 0x44, op == 0xd0, op == 0xd2:
		return 1
	case op >= 0x46 && op <= 0x66 && op != 0x50, op >= 0x6a && op <= 0x78, op >= 0x7c && op <= 0x8a,
		op >= 0x92 && op <= 0x98, op >= 0xa0 && op <= 0xa6:
		return -1
	}
	return 0
}

func (f *body) zeroByte() {
	if f.byte() != 0 || !f.m.haveMem {
		f.fail("instruction for a memory that does not exist")
	}
}

// memArg reads the alignment and the offset of an access, and returns the offset and where it stands.
func (f *body) memArg() (offset uint64, at int) {
	if align := f.u32(); align > 4 {
		f.fail("alignment 2^%d is not possible; several memories are not supported", align)
	}
	at = f.i
	offset = uint64(f.u32())
	if !f.m.haveMem {
		f.fail("instruction for a memory that does not exist")
	}
	return offset, at
}

// bulkInstruction reads instructions with the prefix 0xfc.
func (f *body) bulkInstruction(from int) {
	sub := f.u32()
	bulk := true
	switch sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating conversions
		f.weigh(truncSatWeight)
		bulk = false
	case 8: // memory.init
		f.index("data segment", max(f.m.datas, 0))
		f.zeroByte()
		f.m.usesData = true
	case 9: // data.drop
		f.index("data segment", max(f.m.datas, 0))
		f.m.usesData, f.m.out.Resettable, bulk = true, false, false
	case 10: // memory.copy
		f.zeroByte()
		f.zeroByte()
	case 11: // memory.fill
		f.zeroByte()
	case 12: // table.init
		f.index("element segment", f.m.elementCount())
		f.index("table", f.m.tables)
		f.m.out.Resettable = false
	case 13: // elem.drop
		f.m.tableCode = true
		f.index("element segment", f.m.elementCount())
		f.m.out.Resettable, bulk = false, false
	case 14: // table.copy
		f.index("table", f.m.tables)
		f.index("table", f.m.tables)
		f.m.out.Resettable = false
	case 15:
		f.i = from
		f.fail("table.grow is not supported: no limit of the host covers it")
	case 16: // table.size
		f.index("table", f.m.tables)
		f.m.tableCode = true
		bulk = false
	case 17: // table.fill
		f.index("table", f.m.tables)
		f.m.out.Resettable = false
	default:
		f.i = from
		f.fail("instruction 0xfc %d is not supported", sub)
	}
	if bulk {
		f.move(-3)
		f.bulk = true
		f.m.out.Stats.Bulk++
		kind := insertBulk
		if sub >= 12 {
			kind = insertTable
			f.m.tableCode = true
		}
		f.edits = append(f.edits, edit{kind: kind, from: from, to: from})
	}
}

func (m *module) elementCount() int {
	r := m.sections[secElement]
	if r == nil {
		return 0
	}
	return (&reader{b: r.b, base: r.base}).count("element segments", m.lim.Segments)
}

// vectorInstruction reads instructions with the prefix 0xfd (128-bit vectors).
func (f *body) vectorInstruction() {
	sub := f.u32()
	if f.weigh(vectorWeight); slowVector(sub) {
		f.weigh(vectorSlow)
	}
	switch {
	case sub <= 11, sub == 92, sub == 93: // loads and stores
		f.memArg()
	case sub == 12, sub == 13: // v128.const, i8x16.shuffle
		f.bytes(16)
		f.move(1)
	case sub >= 21 && sub <= 34: // lanes
		f.byte()
	case sub >= 84 && sub <= 91: // loads and stores of a lane
		f.memArg()
		f.byte()
	case sub <= 255:
	default:
		f.fail("vector instruction %d is not supported", sub)
	}
}
