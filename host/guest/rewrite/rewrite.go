// Package rewrite turns an untrusted core WebAssembly module into one that the host can afford to run.
//
// [Rewrite] reads the module strictly (every length, index and section order is checked, everything is bounded by
// [Limits]), refuses what cannot be bounded, and writes a new module that differs from the old one in these ways:
//
//   - Fuel. A global counts down where control enters a region (the body of a loop, a case of a switch in a loop, a function that calls others
//     or is large) by the weight of its instructions, and for bulk memory and table instructions by their length. Where it is found
//     below zero, at the head of a loop, at the beginning of a function that calls others and before what takes long, the module calls the
//     imported function [RefillModule].[RefillName], which adds a slice or traps. So no computation is endless, and none keeps
//     the host waiting for longer than a slice and one way through a function. A call can end with less than nothing; the host keeps account of it.
//   - Stack. A second global counts down by the estimated frame size on entry of every function that calls others, and
//     up again on every way out. Below zero the same import is called, with a different argument. So endless recursion
//     ends long before the host's own limits.
//   - Data segments that are applied at instantiation are taken out and handed to the host in [Module.Data]; the start function
//     becomes an ordinary export. Instantiating the rewritten module runs nothing and writes nothing: the same compiled code
//     serves for a first instance (the host writes the data and calls the start function) and for a copy-on-write clone
//     of it.
//   - Tables that nothing can change or look at become code: each call_indirect calls a function of the host's own, which is a switch over the
//     table's contents. An instance without tables takes a tenth of the time and memory to make.
//   - In straight code, accesses to memory at one address with several offsets are checked once, see addresses.go. An address that is computed in
//     64 bits past 4 GiB and cut to 32 traps, where by the specification it is one at the beginning of memory.
//   - Functions that the host calls again and again can be joined behind one, see [JoinedFunc].
//   - Every mutable global is exported, so that the host can save and restore all state outside of the memory.
//   - Custom sections are taken out and handed to the host.
//
// A module that can change its tables or drop its segments has state which the host cannot save; [Module.Resettable] says so.
//
// The types inside function bodies are not checked here: the engine that compiles the result validates it as a whole. What is
// checked here is that no index of the original reaches anything that this package added.
package rewrite

import "fmt"

// Names of what a rewritten module exports and imports beyond the original. A module that itself exports a name with
// the prefix "__sallyport_" is refused.
const (
	RefillModule = "sallyport_meter"
	RefillName   = "refill" // (why i32): WhyFuel or WhyStack
	FuelGlobal   = "__sallyport_fuel"
	StackGlobal  = "__sallyport_stack"
	StartFunc    = "__sallyport_start"

	prefix       = "__sallyport_"
	globalPrefix = "__sallyport_g"
)

// Arguments of the refill function.
const (
	WhyFuel  = 0 // the slice is used up: add to the fuel global until it is not negative, or trap
	WhyStack = 1 // the call depth is used up: trap
)

// ValType is a WebAssembly value type in its binary encoding.
type ValType = byte

// The value types that are accepted.
const (
	I32     ValType = 0x7f
	I64     ValType = 0x7e
	F32     ValType = 0x7d
	F64     ValType = 0x7c
	V128    ValType = 0x7b
	FuncRef ValType = 0x70
)

// FuncType is the signature of a function.
type FuncType struct{ Params, Results []ValType }

// String writes the signature as "(i32 i64) -> (i32)".
func (t FuncType) String() string {
	return "(" + typeNames(t.Params) + ") -> (" + typeNames(t.Results) + ")"
}

// Equal says whether both signatures are the same.
func (t FuncType) Equal(o FuncType) bool {
	return string(t.Params) == string(o.Params) && string(t.Results) == string(o.Results)
}

func typeNames(ts []ValType) string {
	s := ""
	for i, t := range ts {
		if i > 0 {
			s += " "
		}
		s += typeName(t)
	}
	return s
}

func typeName(t ValType) string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case FuncRef:
		return "funcref"
	}
	return fmt.Sprintf("type %#x", t)
}

// Import is an imported function; nothing else can be imported.
type Import struct {
	Module, Name string
	Type         FuncType
}

// Segment is a piece of initial memory content that the host writes into a fresh instance.
type Segment struct {
	Offset uint32
	Bytes  []byte // part of the original module
}

// Custom is a custom section.
type Custom struct {
	Name  string
	Bytes []byte // part of the original module
}

// Stats counts what was found and inserted.
type Stats struct {
	Functions, Loops, Metered, Guarded, Bulk int
	Work                                     int64 // see Limits.Work
}

// Module is the result of [Rewrite].
type Module struct {
	Wasm       []byte
	Imports    []Import
	Functions  map[string]FuncType // exported functions by name
	Memory     string              // name under which the memory is exported, empty: not exported
	MinPages   uint32              // initial memory, 64 KiB pages
	MaxPages   uint32              // largest memory; the host's allocator must refuse more, so that it hears of it
	Data       []Segment
	Start      bool     // the module had a start function, now exported as StartFunc
	Globals    []string // export names of the original's mutable globals
	Replaced   bool     // the tables are code now, see the package comment
	Joined     bool     // JoinedFunc is there
	Resettable bool     // all state is in the memory and in Globals
	Customs    []Custom
	Stats      Stats
}

// Error says what in a module was refused, and where.
type Error struct {
	Offset int // byte offset in the module
	What   string
}

func (e *Error) Error() string { return fmt.Sprintf("wasm at byte %#x: %s", e.Offset, e.What) }
