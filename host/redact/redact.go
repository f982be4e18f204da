// Package redact masks values of an answer in place: those that match a pattern, in the part that matches, and those of named columns, whole.
//
// Lengths stay as they are, so that a protocol's framing around the values does: a byte of text becomes "*", the inside of a JSON string is
// read without its escapes and each escape that belongs to a match is masked whole, another value of JSON becomes null or 0 and spaces. A
// match never goes beyond its value. What matches and cannot be masked, because it does not stand in the bytes as it is read or would mean
// something else then, and what cannot be read, is counted, and whoever asked withholds the answer.
package redact

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits of one set of redactions.
const (
	MaxPatterns = 64
	MaxPattern  = 512 // bytes
	MaxColumns  = 256
)

// Redactor masks by patterns and columns. It is safe for concurrent use.
type Redactor struct {
	patterns []*regexp.Regexp
	columns  []string
}

// Pattern compiles one pattern, RE2 syntax, which must match something.
func Pattern(text string) (*regexp.Regexp, error) {
	if len(text) > MaxPattern {
		return nil, fmt.Errorf("it has %d bytes, the limit is %d", len(text), MaxPattern)
	}
	p, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	if p.MatchString("") {
		return nil, fmt.Errorf("it matches where there is nothing, so it says nothing about what to mask")
	}
	return p, nil
}

// New makes a redactor. Columns are compared without regard to case.
func New(patterns, columns []string) (*Redactor, error) {
	r := &Redactor{columns: columns}
	for i, text := range patterns {
		p, err := Pattern(text)
		if err != nil {
			return nil, fmt.Errorf("pattern %d: %w", i+1, err)
		}
		r.patterns = append(r.patterns, p)
	}
	return r, nil
}

// Result is what was masked.
type Result struct {
	// Values is how many, in whole or in part.
	Values int
	// By are the patterns, "pattern N" from 1, and the columns, "column NAME" as the redactor has it, that masked something or would have.
	By []string
	// Stuck is how many values match and cannot be masked.
	Stuck int
}

// Mask masks what matches, in a.Kept. columns are the names that the values' numbers mean; known says that they are all there.
func (r *Redactor) Mask(a *abi.Response, columns []string, known bool) Result {
	var res Result
	whole := make([]int, len(columns)) // the column that masks it, from 1
	for i, name := range columns {
		whole[i] = 1 + slices.IndexFunc(r.columns, func(c string) bool { return strings.EqualFold(c, name) })
	}
	if len(r.columns) > 0 && !known { // any value may be of such a column
		res.Stuck++
	}
	masked := make([]span, 0, 8)
	var buffer []byte
	for i := range a.Values {
		v := &a.Values[i]
		raw := v.Raw(a.Kept, buffer)
		if len(v.Pieces) > 1 {
			buffer = raw
		}
		switch {
		case len(raw) == 0:
			continue
		case v.Format == abi.FormatOpaque:
			res.Stuck++
			continue
		}
		masked = masked[:0]
		if int(v.Column) < len(whole) && whole[v.Column] > 0 {
			masked = append(masked, span{0, len(raw)})
			res.by("column " + r.columns[whole[v.Column]-1])
		} else {
			masked = r.matches(masked, v, raw, &res)
		}
		switch {
		case len(masked) == 0:
		case v.Given || v.Format == abi.FormatFixed:
			res.Stuck++
		default:
			res.Values++
			mask(a.Kept, v, raw, masked)
		}
	}
	return res
}

func (r *Result) by(name string) {
	if !slices.Contains(r.By, name) {
		r.By = append(r.By, name)
	}
}

// span is a range of a value's raw bytes.
type span struct{ start, end int }

// matches adds the ranges of raw that match a pattern.
func (r *Redactor) matches(to []span, v *abi.ResponseValue, raw []byte, res *Result) []span {
	text, at := raw, []uint32(nil)
	if v.Format == abi.FormatJSON && !v.Given && bytes.IndexByte(raw, '\\') >= 0 {
		text, at = abi.Unescape(raw)
	}
	for i, p := range r.patterns {
		found := p.FindAllIndex(text, -1)
		for _, m := range found {
			if m[0] == m[1] {
				continue
			}
			if at != nil {
				m[0], m[1] = int(at[m[0]]), int(at[m[1]])
			}
			to = append(to, span{m[0], m[1]})
		}
		if len(found) > 0 {
			res.by(fmt.Sprintf("pattern %d", i+1))
		}
	}
	return to
}

// mask overwrites ranges of a value where its pieces stand in kept. raw may be part of kept.
func mask(kept []byte, v *abi.ResponseValue, raw []byte, masked []span) {
	if v.Format == abi.FormatLiteral {
		n := len(raw)
		literal := slices.Concat([]byte("0"), bytes.Repeat([]byte(" "), n-1))
		if n >= len("null") {
			literal = slices.Concat([]byte("null"), bytes.Repeat([]byte(" "), n-len("null")))
		}
		for _, p := range v.Pieces {
			literal = literal[copy(kept[p.Start:p.End], literal):]
		}
		return
	}
	for _, m := range masked {
		at := 0 // of the piece in raw
		for _, p := range v.Pieces {
			size := int(p.End - p.Start)
			for i := max(m.start, at); i < min(m.end, at+size); i++ {
				kept[int(p.Start)+i-at] = '*'
			}
			at += size
		}
	}
}
