package extism

import (
	"log/slog"
	"time"

	"github.com/sallyport-dev/sallyport/host/guest"
)

// Options configure an [Engine]. The zero value is usable.
type Options struct {
	// MemoryLimit is the most memory of one guest in bytes, rounded down to 64 KiB. Default 64 MiB. Extism's kernel, through which
	// inputs and outputs go, has up to 4 MiB besides.
	MemoryLimit int64
	// Stack is the most call stack of one guest, in estimated bytes. Default 1 MiB.
	Stack int64
	// Fuel bounds computation, as in the native lane, but for its defaults: 150 units for each byte, because a guest has to ask
	// Extism for every eight of them, and an account of 50,000,000.
	Fuel guest.Fuel
	// Watchdog is the longest that one call may take by the clock, beside its fuel. Default 5 s.
	Watchdog time.Duration
	// CacheDir keeps compiled native code between runs. It is created with mode 0700; a directory that belongs to somebody else, or
	// that others may write to, is refused. Empty: every plugin is compiled anew.
	CacheDir string
	// Compiler has to compile a module, elsewhere and to no use, before it is compiled here: a module that is made to be slow or huge to
	// compile is refused, as in the native lane. It is for modules that nobody has vouched for, and takes the time of compiling twice.
	// Nil: there is no such trial.
	Compiler guest.Compiler
	// LogLimit is the number of bytes that one guest may log in its life. Default 64 KiB.
	LogLimit int
	// Logger receives what guests log, with the attribute "plugin". Default: discard.
	Logger *slog.Logger
}

const (
	wasmPage       = 64 << 10
	kernelPages    = 64 // of Extism's kernel: inputs, outputs, variables
	maxMemoryLimit = 1 << 30
	maxVariables   = 64 << 10  // bytes of Extism variables
	maxOutput      = 256 << 10 // bytes of one output
	maxErrorText   = 1024      // bytes of a guest's text that go into an error
	maxLogLine     = 1024
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
	def(&o.Fuel.PerByte, 150)
	def(&o.Fuel.Cap, 50_000_000)
	def(&o.Fuel.Slice, 100_000)
	def(&o.Fuel.Setup, 1_000_000_000)
	if o.Watchdog <= 0 {
		o.Watchdog = 5 * time.Second
	}
	if o.LogLimit <= 0 {
		o.LogLimit = 64 << 10
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
