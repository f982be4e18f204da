package guest

import (
	"log/slog"
	"runtime"
)

// Fuel bounds how much a guest computes. One unit is one turn of a loop or one call of a function; large bodies cost more, because a unit
// stands for at most 256 instructions. The measure is coarse and errs on the side of charging: ordinary code takes 0.1 to 2 ns
// for a unit, code made to be slow up to 100 ns or so.
//
// Each connection has an account. A delivery of n bytes (Open, Data, Event with n > 0) adds Base + n × PerByte, up to Cap; what
// is not used stays for later. "Go on" (an empty Event) adds nothing. Each call costs 200 units, and one for 16 bytes of output.
// The guest and the companions it calls spend from the account; when it is empty the guest ends with [ErrFuel]. For scale: a
// stock-Go guest that looks at each byte takes 21 units for a byte, a grammar written in C, run in a companion, 500 to 1,000.
type Fuel struct {
	Base    int64 // units added by each delivery; default 2,000,000
	PerByte int64 // units added for each delivered byte; default 1,500
	Cap     int64 // most units that an account holds; default 200,000,000
	Slice   int64 // units between two visits to the host, so that its garbage collector does not wait; default 100,000
	Setup   int64 // units for _initialize, sallyport_describe and sallyport_configure each; default 200,000,000
}

// Options configure an [Engine]. The zero value is usable: no cache on disk, defaults everywhere.
type Options struct {
	// CacheDir keeps compiled native code between runs. It is created with mode 0700; a directory that belongs to somebody
	// else or that others can enter is refused, because its content is executed. Empty: compile in every run.
	CacheDir string
	// MemoryLimit is the most memory of one guest, and of one companion copy, in bytes; rounded down to 64 KiB. Default 64 MiB.
	MemoryLimit int64
	// Stack is the most call stack of one guest, in estimated bytes. Default 1 MiB; companions have four times as much.
	Stack int64
	// Fuel bounds computation.
	Fuel Fuel
	// Companions is the number of copies of each companion that can run at the same time, for each plugin. Default: the
	// number of processors.
	Companions int
	// Idle is the number of reset guests that each template keeps for new connections. Default 16; negative: none.
	Idle int
	// LogLimit is the number of bytes that one guest may log in its life; the rest is dropped. Default 64 KiB.
	LogLimit int
	// Plain makes every guest a fresh instance instead of a copy-on-write clone of its template. It is what happens by
	// itself where clones are not available (other systems than Linux) and for modules that change their tables.
	Plain bool
	// Logger receives what guests log, with the attribute "plugin". Default: discard.
	Logger *slog.Logger
}

const (
	wasmPage       = 64 << 10
	minBuffer      = 64 << 10 // least capacity of the in and out buffers
	maxMemoryLimit = 1 << 30
)

func (o Options) withDefaults() Options {
	def := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&o.MemoryLimit, 64<<20)
	o.MemoryLimit = max(min(o.MemoryLimit, maxMemoryLimit)&^(wasmPage-1), wasmPage)
	def(&o.Stack, 1<<20)
	def(&o.Fuel.Base, 2_000_000)
	def(&o.Fuel.PerByte, 1_500)
	def(&o.Fuel.Cap, 200_000_000)
	def(&o.Fuel.Slice, 100_000)
	def(&o.Fuel.Setup, 200_000_000)
	if o.Companions <= 0 {
		o.Companions = runtime.GOMAXPROCS(0)
	}
	if o.Idle == 0 {
		o.Idle = 16
	}
	if o.LogLimit <= 0 {
		o.LogLimit = 64 << 10
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
