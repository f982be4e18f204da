package rewrite

import (
	"cmp"
	"slices"
)

// An engine checks each access to memory, unless it knows that the same address with a greater offset was checked before. wazero knows it
// where the address is the same value, and finds the offsets in the order in which they come. Stock Go keeps pointers in locals of 64 bits and
// narrows them anew for each access, computes the places of a frame in 64 bits, and fills a frame from its beginning to its end, so nearly every
// access was checked: 60 bytes of code, of which the way out takes most. In a gateway that works, guests wait for code to come into the processor's
// caches more than for anything else.
//
// So in straight code, in which nothing branches, calls or ends, an address that is a local and a constant is written as the local with the constant
// as offset; a pointer that is narrowed twice is narrowed once, and kept in a local of the host's own; and what is accessed at several offsets is read
// once at the end of the greatest before, and what was read is dropped. That says what the code says: if one of the accesses traps, the module traps,
// a little earlier, and a module that has trapped is never used again. One thing is otherwise: an address that is computed in 64 bits, goes
// past 4 GiB and is cut to 32 traps now, where it stood for a place at the beginning.

// Limits: of the locals that a function may get for narrowed pointers, and of the constants that become offsets.
const (
	maxNarrowed = 12
	maxOffset   = 1 << 16
)

// form is how an operand follows from a local.
type form byte

const (
	unknownForm form = iota
	plain            // the local, of 32 or 64 bits, and nothing added
	wide             // the local, of 32 bits, extended to 64, and a constant
	wide64           // the local, of 64 bits, and a constant
	narrow           // the lower 32 bits of a local of 64, and a constant
	narrowWide       // the lower 32 bits of wide
	number           // no local, a constant of 64 bits
)

// operand is a value on the operand stack, and the bytes of the instructions that have put it there and nothing else.
type operand struct {
	form     form
	local    uint32
	version  int32 // how often the local was set before in this straight code
	constant uint64
	from, to int
	head     int // the end of the first of them
}

// pointer is what several accesses have in common: a local, as it is or narrowed.
type pointer struct {
	local    uint32
	version  int32
	narrowed bool
}

// access is one access to memory at a pointer.
type access struct {
	pointer pointer
	address operand
	at, to  int // its offset among the immediates
	offset  uint64
	size    uint64
}

// end is the place behind the access, from the pointer.
func (a *access) end() uint64 { return a.address.constant + a.offset + a.size }

// addresses knows the straight code in hand.
type addresses struct {
	*scratch
	used     int // locals for narrowed pointers in the straight code in hand
	narrowed int // and in the function
}

// scratch is the memory that all functions of a module use in turn.
type scratch struct {
	stack    []operand
	versions []int32  // by local
	set      []uint32 // the locals whose version is not 0
	accesses []access
}

// Opcodes of what is followed, and the sizes of accesses from the first load to the last store.
const (
	opConst64   = 0x42
	opAdd64     = 0x7c
	opNarrow    = 0xa7 // i32.wrap_i64
	opWiden     = 0xad // i64.extend_i32_u
	firstAccess = 0x28
	firstStore  = 0x36
	lastAccess  = 0x3e
)

var accessSizes = [lastAccess - firstAccess + 1]byte{4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4}

// follow takes in an instruction, which stands at [from, to). n is its local, its offset, which stands at at, or its constant.
func (a *addresses) follow(f *body, op byte, from, at, to int, n uint64) {
	switch {
	case op == opGet:
		a.push(operand{form: plain, local: uint32(n), version: a.versionOf(uint32(n)), from: from, head: to, to: to})
	case op == opTee:
		a.pop(1)
		a.push(operand{form: plain, local: uint32(n), version: a.next(uint32(n)), from: from, head: to, to: to})
	case op == opSet:
		a.pop(1)
		a.next(uint32(n))
	case op == opConst64:
		a.push(operand{form: number, constant: n, from: from, to: to})
	case op == opAdd64 && len(a.stack) > 1:
		y, x := a.pop(1), a.pop(1)
		a.push(sum(x, y, to))
	case op == opNarrow, op == opWiden:
		a.push(converted(a.pop(1), op, to))
	case op >= firstStore && op <= lastAccess:
		a.access(a.pop(2), at, to, n, op)
	case op >= firstAccess && op < firstStore:
		a.access(a.pop(1), at, to, n, op)
		a.push(operand{})
	case op == 0x01: // nop
	case op == 0x1a, op == 0x24: // drop, global.set
		a.pop(1)
	case op == 0x1b: // select
		a.pop(3)
		a.push(operand{})
	case op == 0x23, op == 0x3f, op >= 0x41 && op <= 0x44: // global.get, memory.size, constants
		a.push(operand{})
	case op >= 0x45 && op <= 0xc4:
		a.pop(1 - stackEffect(op))
		a.push(operand{})
	default:
		a.end(f)
	}
}

// sum is x + y, which end at to.
func sum(x, y operand, to int) operand {
	if y.form != number || y.constant >= maxOffset || x.constant >= maxOffset || x.to != y.from || y.to != to-1 {
		return operand{}
	}
	switch x.form {
	case plain:
		x.form = wide64
	case wide, wide64:
	default:
		return operand{}
	}
	x.constant += y.constant
	x.to = to
	return x
}

// converted is x made narrow or wide, which ends at to.
func converted(x operand, op byte, to int) operand {
	if x.to != to-1 {
		return operand{}
	}
	switch {
	case op == opNarrow && (x.form == plain || x.form == wide64):
		x.form = narrow
	case op == opNarrow && x.form == wide:
		x.form = narrowWide
	case op == opWiden && x.form == plain:
		x.form = wide
	default:
		return operand{}
	}
	x.to = to
	return x
}

func (a *addresses) push(o operand) { a.stack = append(a.stack, o) }

// pop takes n operands off the stack and returns the lowest of them. Of those from before the straight code nothing is known.
func (a *addresses) pop(n int) (o operand) {
	if n > len(a.stack) {
		a.stack = a.stack[:0]
		return o
	}
	o = a.stack[len(a.stack)-n]
	a.stack = a.stack[:len(a.stack)-n]
	return o
}

func (a *addresses) versionOf(local uint32) int32 {
	if int(local) >= len(a.versions) {
		return 0
	}
	return a.versions[local]
}

// next is the version of a local that is being set.
func (a *addresses) next(local uint32) int32 {
	for int(local) >= len(a.versions) {
		a.versions = append(a.versions, 0)
	}
	if a.versions[local] == 0 {
		a.set = append(a.set, local)
	}
	a.versions[local]++
	return a.versions[local]
}

func (a *addresses) access(address operand, at, to int, offset uint64, op byte) {
	switch address.form {
	case plain, narrow, narrowWide:
		p := pointer{address.local, address.version, address.form == narrow}
		a.accesses = append(a.accesses, access{p, address, at, to, offset, uint64(accessSizes[op-firstAccess])})
	}
}

// end is the end of straight code: what was found becomes edits.
func (a *addresses) end(f *body) {
	if len(a.accesses) > 1 {
		slices.SortStableFunc(a.accesses, func(x, y access) int { return x.pointer.compare(y.pointer) })
	}
	for all := a.accesses; len(all) > 0; {
		n := 1
		for n < len(all) && all[n].pointer == all[0].pointer {
			n++
		}
		a.change(f, all[0].pointer, all[:n])
		all = all[n:]
	}
	for _, local := range a.set {
		a.versions[local] = 0
	}
	a.used = 0
	a.stack, a.accesses, a.set = a.stack[:0], a.accesses[:0], a.set[:0]
}

func (p pointer) compare(o pointer) int {
	n := cmp.Or(cmp.Compare(p.local, o.local), cmp.Compare(p.version, o.version))
	switch {
	case n != 0 || p.narrowed == o.narrowed:
		return n
	case p.narrowed:
		return 1
	}
	return -1
}

// change has the accesses at a pointer checked once.
func (a *addresses) change(f *body, p pointer, all []access) {
	first, most := 0, uint64(0)
	for i := range all {
		if all[i].address.to < all[first].address.to {
			first = i
		}
		if most = max(most, all[i].end()); most > 1<<32-1 {
			return
		}
	}
	local := p.local
	if p.narrowed {
		if len(all) == 1 || a.used == maxNarrowed {
			return
		}
		local = uint32(f.locals + a.used)
		a.used++
		a.narrowed = max(a.narrowed, a.used)
	}
	for i := range all {
		o := &all[i].address
		switch {
		case !p.narrowed && o.form == narrowWide:
			f.moved = append(f.moved, edit{kind: leaveOut, from: o.head, to: o.to})
		case p.narrowed && i == first:
			f.moved = append(f.moved, edit{kind: narrowKept, from: o.head, to: o.to, n: int64(local)})
		case p.narrowed:
			f.moved = append(f.moved, edit{kind: getLocal, from: o.from, to: o.to, n: int64(local)})
		}
		if o.constant > 0 {
			f.moved = append(f.moved, edit{kind: replaceIndex, from: all[i].at, to: all[i].to, n: int64(o.constant + all[i].offset)})
		}
	}
	if most > all[0].end() {
		at := all[first].address.to
		f.moved = append(f.moved, edit{kind: readEnd, from: at, to: at, n: int64(local) | int64(most-1)<<32})
	}
}
