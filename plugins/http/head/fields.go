package head

import (
	"bytes"
	"math/bits"
)

// MaxFields is how many fields a head may have.
const MaxFields = 128

// Span is a place in the input a head was read from.
type Span struct{ Start, End uint32 }

// Of are the bytes at the place.
func (s Span) Of(p []byte) []byte { return p[s.Start:s.End] }

// Empty reports whether there is nothing.
func (s Span) Empty() bool { return s.Start == s.End }

// Field is one field line. Value is without the whitespace around it.
type Field struct {
	Name, Value Span
	Known       Name
}

// Line is the whole line with its end, for who takes it out. p is the input.
func (f *Field) Line(p []byte) Span {
	end := f.Value.End
	for p[end] != '\n' {
		end++
	}
	return Span{f.Name.Start, end + 1}
}

// Fields are the field lines of a head or of a trailer section.
type Fields struct {
	All   [MaxFields]Field
	Count int

	seen, twice uint32                // a bit for each Name
	first       [LastSecret + 1]uint8 // where in All, for those that were seen
}

// bit is that of a name in seen and twice.
func (n Name) bit() uint32 { return 1 << n }

// has reports whether there is a field of this name.
func (f *Fields) has(n Name) bool { return f.seen&n.bit() != 0 }

// value is that of the first field of this name, which is there.
func (f *Fields) value(n Name) Span { return f.All[f.first[n]].Value }

// Problems of field lines.
const (
	bareLF       Problem = "a line ends with LF alone"
	bareCR       Problem = "CR stands where no line ends"
	spaceColon   Problem = "whitespace stands between the name of a field and its colon"
	folded       Problem = "a field goes on in a folded line"
	noName       Problem = "a field has no name"
	badName      Problem = "a byte stands in the name of a field that cannot be there"
	noColon      Problem = "a field line has no colon"
	badValue     Problem = "a control character stands in the value of a field"
	manyFields   Problem = "there are more than 128 fields"
	lookalike    Problem = "a field's name is written with _ in place of - so that some servers take it for another"
	incompletely Problem = "the head does not end"
)

// read reads field lines of p from i on up to the empty line, and returns what stands behind that.
func (f *Fields) read(p []byte, i int) (int, Problem) {
	f.Count, f.seen, f.twice = 0, 0, 0
	for {
		if i >= len(p) {
			return i, incompletely
		}
		start := i
		n, alike := Other, false
		for at, end := i, min(i+maxName, len(p)-8); at <= end; at += 8 {
			if m := equal(word(p, at), ':'); m != 0 {
				if at += bits.TrailingZeros64(m) / 8; at-i <= maxName {
					if n = usual(p, start, at-start); n != Other {
						i = at
					}
				}
				break
			}
		}
		if n == Other {
			for i < len(p) && lower[p[i]] != 0 {
				i++
			}
			if i == len(p) {
				return i, incompletely
			}
			if p[i] != ':' || i == start {
				if p[i] == '\r' && i == start && i+1 < len(p) && p[i+1] == '\n' {
					return i + 2, ""
				}
				return i, nameProblem(p, start, i)
			}
			if n, alike = NameOf(p[start:i]); alike {
				return i, lookalike
			}
		}
		if f.Count == MaxFields {
			return i, manyFields
		}
		e := &f.All[f.Count]
		f.Count++
		e.Name = Span{uint32(start), uint32(i)}
		e.Known = n
		if bit := n.bit(); f.seen&bit == 0 {
			f.seen |= bit
			f.first[n] = uint8(f.Count - 1)
		} else {
			f.twice |= bit
		}
		i++
		for i < len(p) && (p[i] == ' ' || p[i] == '\t') {
			i++
		}
		start = i
		for i+8 <= len(p) {
			w := word(p, i)
			odd := below(w, ' ') | equal(w, 0x7f)
			if odd == 0 {
				i += 8
				continue
			}
			if i += bits.TrailingZeros64(odd) / 8; p[i] != '\t' {
				break
			}
			i++
		}
		for i < len(p) && kinds[p[i]]&inValue != 0 {
			i++
		}
		if i+1 >= len(p) {
			return i, incompletely
		}
		if p[i] != '\r' || p[i+1] != '\n' {
			return i, valueProblem(p, i)
		}
		end := i
		for end > start && (p[end-1] == ' ' || p[end-1] == '\t') {
			end--
		}
		e.Value = Span{uint32(start), uint32(end)}
		i += 2
	}
}

// nameProblem says what is wrong with the name that begins at start and cannot go on at i.
func nameProblem(p []byte, start, i int) Problem {
	switch c := p[i]; {
	case c == '\n':
		return bareLF
	case (c == ' ' || c == '\t') && i == start:
		return folded
	case c == ' ' || c == '\t':
		if rest := bytes.TrimLeft(p[i:], " \t"); len(rest) > 0 && rest[0] == ':' {
			return spaceColon
		}
		return badName
	case c == '\r' && i+1 < len(p) && p[i+1] == '\n':
		return noColon
	case c == '\r':
		return bareCR
	case c == ':':
		return noName
	}
	return badName
}

func valueProblem(p []byte, i int) Problem {
	switch p[i] {
	case '\n':
		return bareLF
	case '\r':
		return bareCR
	}
	return badValue
}

// Scanner finds the end of a head that comes in pieces, so that each byte is looked at once.
type Scanner struct {
	at   int // up to here it was scanned
	line int // where the line begins
}

// Reset has it begin anew.
func (s *Scanner) Reset() { *s = Scanner{} }

// End returns the size of the head that p begins with, 0 when it has not ended. Only its lines' ends are looked at. p is what End was given
// last and what has come since.
func (s *Scanner) End(p []byte) (size int, problem Problem) {
	for {
		n := bytes.IndexByte(p[s.at:], '\n')
		if n < 0 {
			s.at = len(p)
			return 0, ""
		}
		at := s.at + n
		if at == 0 || p[at-1] != '\r' || at-1 < s.line {
			return 0, bareLF
		}
		first := s.line == 0
		empty := at-1 == s.line
		s.at, s.line = at+1, at+1
		if empty && !first {
			return at + 1, ""
		}
	}
}

// Fresh reports whether nothing was scanned.
func (s *Scanner) Fresh() bool { return s.at == 0 }

// FirstLine reports whether the first line has come.
func (s *Scanner) FirstLine() bool { return s.line > 0 }
