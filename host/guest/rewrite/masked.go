package rewrite

// wazero 1.12 compiles a branch on "0 < a & b", with the constant on the left, to one on "a & b < 0": it makes a test instruction of both, and forgets
// that the operands have changed places (amd64, tryLowerBandToFlag). Go writes "a & b > 0" and "a & b >= 0" so where they have signs.
// A parser that is compiled otherwise than it was written is no parser, so what is compared is disguised: "(a & b) | 0" is not recognized, and costs one
// instruction.

// Opcodes of what is looked for. lt_s, lt_u, gt_s, gt_u, le_s, le_u, ge_s and ge_u follow one another.
const (
	opAnd32, opAnd64         = 0x71, 0x83
	opOr32, opOr64           = 0x72, 0x84
	opGet, opSet, opTee      = 0x20, 0x21, 0x22
	firstOrder32             = 0x48
	firstOrder64             = 0x53
	orders              byte = 8
)

// masked knows which values come from an "and", as far as the compiler would: within straight code.
type masked struct {
	top    bool // what the last instruction has left
	locals map[uint32]bool
}

// bits is the width of a comparison by order that needs a disguise of its right operand; 0: this instruction does not.
func (k *masked) bits(op byte) int64 {
	switch {
	case !k.top:
	case op >= firstOrder32 && op < firstOrder32+orders:
		return 32
	case op >= firstOrder64 && op < firstOrder64+orders:
		return 64
	}
	return 0
}

// follow takes an instruction in; local is the one that it is about.
func (k *masked) follow(op byte, local uint32) {
	switch {
	case op == 0x01: // nop
		return
	case op == opAnd32 || op == opAnd64:
		k.top = true
		return
	case op == opGet:
		k.top = k.locals[local]
		return
	case op == opSet || op == opTee:
		if k.top && k.locals == nil {
			k.locals = map[uint32]bool{}
		}
		if k.locals != nil {
			k.locals[local] = k.top
		}
		if op == opTee {
			return
		}
	case op >= 0x02 && op <= 0x11: // control: what is behind is other code
		clear(k.locals)
	}
	k.top = false
}
