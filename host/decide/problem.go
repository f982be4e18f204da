package decide

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/host/nearest"
)

// Problem is one thing that is wrong with a rule.
type Problem struct {
	// Rule is its name and Index its place in what New was given, from 0.
	Rule  string
	Index int
	// Field is the key: "name", "endpoints", "when", "unless", "except", "then" or "reason".
	Field string
	// Line and Column say where inside the text of when or unless, from 1, the column in characters; 0 for other fields.
	Line, Column int
	// Message says what is wrong and what to do.
	Message string
}

func (p Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("rule %q: %s: %s", p.Rule, p.Field, p.Message)
	}
	return fmt.Sprintf("rule %q: %s:%d:%d: %s", p.Rule, p.Field, p.Line, p.Column, p.Message)
}

// Problems is the error of New: everything that is wrong, in the order of the rules.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// sorted orders problems by rule and place, and leaves out repetitions, which come from compiling one text for several plugins.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(fieldOrder(a.Field), fieldOrder(b.Field)),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(p)
}

func fieldOrder(f string) int {
	return slices.Index([]string{"name", "endpoints", "when", "unless", "except", "then", "reason"}, f)
}

// meant returns ` (did you mean "x"?)` for the candidate that is closest to s, or nothing when none is close.
func meant(s string, candidates []string) string {
	if word, ok := nearest.Word(s, candidates); ok {
		return fmt.Sprintf(" (did you mean %q?)", word)
	}
	return ""
}

// list writes words for a message, at most ten of them.
func list(words []string) string {
	words = slices.Sorted(slices.Values(words))
	more := ""
	if len(words) > 10 {
		more = fmt.Sprintf(" and %d more", len(words)-10)
		words = words[:10]
	}
	return strings.Join(words, ", ") + more
}
