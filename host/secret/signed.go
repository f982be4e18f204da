package secret

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Signed are the header fields that make a request authentic, which must all be sent. It prints as its names.
type Signed struct {
	names  []string
	values func() []string // a function, for the same reason as in Secret
}

// Names are the fields' names, in lower case, in a fixed order.
func (s *Signed) Names() []string { return s.names }

// Value is the value of field i. Whoever calls it answers for where it goes.
func (s *Signed) Value(i int) []byte { return []byte(s.values()[i]) }

func (s *Signed) String() string               { return "signed(" + strings.Join(s.names, ", ") + ")" }
func (s *Signed) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, s.String()) }
func (s *Signed) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s *Signed) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// AppendFields appends the fields as lines of HTTP/1.1 (RFC 9112 section 5), each with its end.
func (s *Signed) AppendFields(b []byte) []byte {
	for i, name := range s.names {
		b = append(append(b, name...), ": "...)
		b = append(append(b, s.values()[i]...), "\r\n"...)
	}
	return b
}

// maxFrame is how much an HTTP/2 frame may hold that every receiver takes, in bytes (RFC 9113 section 4.2).
const maxFrame = 16 << 10

// AppendFrame appends the fields as one CONTINUATION frame of HTTP/2 that ends the header block of a stream (RFC 9113 section 6.10): as
// literals that are never indexed (RFC 7541 section 6.2.3), so that no table along the way keeps them.
func (s *Signed) AppendFrame(b []byte, stream uint32) ([]byte, error) {
	const (
		continuation = 9
		endHeaders   = 4
		neverIndexed = 0x10
	)
	start := len(b)
	b = append(b, 0, 0, 0, continuation, endHeaders, byte(stream>>24)&0x7f, byte(stream>>16), byte(stream>>8), byte(stream))
	for i, name := range s.names {
		b = appendText(append(b, neverIndexed), name)
		b = appendText(b, s.values()[i])
	}
	n := len(b) - start - 9
	if n > maxFrame {
		return nil, fmt.Errorf("the signature takes %d bytes, more than one frame may hold", n)
	}
	b[start], b[start+1], b[start+2] = byte(n>>16), byte(n>>8), byte(n)
	return b, nil
}

// appendText appends a string of RFC 7541 section 5.2 as it is.
func appendText(b []byte, s string) []byte {
	const most = 0x7f
	n := len(s)
	if n < most {
		return append(append(b, byte(n)), s...)
	}
	b = append(b, most)
	for n -= most; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(append(b, byte(n)), s...)
}
