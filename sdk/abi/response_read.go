//go:build !wasip1

package abi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Value of an answer: where its pieces stand in what is kept, or its text when it does not stand there as it is.
type ResponseValue struct {
	Column uint16
	Format Format
	Given  bool   // Text is what the plugin gave
	Text   []byte // of Given
	Pieces []Piece
}

// Piece is a range of what is kept.
type Piece struct{ Start, End uint32 }

// Response is an answer that is asked about: what is kept of it, and what the plugin says it is made of.
type Response struct {
	Parent    uint32
	Kept      []byte
	Values    []ResponseValue
	Truncated bool
	given     int // bytes of texts
	end       uint32
}

// AddValues adds the entries of VALUES. Their ranges must lie in what is kept, in order, and not overlap.
func (r *Response) AddValues(entries []byte) error {
	for ; len(entries) >= valueSize; entries = entries[valueSize:] {
		column, format, continues := le.Uint16(entries), Format(entries[2]), entries[3]
		start, length := le.Uint32(entries[4:]), le.Uint32(entries[8:])
		if uint64(start)+uint64(length) > uint64(len(r.Kept)) || start < r.end {
			return fmt.Errorf("a value of %d bytes at %d: %d bytes are kept, and the value before ends at %d", length, start, len(r.Kept), r.end)
		}
		r.end = start + length
		if continues != 0 {
			last := len(r.Values) - 1
			if continues == valueGoesOn {
				last = r.lastOf(column)
			}
			if last < 0 || r.Values[last].Given {
				return fmt.Errorf("a value at %d goes on with one that is not in the bytes kept", start)
			}
			r.Values[last].Pieces = append(r.Values[last].Pieces, Piece{start, start + length})
			continue
		}
		if len(r.Values) > len(r.Kept)+8 {
			return fmt.Errorf("more values than bytes: %d", len(r.Values))
		}
		r.Values = append(r.Values, ResponseValue{Column: column, Format: format, Pieces: []Piece{{start, start + length}}})
	}
	return nil
}

// among is of how many values, the last ones, one may be gone on with.
const among = 16

// lastOf is the place of the last value of a column; below 0: it is too long ago.
func (r *Response) lastOf(column uint16) int {
	for i := len(r.Values) - 1; i >= max(0, len(r.Values)-among); i-- {
		if r.Values[i].Column == column {
			return i
		}
	}
	return -1
}

// AddText adds the value of TEXT, or goes on with the one before. Texts have at most limit bytes together.
func (r *Response) AddText(c *Command, limit int) error {
	if r.given += len(c.Data); r.given > limit {
		return fmt.Errorf("texts of more than %d bytes", limit)
	}
	if c.On {
		last := len(r.Values) - 1
		if last < 0 || !r.Values[last].Given {
			return fmt.Errorf("a text goes on with no text")
		}
		r.Values[last].Text = append(r.Values[last].Text, c.Data...)
		return nil
	}
	if len(r.Values) > limit+8 {
		return fmt.Errorf("more values than bytes: %d", len(r.Values))
	}
	r.Values = append(r.Values, ResponseValue{Column: c.Column, Given: true, Text: slices.Clone(c.Data)})
	return nil
}

// Raw is the value's bytes as they stand in what is kept, in b's memory when it has several pieces.
func (v *ResponseValue) Raw(kept, b []byte) []byte {
	switch {
	case v.Given:
		return v.Text
	case len(v.Pieces) == 1:
		return kept[v.Pieces[0].Start:v.Pieces[0].End]
	}
	b = b[:0]
	for _, p := range v.Pieces {
		b = append(b, kept[p.Start:p.End]...)
	}
	return b
}

// Fill sets the fields of the family response that are the host's to say. The text is not known where a value cannot be read.
func (r *Response) Fill(a *Action) {
	a.Values[ResponseText] = Value{}
	if !slices.ContainsFunc(r.Values, func(v ResponseValue) bool { return v.Format == FormatOpaque }) {
		a.Values[ResponseText] = Value{Known: true, Str: r.Joined()}
	}
	a.Values[ResponseBytes] = Value{Known: true, Int: int64(len(r.Kept))}
	a.Values[ResponseTruncated] = Value{Known: true, Bool: r.Truncated}
}

// Joined is the answer's text: its values, those of a row with a tab between, rows with a line feed. What is not UTF-8 becomes U+FFFD.
func (r *Response) Joined() string {
	var s strings.Builder
	var b []byte
	for i := range r.Values {
		v := &r.Values[i]
		if i > 0 {
			if v.Column == NoColumn || v.Column <= r.Values[i-1].Column {
				s.WriteByte('\n')
			} else {
				s.WriteByte('\t')
			}
		}
		raw := v.Raw(r.Kept, b)
		if len(v.Pieces) > 1 {
			b = raw
		}
		if v.Format == FormatJSON && !v.Given {
			text, _ := Unescape(raw)
			raw = text
		}
		s.WriteString(strings.ToValidUTF8(string(raw), "\uFFFD"))
	}
	return s.String()
}

// Unescape is the inside of a JSON string without its escapes, and where each of its bytes begins in raw, with the end of raw behind
// the last one. An escape that is none stays as it is.
func Unescape(raw []byte) (text []byte, at []uint32) {
	text, at = make([]byte, 0, len(raw)), make([]uint32, 0, len(raw)+1)
	for i := 0; i < len(raw); {
		n, decoded := 1, raw[i:i+1]
		if raw[i] == '\\' {
			n, decoded = escape(raw[i:])
		}
		for range decoded {
			at = append(at, uint32(i))
		}
		text = append(text, decoded...)
		i += n
	}
	return text, append(at, uint32(len(raw)))
}

// escape reads the escape at the front of p.
func escape(p []byte) (n int, decoded []byte) {
	if len(p) < 2 {
		return 1, p[:1]
	}
	if i := strings.IndexByte(`"\/bfnrt`, p[1]); i >= 0 {
		return 2, []byte("\"\\/\b\f\n\r\t"[i : i+1])
	}
	r, ok := unit(p)
	if !ok {
		return 1, p[:1]
	}
	if utf16.IsSurrogate(r) {
		if low, ok := unit(p[6:]); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return 12, utf8.AppendRune(nil, both)
			}
		}
		r = utf8.RuneError
	}
	return 6, utf8.AppendRune(nil, r)
}

// unit reads \uXXXX.
func unit(p []byte) (rune, bool) {
	if len(p) < 6 || p[0] != '\\' || p[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p[2:6]), 16, 16)
	return rune(n), err == nil
}

func (c *Command) readValues(r *reader) {
	c.ID = r.u32()
	if r.err == nil && len(r.b)%valueSize != 0 {
		r.err = ErrShort
	}
	c.Data = r.take(len(r.b))
	for p := c.Data; len(p) >= valueSize && r.err == nil; p = p[valueSize:] {
		switch {
		case p[2] >= byte(formats):
			r.err = fmt.Errorf("format %d is not defined", p[2])
		case p[3] > valueGoesOn:
			r.err = fmt.Errorf("flags %#x are not defined", p[3])
		}
	}
}

func (c *Command) readText(r *reader) {
	c.ID, c.Column, c.On = r.u32(), r.u16(), r.flag()
	if r.err == nil && len(r.b) > MaxText {
		r.err = fmt.Errorf("%d bytes, the limit is %d", len(r.b), MaxText)
	}
	c.Data = r.take(len(r.b))
}

// checkResponse says what is wrong with a family response.
func (f *Family) checkResponse() error {
	want := ResponseFamily("").Fields
	if len(f.Fields) < len(want) {
		return fmt.Errorf("begins with %d fields, not with the %d that every one has", len(f.Fields), len(want))
	}
	for i, w := range want {
		if f.Fields[i].Name != w.Name || f.Fields[i].Type != w.Type || len(f.Fields[i].Values) > 0 {
			return fmt.Errorf("field %d is %s %s, not %s %s", i, f.Fields[i].Name, f.Fields[i].Type, w.Name, w.Type)
		}
	}
	return nil
}

// Family is the family of this name; nil: it declares none.
func (m *Manifest) Family(name string) *Family {
	for i := range m.Families {
		if m.Families[i].Name == name {
			return &m.Families[i]
		}
	}
	return nil
}
