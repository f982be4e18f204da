package guest

import (
	"errors"
	"fmt"
	"strings"
)

// What can go wrong. Every error of this package that concerns a plugin is an [*Error] and wraps one of these.
var (
	ErrRefused     = errors.New("module refused")              // Load: imports, exports, limits, broken file
	ErrConfigure   = errors.New("options refused")             // Configure: the plugin said no; the text is the plugin's
	ErrFuel        = errors.New("fuel is spent")               // computed for longer than the account allows
	ErrWatchdog    = errors.New("took too long")               // a call ran for longer than Options.Watchdog
	ErrStack       = errors.New("call stack is exhausted")     // recursion
	ErrMemory      = errors.New("memory limit reached")        // asked for more memory than allowed, then failed
	ErrTrap        = errors.New("trapped")                     // a WebAssembly trap; Reason says which
	ErrExit        = errors.New("exited")                      // called proc_exit
	ErrBadOutput   = errors.New("answered out of bounds")      // a length or an address that cannot be
	ErrBadInput    = errors.New("delivery is too large")       // more bytes than InputCapacity: the caller's mistake
	ErrInterrupted = errors.New("interrupted")                 // Interrupt or Close during a call
	ErrClosed      = errors.New("closed")                      // used after Close
	ErrCanary      = errors.New("holds what it must not see")  // Options.Canaries, in tests
	ErrHost        = errors.New("host could not run the call") // mapping memory failed and the like
)

// Error is a failure of one plugin.
type Error struct {
	Plugin string // name given to Load
	Call   string // the exported function, or what the host was doing
	Kind   error  // one of the variables above
	Reason string // details, may be empty; text from a guest is bounded and printable
}

func (e *Error) Error() string {
	s := fmt.Sprintf("plugin %s: %s: %v", e.Plugin, e.Call, e.Kind)
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// Unwrap returns the kind, for errors.Is.
func (e *Error) Unwrap() error { return e.Kind }

// trapReason shortens wazero's message ("wasm error: unreachable\nwasm stack trace: …") to its first line.
func trapReason(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	s = strings.TrimPrefix(s, "wasm error: ")
	return strings.TrimSuffix(s, " (recovered by wazero)")
}

// printable bounds text from a guest and replaces what does not belong into a log line.
func printable(b []byte, limit int) string {
	if len(b) > limit {
		b = b[:limit]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r == 0x2028 || r == 0x2029 || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(b), "?"))
}

const outOfRange = "address or length out of range"
