package answer

import (
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// isPart reports whether the body is a part of something larger.
func (a *Answer) isPart() bool { return a.Status == 206 || a.kind == "multipart/byteranges" }

// readable reports whether the body, decoded, is text.
func (a *Answer) readable(p []byte) bool {
	switch {
	case a.isPart():
		return false
	case a.charset == "" || fold(a.charset, "utf-8") || fold(a.charset, "utf8") || fold(a.charset, "us-ascii") || fold(a.charset, "ascii"):
		if !utf8.Valid(p) {
			return false
		}
	case !fold(a.charset, "iso-8859-1") && !fold(a.charset, "latin1") && !fold(a.charset, "windows-1252"):
		return false
	}
	for _, b := range p {
		if b == 0 {
			return false
		}
	}
	return true
}

func fold(s, with string) bool { return head.Fold([]byte(s), with) }

// isJSON reports whether the body is to be read as JSON: it says so, or looks like it.
func (a *Answer) isJSON(p []byte) bool {
	if a.saysJSON() {
		return true
	}
	for _, b := range p {
		switch b {
		case ' ', '\t', '\r', '\n', 0xef, 0xbb, 0xbf:
		case '{', '[':
			return true
		default:
			return false
		}
	}
	return false
}

func (a *Answer) saysJSON() bool {
	switch a.kind {
	case "application/json", "text/json", "application/x-ndjson", "application/jsonl", "application/json-seq", "application/manifest+json":
		return true
	}
	return ends(a.kind, "+json")
}

// Tell says where a value of a body stands.
type Tell func(column uint16, format abi.Format, start, end int)

// Say gives a value as text, which cannot be masked, in place of one that stands in the body in other words, and reports whether there was room.
type Say func(column uint16, text []byte) bool

// Reader names the values of a decoded body, all of them and in order, and returns the names of its columns, unless they are not known, and how many rows it has. One that is not in its
// format it leaves alone: ok is false then, and nothing was told. truncated: the body goes on.
type Reader func(text []byte, truncated bool, tell Tell, say Say) (r Read, ok bool)

// Read is what a Reader found.
type Read struct {
	Columns []string
	Unnamed bool // there are columns that are not in the list
	Rows    int64
}

// Values names what the body is made of. truncated: it goes on. The result is true when it is longer than what is looked at after all, once it is decoded.
func (a *Answer) Values(c *sdk.Conn, undo Undo, truncated bool) (long bool) {
	if len(a.body) == 0 {
		a.counted, a.unnamed = !truncated, truncated
		return false
	}
	text, given := a.body, false
	if _, n, err := decode.Codings(a.coding); err != nil || n > 0 {
		given = true
		if err != nil || truncated || undo == nil {
			a.hide(c)
			return false
		}
		if text, err = undo(c, a.coding, a.body, a.room(c)); err != nil {
			a.hide(c)
			return err == decode.ErrTooLarge
		}
	}
	// A sequence of bytes that is cut off may end inside of a character.
	probe := text
	for i := len(text) - 1; truncated && i >= 0 && i > len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				probe = text[:i]
			}
			break
		}
	}
	if !a.readable(probe) {
		a.hide(c)
		return false
	}
	tell := func(column uint16, format abi.Format, start, end int) { a.value(c, column, format, start, end) }
	if given {
		tell = func(column uint16, format abi.Format, start, end int) {
			p := text[start:end]
			if format == abi.FormatJSON {
				p = []byte(Unescaped(p))
			}
			c.Text(a.Parent, column, p)
		}
	}
	if a.Read != nil && c.FitsText(a.Parent, len(text)) {
		say := func(column uint16, text []byte) bool {
			if !c.FitsText(a.Parent, len(text)) {
				return false
			}
			c.Text(a.Parent, column, text)
			return true
		}
		if r, ok := a.Read(text, truncated, tell, say); ok {
			a.named(r.Columns)
			a.unnamed = a.unnamed || r.Unnamed
			a.counted, a.rows = true, r.Rows
			return false
		}
	}
	if a.isJSON(text) {
		switch o := Walk(text, nil); {
		case o == Complete, o == Incomplete && truncated:
			if !a.json(c, text, given, tell) {
				a.hide(c)
			}
			return false
		}
		for _, b := range text { // who reads it as JSON all the same would read its escapes
			if b == '\\' {
				a.hide(c)
				return false
			}
		}
	}
	a.unnamed = true // any of it could be of some column
	a.counted = true
	a.rows = lines(text)
	tell(abi.NoColumn, abi.FormatText, 0, len(text))
	return false
}

// room is how many bytes of text there is room for.
func (a *Answer) room(c *sdk.Conn) int {
	low, high := 0, a.limit
	for low < high { // what has gone is the SDK's to know
		if mid := (low + high + 1) / 2; c.FitsText(a.Parent, mid) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// hide says that the body cannot be read.
func (a *Answer) hide(c *sdk.Conn) {
	a.unnamed, a.counted = true, false
	if len(a.body) > 0 {
		a.value(c, abi.NoColumn, abi.FormatOpaque, 0, len(a.body))
	}
}

func lines(p []byte) (n int64) {
	for _, b := range p {
		if b == '\n' {
			n++
		}
	}
	if len(p) > 0 && p[len(p)-1] != '\n' {
		n++
	}
	return n
}

// json names the values of JSON texts: first those of strings, numbers and the like, then the names of members, each once, as they are text that came back as well. It reports false, and names nothing, when there is no room.
func (a *Answer) json(c *sdk.Conn, p []byte, given bool, tell Tell) bool {
	names, more := []string(nil), 0
	size := 0
	texts, elements := int64(0), int64(0)
	known := map[string]bool{}
	Walk(p, func(f *Found) {
		switch f.Kind {
		case TextBegins:
			texts++
		case ElementBegins:
			if f.Depth == 1 {
				elements++
			}
		case MemberName:
			name := Unescaped(p[f.Start:f.End])
			if !known[name] {
				known[name] = true
				names = append(names, name)
				size += len(name)
				more += len(name)
			}
		default:
			if given {
				more += f.End - f.Start
			}
		}
	})
	if !c.FitsText(a.Parent, more) {
		return false
	}
	a.counted = true
	if a.rows = texts; texts == 1 && elements > 0 {
		a.rows = elements
	}
	a.named(names)
	last, column := Span{-1, -1}, abi.NoColumn
	Walk(p, func(f *Found) {
		format := abi.FormatLiteral
		switch f.Kind {
		case StringValue:
			format = abi.FormatJSON
		case LiteralValue:
		default:
			return
		}
		switch {
		case f.Name.Start < 0:
			column = abi.NoColumn
		case f.Name != last:
			var ok bool
			if column, ok = a.numbers[Unescaped(p[f.Name.Start:f.Name.End])]; !ok {
				column = abi.NoColumn
			}
		}
		last = f.Name
		tell(column, format, f.Start, f.End)
	})
	for _, name := range names {
		c.Text(a.Parent, abi.NoColumn, []byte(name))
	}
	return true
}

// named takes the names of columns, as many as can be told of.
func (a *Answer) named(names []string) {
	a.numbers = make(map[string]uint16, len(names))
	for _, n := range names {
		if len(a.columns) == maxColumns || a.bytes+4+len(n) > maxColumnText {
			a.unnamed = true
			return
		}
		a.bytes += 4 + len(n)
		a.numbers[n] = uint16(len(a.columns))
		a.columns = append(a.columns, n)
	}
}
