package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is a string of the file together with its place. Conditions in other languages stand in such strings; At and AtLocation
// find the place in the file that an error inside one of them means.
type Text struct {
	// Value is the string's value, escapes resolved.
	Value string
	// Pos is the place of the first character of the value; when the value is empty, of the closing quote. A text that the file does
	// not have has no place.
	Pos Pos
	// raw is the string as written, from its opening quote to its closing one (or a bare key), and start the place where it begins.
	raw   string
	start Pos
}

// newText returns the text written as raw, which begins at start.
func newText(value, raw string, start Pos) Text {
	t := Text{Value: value, raw: raw, start: start, Pos: start}
	t.Pos = t.At(0)
	return t
}

// String returns the value.
func (t Text) String() string { return t.Value }

// IsSet reports whether the text stands in the file.
func (t Text) IsSet() bool { return !t.Pos.IsZero() }

// At returns the place in the file of the byte of Value at offset. Offsets outside of the value count as its first byte, or as the
// place just behind its last. The place of an escape sequence is that of its backslash.
func (t Text) At(offset int) Pos {
	if !t.IsSet() {
		return Pos{}
	}
	offset = min(max(offset, 0), len(t.Value))
	for offset > 0 && offset < len(t.Value) && !utf8.RuneStart(t.Value[offset]) {
		offset--
	}
	before := t.raw[:sourceOffset(t.raw, offset)]
	if nl := strings.LastIndexByte(before, '\n'); nl >= 0 {
		return Pos{t.start.Line + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[nl+1:])}
	}
	return Pos{t.start.Line, t.start.Col + utf8.RuneCountInString(before)}
}

// AtLocation returns the place in the file of a line (from 1) and a column (from 0, in characters) of Value, as CEL counts them.
func (t Text) AtLocation(line, column int) Pos {
	offset := 0
	for ; line > 1; line-- {
		end := strings.IndexByte(t.Value[offset:], '\n')
		if end < 0 {
			break
		}
		offset += end + 1
	}
	for ; column > 0 && offset < len(t.Value) && t.Value[offset] != '\n'; column-- {
		_, size := utf8.DecodeRuneInString(t.Value[offset:])
		offset += size
	}
	return t.At(offset)
}

// sourceOffset returns where in raw, a TOML string with its quotes or a bare key, the byte of the value at offset is written.
func sourceOffset(raw string, offset int) int {
	begin, end := content(raw)
	if raw[0] != '"' {
		return min(begin+offset, end)
	}
	i := begin
	for value := 0; i < end; {
		size, length := unit(raw[i:end])
		if value+size > offset {
			return i
		}
		value += size
		i += length
	}
	return end
}

// content returns where in raw the value begins and ends.
func content(raw string) (begin, end int) {
	switch {
	case len(raw) >= 6 && (strings.HasPrefix(raw, `"""`) || strings.HasPrefix(raw, `'''`)):
		// A line end right behind the opening quotes does not belong to the value.
		begin = 3
		if strings.HasPrefix(raw[begin:], "\r\n") {
			begin += 2
		} else if raw[begin] == '\n' {
			begin++
		}
		return begin, len(raw) - 3
	case raw[0] == '"' || raw[0] == '\'':
		return 1, len(raw) - 1
	}
	return 0, len(raw)
}

// unit reads the first byte or escape sequence of a basic string: how many bytes of value it stands for, and its own length.
func unit(s string) (size, length int) {
	if s[0] != '\\' || len(s) == 1 {
		return 1, 1
	}
	digits := 0
	switch s[1] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case ' ', '\t', '\r', '\n':
		// A line that continues: all white space up to the next character is left out.
		return 0, len(s) - len(strings.TrimLeft(s[1:], " \t\r\n"))
	default:
		return 1, 2
	}
	length = min(2+digits, len(s))
	code, err := strconv.ParseUint(s[2:length], 16, 32)
	if err != nil {
		return 1, length
	}
	return utf8.RuneLen(rune(code)), length
}
