package decide

import (
	"math/bits"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// tri is a truth value: maybe is what depends on something unknown.
type tri uint8

const (
	no tri = iota
	yes
	maybe
)

func truth(b bool) tri {
	if b {
		return yes
	}
	return no
}

func (t tri) not() tri {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return maybe
}

// Compiled expressions, by type. False as second result means that the value is unknown.
type (
	boolFn func(*frame) tri
	intFn  func(*frame) (int64, bool)
	strFn  func(*frame) (string, bool)
	listFn func(*frame) ([]string, bool)
)

// frame is the state of one evaluation.
type frame struct {
	in     Input
	values []abi.Value
	answer *abi.Action // what a condition about answers is about
	// strs and ints are the variables of exists and all, by depth.
	strs [MaxNesting]string
	ints [MaxNesting]int64
	work int
	// missed are the fields that were unknown when they were read, and failed the last failure; both of the current rule.
	missed [abi.MaxFields / 64]uint64
	failed string
	// missedAnswer are the fields of the answer that were unknown when they were read.
	missedAnswer []string
}

func (f *frame) reset() {
	f.work = maxWork
	clear(f.missed[:])
	f.failed = ""
}

func (f *frame) miss(field int) { f.missed[field/64] |= 1 << (field % 64) }

// spend takes n units from the rule's budget and reports whether they were there.
func (f *frame) spend(n int) bool {
	f.work -= n
	if f.work < 0 {
		f.failed = "(too much work)"
		return false
	}
	return true
}

// names appends what was unknown in the current rule, each once.
func (f *frame) names(to []string) []string {
	family := f.in.Action.Family
	for w, word := range f.missed {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			to = appendOnce(to, family.Name+"."+family.Fields[i].Name)
		}
	}
	for _, name := range f.missedAnswer {
		to = appendOnce(to, name)
	}
	if f.failed != "" {
		to = appendOnce(to, f.failed)
	}
	return to
}

func appendOnce(to []string, s string) []string {
	for _, t := range to {
		if t == s {
			return to
		}
	}
	return append(to, s)
}
