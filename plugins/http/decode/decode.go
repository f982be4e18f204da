// Package decode undoes content codings of HTTP (RFC 9110 section 8.4.1): gzip, deflate (as zlib, and as it is often sent, without that), br and zstd. The work is done
// by the companion module in the folder companion, a copy of which is reset for each call, so that a decoder that is led astray by one body keeps nothing of it for the next; this
// package is its interface, which both sides import.
//
// A body is decoded whole or not at all, into a bounded number of bytes: what would become longer is [ErrTooLarge], however little was sent.
package decode

import "errors"

// Coding is a content coding.
type Coding uint8

// The codings.
const (
	None Coding = iota
	Gzip
	Deflate
	Brotli
	Zstd
)

// Companion is the name of the module in the plugin's manifest.
const Companion = "decode"

// Limits of one call, in bytes.
const (
	MaxInput  = 256 << 10
	MaxOutput = 256 << 10
	// headSize is that of a call's head: u8 coding, u32 limit, little endian.
	headSize = 5
	// InputCapacity is what the companion takes.
	InputCapacity = headSize + MaxInput
)

// The errors of Body.
var (
	ErrCoding   = errors.New("a content coding that is not known")
	ErrTooLarge = errors.New(TooLarge)
	ErrBroken   = errors.New("the body is not what its content coding says")
)

// TooLarge is what the companion says of a body that becomes too large.
const TooLarge = "too large"

// mostCodings bounds how many codings a body may have on top of each other.
const mostCodings = 2

// Codings reads a Content-Encoding field: which codings were applied, in their order.
func Codings(value []byte) (all [mostCodings]Coding, n int, err error) {
	for len(value) > 0 {
		end := 0
		for end < len(value) && value[end] != ',' {
			end++
		}
		word := trim(value[:end])
		if value = value[end:]; len(value) > 0 {
			value = value[1:]
		}
		c, ok := codingOf(word)
		switch {
		case !ok || n == mostCodings && c != None:
			return all, 0, ErrCoding
		case c != None:
			all[n] = c
			n++
		}
	}
	return all, n, nil
}

func trim(p []byte) []byte {
	for len(p) > 0 && (p[0] == ' ' || p[0] == '\t') {
		p = p[1:]
	}
	for len(p) > 0 && (p[len(p)-1] == ' ' || p[len(p)-1] == '\t') {
		p = p[:len(p)-1]
	}
	return p
}

var words = [...]struct {
	text   string
	coding Coding
}{{"gzip", Gzip}, {"x-gzip", Gzip}, {"deflate", Deflate}, {"br", Brotli}, {"zstd", Zstd}, {"identity", None}, {"", None}}

// codingOf compares without regard to case.
func codingOf(word []byte) (Coding, bool) {
	for i := range words {
		w := &words[i]
		if len(w.text) != len(word) {
			continue
		}
		same := true
		for k, c := range word {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			same = same && c == w.text[k]
		}
		if same {
			return w.coding, true
		}
	}
	return None, false
}

// Caller runs a companion, as sdk.Conn.Call does.
type Caller interface {
	Call(k int, in, out []byte) ([]byte, error)
}

// Body undoes the codings of a Content-Encoding field, of which a request may have several: what the values name is one list. The result has at most limit bytes, and is body itself
// when there is nothing to undo. k is the companion's place in the manifest. Any error means that the body is unknown.
func Body(c Caller, k int, encoding, body []byte, limit int) ([]byte, error) {
	codings, n, err := Codings(encoding)
	if err != nil {
		return nil, err
	}
	limit = min(limit, MaxOutput)
	for n--; n >= 0; n-- { // the last one was applied last
		if len(body) > MaxInput {
			return nil, ErrTooLarge
		}
		in := AppendCall(make([]byte, 0, headSize+len(body)), codings[n], limit, body)
		if body, err = c.Call(k, in, make([]byte, max(limit, len(ErrBroken.Error())))); err != nil {
			if err.Error() == TooLarge {
				return nil, ErrTooLarge
			}
			return nil, ErrBroken
		}
	}
	if len(body) > limit {
		return nil, ErrTooLarge
	}
	return body, nil
}

// AppendCall appends what the companion is called with.
func AppendCall(b []byte, coding Coding, limit int, body []byte) []byte {
	b = append(b, byte(coding), byte(limit), byte(limit>>8), byte(limit>>16), byte(limit>>24))
	return append(b, body...)
}

// ReadCall is the companion's side of AppendCall.
func ReadCall(p []byte) (coding Coding, limit int, body []byte, err error) {
	if len(p) < headSize {
		return 0, 0, nil, ErrBroken
	}
	limit = int(p[1]) | int(p[2])<<8 | int(p[3])<<16 | int(p[4])<<24
	if limit > MaxOutput {
		return 0, 0, nil, ErrTooLarge
	}
	return Coding(p[0]), limit, p[headSize:], nil
}
