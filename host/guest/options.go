package guest

import (
	"log/slog"
	"runtime"
	"time"
)

// Fuel bounds how much a guest computes. Package rewrite charges it by weighed instructions: a unit is about a nanosecond of ordinary
// code on a present-day processor, and the measure errs on the side of charging: measured code takes 0.2 to 1 ns for a unit. Code made to
// be slow takes up to 10 ns, and 40 ns where every access to memory misses all caches, which no static measure can know;
// Options.Watchdog is for that.
//
// Each connection has an account. A delivery of n bytes (Open, Data, Event with n > 0) adds Base + n × PerByte, up to Cap; what
// is not used stays for later. "Go on" (an empty Event) adds nothing. Each call costs 200 units, and one for 16 bytes of output.
// The guest and the companions it calls spend from the account; when it is empty the guest ends with [ErrFuel]. A companion's call fails
// before that, and leaves its caller half of Base to say so. By default
// a delivery of 64 KiB buys 3 million units, a few milliseconds at most. For scale: a stock-Go guest that looks at each byte spends 4 units
// for a byte. A grammar is another matter: the SQL parser of the shipped plugin, a companion, spends 13,000 on the shortest statement, 500 to 1,000 for a byte of ordinary
// ones and 2,400 for a byte of the worst. So a plugin that brings companions gets more for each byte, and may save up what a text of 2 MiB buys, the
// longest that this parser takes: an agent that wants as much computed has to send as much.
type Fuel struct {
	Base    int64 // units added by each delivery; default 2,000,000
	PerByte int64 // units added for each delivered byte; default 16
	Cap     int64 // most units that an account holds; default 20,000,000
	Slice   int64 // units between two visits to the host, so that its garbage collector does not wait; default 100,000
	Setup   int64 // units for _initialize, sallyport_describe and sallyport_configure each; default 1,000,000,000

	CompanionPerByte int64 // in place of PerByte for plugins that bring companions; default 1,500
	CompanionCap     int64 // in place of Cap for plugins that bring companions; default 3,200,000,000
}

// rate is what of the options applies to a plugin.
type rate struct{ base, perByte, limit int64 }

func (f *Fuel) rate(companions bool) rate {
	if companions {
		return rate{f.Base, f.CompanionPerByte, f.CompanionCap}
	}
	return rate{f.Base, f.PerByte, f.Cap}
}

// Options configure an [Engine]. The zero value is usable: no cache on disk, defaults everywhere.
type Options struct {
	// CacheDir keeps compiled native code between runs. It is created with mode 0700; a directory that belongs to somebody
	// else or that others can enter is refused, because its content is executed. Empty: compile in every run.
	CacheDir string
	// Compiler compiles modules elsewhere, and passes the result through CacheDir, which it needs; see [Child]. Nil: they are compiled
	// in this process, which is right for modules that somebody vouches for (pinned by digest, or part of the program).
	Compiler Compiler
	// MemoryLimit is the most memory of one guest, and of one companion copy, in bytes; rounded down to 64 KiB. Default 64 MiB.
	MemoryLimit int64
	// Stack is the most call stack of one guest, in estimated bytes. Default 1 MiB; companions have four times as much.
	Stack int64
	// Fuel bounds computation.
	Fuel Fuel
	// Watchdog is the longest that one call of a guest may take by the clock, its companions included, beside its fuel: it ends
	// with [ErrWatchdog] at the first visit to the host after that. A machine that is busy with other things counts against
	// it, so it is a last resort far above what fuel allows. Default 5 s.
	Watchdog time.Duration
	// Companions is the number of copies of each companion that can run at the same time, for each plugin. Default: the
	// number of processors.
	Companions int
	// Idle is the number of reset guests that each template keeps for new connections. Default 16; negative: none.
	Idle int
	// Rest is how long a guest must have been quiet until its memory is reduced to what makes it different from its template; it takes up
	// to twice as long. Its next call costs some tens of microseconds more. It needs Linux 6.7; without that guests keep all pages that
	// they have touched. Default 5 s; negative: never.
	Rest time.Duration
	// LogLimit is the number of bytes that one guest may log in its life; the rest is dropped. Default 64 KiB.
	LogLimit int
	// Plain makes every guest a fresh instance instead of a copy-on-write clone of its template. It is what happens by
	// itself where clones are not available (other systems than Linux) and for modules that change their tables.
	Plain bool
	// Canaries are byte strings that must never be in the memory of a guest or a companion. It is for tests: after every call the whole
	// memory is searched for them, and a guest in which one is found ends with [ErrCanary].
	Canaries [][]byte
	// Search is the same with values that become known later: it is given the whole memory, and says what of it must not be there;
	// empty: nothing. Its words are in the error, so they hold no part of a value. Nil: nothing is searched.
	Search func(memory []byte) (what string)
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
	def(&o.Fuel.PerByte, 16)
	def(&o.Fuel.Cap, 20_000_000)
	def(&o.Fuel.CompanionPerByte, 1_500)
	def(&o.Fuel.CompanionCap, 3_200_000_000)
	def(&o.Fuel.Slice, 100_000)
	def(&o.Fuel.Setup, 1_000_000_000)
	def((*int64)(&o.Watchdog), int64(5*time.Second))
	if o.Companions <= 0 {
		o.Companions = runtime.GOMAXPROCS(0)
	}
	if o.Idle == 0 {
		o.Idle = 16
	}
	if o.Rest == 0 {
		o.Rest = 5 * time.Second
	}
	if o.LogLimit <= 0 {
		o.LogLimit = 64 << 10
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
