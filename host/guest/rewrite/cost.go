package rewrite

// A unit of fuel stands for about a nanosecond of ordinary code on a present-day processor. Instructions weigh in sixteenths of a
// unit, by what they cost where they cost most while their data is in the caches: a memory access that misses every cache takes as long as a hundred
// ordinary instructions, and no static weight can know it.
const (
	perUnit = 16 // weight of one unit

	// freeLeaf is the weight up to which a function that calls nothing is not metered by itself: its callers pay for it with
	// callWeight.
	freeLeaf   = 2 * perUnit
	callWeight = 3*perUnit + freeLeaf

	tableWeight = 2 * perUnit // access to a table, of a call through it also
	bulkUnits   = 24          // a bulk instruction, without its length: it calls the host's memmove
	bulkShift   = 3           // 8 bytes of a bulk instruction on memory in one unit
	growCost    = 4096        // units of memory.grow: the system's page tables
)

// weights of instructions by opcode. What only names a place (block, loop, else, end) weighs nothing: every branch weighs, and
// every region that has weight is charged at least a unit.
var weights = func() (w [256]int64) {
	set := func(from, to byte, weight int64) {
		for op := int(from); op <= int(to); op++ {
			w[op] = weight
		}
	}
	set(0x00, 0xff, 4) // numbers, comparisons
	set(0x02, 0x03, 0) // block, loop
	w[0x05], w[0x0b] = 0, 0
	set(0x1a, 0x1a, 1) // drop
	set(0x20, 0x20, 1) // local.get
	set(0x21, 0x22, 2)
	w[0x04], w[0x0d] = 8, 8 // if, br_if: may be mispredicted
	w[0x0e] = 12            // br_table
	w[0x6c], w[0x7e] = 8, 10
	set(0x25, 0x26, tableWeight)
	set(0x28, 0x3e, 8) // loads, stores
	set(0x41, 0x44, 1) // constants
	set(0x6d, 0x70, 6*perUnit)
	set(0x7f, 0x82, 9*perUnit)
	set(0x67, 0x69, 12)         // clz, ctz, popcnt
	set(0x79, 0x7b, 12)         // of i64
	set(0x8b, 0x98, 48)         // f32: numbers next to zero take a detour in the processor
	set(0x99, 0xa6, 48)         // f64
	w[0x95], w[0xa3] = 96, 112  // division
	w[0x91], w[0x9f] = 112, 128 // square root
	set(0xa8, 0xab, 48)         // conversions that can trap
	set(0xae, 0xb1, 48)
	set(0xb2, 0xb5, 24)
	set(0xb7, 0xba, 24)
	set(0xd0, 0xd2, 8)
	return w
}()

// Weights of instructions with a prefix.
const (
	truncSatWeight  = 48
	vectorWeight    = 16
	vectorSlow      = 12 * perUnit // division, square root, conversions, shuffles of single lanes
	branchPerLocals = 4            // a branch moves values that live across it: one of weight for so many locals
)

// slowVector says which vector instructions (prefix 0xfd) are not done in one or two steps of the processor.
func slowVector(sub uint32) bool {
	switch {
	case sub >= 94 && sub <= 95, // conversions between floats
		sub >= 98 && sub <= 100, sub == 117, sub == 122, sub == 148, // popcnt, rounding
		sub >= 103 && sub <= 106, sub == 116,
		sub >= 107 && sub <= 109, sub >= 139 && sub <= 141, sub == 171, sub >= 203 && sub <= 205, // shifts
		sub == 213,               // i64x2.mul
		sub >= 227 && sub <= 255: // f32x4 and f64x2
		return true
	}
	return false
}

// region is a stretch of code that is charged as a whole where control enters it. Control cannot come into it by another way, and it
// contains no loop that is not a region of its own; so what is charged bounds what is done, once for each entry. The regions are the function,
// the body of every loop, and the code behind the end of a block to which a br_table in a loop jumps: those are the cases of an
// interpreter's or a parser's switch, of which a turn runs one, and the basic blocks of a stock-Go function.
//
// Whether there is fuel left is asked in fewer places: at the head of every loop, where a function begins that calls others, and before
// what takes long in one instruction. No endless computation avoids those; between two of them each region is entered once at most, so fuel
// falls below zero by no more than one function's weight, and what is owed is taken from the next slice. The check is what costs: a
// call that is never made, in the middle of code that is often run, takes room in the processor's caches and registers from what is. Asking in
// every region made stock-Go guests a third slower.
type region struct {
	edit   int // index of its charge, -1: at the function's entry
	loop   bool
	weight int64
	// bare is the weight up to the br_table with which a loop begins, where it does nothing else: every turn then enters another
	// region of the same loop, or leaves it, and the loop's own charge can be left out, but for the check. -1: it does more.
	bare  int64
	jumps bool // control may leave it before its end
}

// weigh adds to the region in which the reader is.
func (f *body) weigh(w int64) { f.regions[f.open[len(f.open)-1].region].weight += w }

// jump notes a branch: it moves the values that live across it.
func (f *body) jump() {
	f.branched = true
	f.weigh(int64(f.locals) / branchPerLocals)
	f.regions[f.open[len(f.open)-1].region].jumps = true
}

// enterRegion begins a region at the reader's place, in the innermost open block.
func (f *body) enterRegion() int {
	f.edits = append(f.edits, edit{kind: insertCharge, from: f.i, to: f.i})
	f.regions = append(f.regions, region{edit: len(f.edits) - 1, bare: -1})
	return len(f.regions) - 1
}

// dispatch notes the targets of a br_table, and whether it is the first thing that a loop does: nothing that could leave the loop's own
// region or take long comes before it, and all targets are blocks inside the loop, behind whose ends other regions begin.
func (f *body) dispatch(targets []uint32) {
	top := len(f.open) - 1
	for _, t := range targets {
		f.open[top-int(t)].switched = true
	}
	if len(f.loop) == 0 {
		return
	}
	head := f.loop[len(f.loop)-1]
	k := f.open[head].loop
	r := &f.regions[k]
	if f.open[top].region != k || r.jumps || r.weight > 4*perUnit {
		return
	}
	for _, t := range targets {
		if int(t) >= top-head {
			return
		}
	}
	r.bare = r.weight
}

// settle computes the charges when the whole function has been read.
func (f *body) settle() {
	for _, r := range f.regions {
		if r.edit < 0 {
			continue
		}
		e := &f.edits[r.edit]
		e.n = 1 + r.weight/perUnit
		switch free := r.weight == 0 || r.weight == r.bare; {
		case r.loop && free:
			e.kind = insertCheck
		case r.loop:
			e.kind = insertCharge
		case free:
			e.kind = nothing
		default:
			e.kind = insertDebit
		}
	}
}
