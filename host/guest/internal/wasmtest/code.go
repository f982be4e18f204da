package wasmtest

import "slices"

// Instructions without immediates.
const (
	Unreachable = 0x00
	Nop         = 0x01
	Else        = 0x05
	End         = 0x0b
	Return      = 0x0f
	Drop        = 0x1a
	I32Eqz      = 0x45
	I32Eq       = 0x46
	I32Ne       = 0x47
	I32LtU      = 0x49
	I32GeU      = 0x4f
	I32Add      = 0x6a
	I32Sub      = 0x6b
	I32Mul      = 0x6c
	I32Xor      = 0x73
	I32Rotl     = 0x77
)

// Code joins pieces of code.
func Code(parts ...[]byte) []byte { return slices.Concat(parts...) }

// Op is instructions without immediates.
func Op(ops ...byte) []byte { return ops }

// I32Const pushes a number.
func I32Const(v int32) []byte { return append([]byte{0x41}, signed(int64(v))...) }

// I64Const pushes a number.
func I64Const(v int64) []byte { return append([]byte{0x42}, signed(v)...) }

// Get reads a local.
func Get(local uint32) []byte { return append([]byte{0x20}, U(local)...) }

// Set writes a local.
func Set(local uint32) []byte { return append([]byte{0x21}, U(local)...) }

// GlobalGet reads a global.
func GlobalGet(k uint32) []byte { return append([]byte{0x23}, U(k)...) }

// GlobalSet writes a global.
func GlobalSet(k uint32) []byte { return append([]byte{0x24}, U(k)...) }

// Call calls a function.
func Call(f uint32) []byte { return append([]byte{0x10}, U(f)...) }

// CallIndirect calls a function of table 0 by the number on the stack.
func CallIndirect(typ uint32) []byte { return append(append([]byte{0x11}, U(typ)...), 0) }

// Load8 reads the byte at the address on the stack plus offset.
func Load8(offset uint32) []byte { return append([]byte{0x2d, 0}, U(offset)...) }

// Store8 stores a byte.
func Store8(offset uint32) []byte { return append([]byte{0x3a, 0}, U(offset)...) }

// Load32 reads a u32.
func Load32(offset uint32) []byte { return append([]byte{0x28, 2}, U(offset)...) }

// Store32 stores a u32.
func Store32(offset uint32) []byte { return append([]byte{0x36, 2}, U(offset)...) }

// Block is a block without a result.
func Block(code ...[]byte) []byte {
	return slices.Concat([]byte{0x02, 0x40}, Code(code...), []byte{End})
}

// Loop is a loop without a result.
func Loop(code ...[]byte) []byte {
	return slices.Concat([]byte{0x03, 0x40}, Code(code...), []byte{End})
}

// If is an if without a result.
func If(code ...[]byte) []byte { return slices.Concat([]byte{0x04, 0x40}, Code(code...), []byte{End}) }

// Br is a branch.
func Br(label uint32) []byte { return append([]byte{0x0c}, U(label)...) }

// BrIf is a conditional branch.
func BrIf(label uint32) []byte { return append([]byte{0x0d}, U(label)...) }

// MemoryGrow grows the memory by the number of pages on the stack.
func MemoryGrow() []byte { return []byte{0x40, 0} }

// MemoryCopy copies: destination, source, length are on the stack.
func MemoryCopy() []byte { return []byte{0xfc, 10, 0, 0} }

// MemoryFill fills: destination, value, length are on the stack.
func MemoryFill() []byte { return []byte{0xfc, 11, 0} }

// MemoryInit copies from a passive segment: destination, source, length are on the stack.
func MemoryInit(segment uint32) []byte { return slices.Concat([]byte{0xfc, 8}, U(segment), []byte{0}) }

// F32Const pushes a number of a type that is wrong almost everywhere.
func F32Const() []byte { return []byte{0x43, 0, 0, 0, 0} }
