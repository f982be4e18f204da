package rewrite

// Limits bound what a module may contain. They are checked before anything is compiled, because compiling is an attack too:
// time and memory of the compiler grow with the product of branches and locals in a function.
type Limits struct {
	Size        int    // bytes of the module
	Types       int    // function types
	Imports     int    // imported functions
	Functions   int    // defined functions
	Globals     int    // defined globals
	Exports     int    // exports
	Segments    int    // data segments (a stock-Go module has tens of thousands), and as many element segments
	Tables      int    // tables
	TableSize   uint32 // entries in each table
	MemoryPages uint32 // 64 KiB pages; a module that starts with more is refused
	Customs     int    // custom sections
	Params      int    // parameters, and results, of a type
	Locals      int    // locals of a function, parameters included
	Body        int    // bytes of a function
	Height      int    // values on the operand stack, estimated
	Nesting     int    // blocks inside each other
	Targets     int    // entries of one br_table
	Work        int64  // of each function: sum over its branches of the values that may be alive; loops count more
	WorkPerByte int64  // the module may have Work, and this much for each byte of code
	Name        int    // bytes of a name
}

// DefaultLimits fit large real modules (a 4 MB stock-Go plugin, a C parser) with room to spare.
func DefaultLimits() Limits {
	return Limits{
		Size: 32 << 20, Types: 10_000, Imports: 200, Functions: 50_000, Globals: 1_000, Exports: 2_000,
		Segments: 500_000, Tables: 4, TableSize: 100_000, MemoryPages: 1024, Customs: 200, Params: 128,
		Locals: 4_000, Height: 10_000, Body: 1 << 20, Nesting: 20_000, Targets: 20_000, Work: 1 << 20, WorkPerByte: 8, Name: 1024,
	}
}
