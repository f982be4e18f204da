package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in the file. Lines and columns count from 1, columns in characters (Unicode code points). The zero Pos is no
// place: what has it comes from a default.
type Pos struct {
	Line, Col int
}

// IsZero reports whether p is no place.
func (p Pos) IsZero() bool { return p == Pos{} }

func (p Pos) compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

// Problem is one thing that is wrong in a file, and what to do about it.
type Problem struct {
	File      string
	Line, Col int
	Message   string
}

// String returns "file:line:col: message", without the place when there is none.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, p.Message)
}

// Problems is all that is wrong in a file, as one error.
type Problems []Problem

// Error returns one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Sort orders the problems by file and place, those of one place in the order in which they were found.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), Pos{a.Line, a.Col}.compare(Pos{b.Line, b.Col}))
	})
}

// Problem returns a problem at a place in the configuration's file, for checks that other packages make.
func (c *Config) Problem(at Pos, format string, args ...any) Problem {
	return Problem{File: c.Path, Line: at.Line, Col: at.Col, Message: fmt.Sprintf(format, args...)}
}
