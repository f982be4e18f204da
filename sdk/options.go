package sdk

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Options are the settings of an endpoint, as the host hands them to Configure: every option that the manifest declares, checked
// against its type, its values and its range.
type Options map[string]any

// ReadOptions reads what Configure is given. It understands a flat JSON object of bools, integers and strings, which is all that
// options are; encoding/json would make a guest half as large again.
func ReadOptions(b []byte) (Options, error) {
	r := jsonReader{text: string(b)}
	o := Options{}
	if !r.punctuation('{') {
		return nil, r.fail()
	}
	for first := true; !r.punctuation('}'); first = false {
		if !first && !r.punctuation(',') {
			return nil, r.fail()
		}
		name, ok := r.str()
		if !ok || !r.punctuation(':') {
			return nil, r.fail()
		}
		if o[name], ok = r.value(); !ok {
			return nil, r.fail()
		}
	}
	if r.space(); r.at != len(r.text) {
		return nil, r.fail()
	}
	return o, nil
}

// Int is an option of type int; 0 when the manifest declares none of that name.
func (o Options) Int(name string) int64 { v, _ := o[name].(int64); return v }

// Bool is an option of type bool; false when the manifest declares none of that name.
func (o Options) Bool(name string) bool { v, _ := o[name].(bool); return v }

// String is an option of type string; empty when the manifest declares none of that name.
func (o Options) String(name string) string { v, _ := o[name].(string); return v }

// jsonReader reads JSON (RFC 8259) from at on.
type jsonReader struct {
	text string
	at   int
}

func (r *jsonReader) fail() error {
	return errors.New("options: not a JSON object of bools, integers and strings, at byte " + strconv.Itoa(r.at))
}

func (r *jsonReader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

// punctuation reads c if it is next.
func (r *jsonReader) punctuation(c byte) bool {
	r.space()
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *jsonReader) value() (any, bool) {
	r.space()
	rest := r.text[r.at:]
	switch {
	case strings.HasPrefix(rest, "true"):
		r.at += len("true")
		return true, true
	case strings.HasPrefix(rest, "false"):
		r.at += len("false")
		return false, true
	case strings.HasPrefix(rest, `"`):
		return r.str()
	}
	n := 0
	for n < len(rest) && (rest[n] == '-' || rest[n] >= '0' && rest[n] <= '9') {
		n++
	}
	v, err := strconv.ParseInt(rest[:n], 10, 64)
	if err != nil {
		return nil, false
	}
	r.at += n
	return v, true
}

// str reads a string, which ends before the text does.
func (r *jsonReader) str() (string, bool) {
	if !r.punctuation('"') {
		return "", false
	}
	var b []byte
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return string(b), true
		case c < 0x20:
			return "", false
		case c != '\\':
			b = append(b, c)
		default:
			v, ok := r.escape()
			if !ok {
				return "", false
			}
			b = utf8.AppendRune(b, v)
		}
	}
	return "", false
}

// escape reads what follows a backslash.
func (r *jsonReader) escape() (rune, bool) {
	if r.at >= len(r.text) {
		return 0, false
	}
	c := r.text[r.at]
	r.at++
	if c != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return 0, false
		}
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	v, ok := r.hex()
	if ok && utf16.IsSurrogate(v) && strings.HasPrefix(r.text[r.at:], `\u`) {
		r.at += 2
		var low rune
		low, ok = r.hex()
		v = utf16.DecodeRune(v, low)
	}
	return v, ok
}

func (r *jsonReader) hex() (rune, bool) {
	if len(r.text)-r.at < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 32)
	r.at += 4
	return rune(v), err == nil
}
