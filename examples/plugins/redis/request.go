package main

import (
	"bytes"
	"errors"
	"strconv"
)

// Bounds of the protocol, those of the server's defaults.
const (
	maxArgs   = 1 << 20
	maxBulk   = 512 << 20
	maxInline = 64 << 10
	maxName   = 64 // of a command or subcommand
	maxHeader = 24 // a length with its line end
)

// request is the front of one command of the agent.
type request struct {
	args    [][]byte // those that were read whole, in the memory of the delivery
	length  uint64   // bytes of the command, up to the end of the last argument whose length was read
	missing int      // arguments behind that
	cut     bool     // an argument's length was read, but it is longer than may be
}

var (
	errMore   = errors.New("more is needed")
	errHeader = errors.New("Protocol error: invalid multibulk length")
	errBulk   = errors.New("Protocol error: invalid bulk length")
	errEnd    = errors.New("Protocol error: a bulk without its end")
	errInline = errors.New("Protocol error: unbalanced quotes or control characters in an inline request")
	errLong   = errors.New("Protocol error: too big inline request")
)

// readRequest reads a command off the front of p. A command that needs more than limit bytes is read as far as that: what it says
// depends on the bytes alone, never on how many of them have come.
func readRequest(p []byte, limit int) (request, error) {
	if len(p) == 0 {
		return request{}, errMore
	}
	if p[0] != '*' {
		return readInline(p)
	}
	count, at, err := header(p, 0, maxArgs, errHeader)
	if err != nil {
		return request{}, err
	}
	r := request{length: uint64(at), missing: max(int(count), 0)}
	for r.missing > 0 {
		if r.length >= uint64(limit) {
			return r, nil
		}
		size, start, err := bulkHeader(p, int(r.length))
		if err != nil {
			return r, err
		}
		end := uint64(start) + uint64(size) + 2
		r.length = end
		r.missing--
		if end > uint64(limit) {
			r.cut = true
			return r, nil
		}
		if end > uint64(len(p)) {
			return r, errMore
		}
		if p[end-2] != '\r' || p[end-1] != '\n' {
			return r, errEnd
		}
		r.args = append(r.args, p[start:end-2])
	}
	return r, nil
}

// bulkHeader reads "$N\r\n" at p[at:] and returns N and where the bulk starts.
func bulkHeader(p []byte, at int) (size int64, start int, err error) {
	if at >= len(p) {
		return 0, 0, errMore
	}
	if p[at] != '$' {
		return 0, 0, errBulk
	}
	size, start, err = header(p, at, maxBulk, errBulk)
	if err == nil && size < 0 {
		err = errBulk
	}
	return size, start, err
}

// header reads a type byte, a number as Redis writes it (no plus, no leading zeros) and \r\n at p[at:].
func header(p []byte, at int, most int64, bad error) (n int64, next int, err error) {
	line := p[at+1:]
	end := bytes.IndexByte(line[:min(len(line), maxHeader)], '\n')
	switch {
	case end < 0 && len(line) >= maxHeader:
		return 0, 0, bad
	case end < 0:
		return 0, 0, errMore
	case end == 0 || line[end-1] != '\r':
		return 0, 0, bad
	}
	text := string(line[:end-1])
	n, err = strconv.ParseInt(text, 10, 64)
	if err != nil || n > most || strconv.FormatInt(n, 10) != text {
		return 0, 0, bad
	}
	return n, at + 1 + end + 1, nil
}

// readInline reads a command that is a line of words.
func readInline(p []byte) (request, error) {
	end := bytes.IndexByte(p[:min(len(p), maxInline)], '\n')
	if end < 0 {
		if len(p) >= maxInline {
			return request{}, errLong
		}
		return request{}, errMore
	}
	args, err := splitInline(bytes.TrimSuffix(p[:end], []byte("\r")))
	return request{args: args, length: uint64(end + 1)}, err
}

// splitInline splits a line as Redis does: at spaces, with "quotes and \x41 escapes" and 'quotes'.
func splitInline(line []byte) (args [][]byte, err error) {
	for _, b := range line {
		if b < ' ' && b != '\t' {
			return nil, errInline
		}
	}
	for {
		line = bytes.TrimLeft(line, " \t")
		if len(line) == 0 {
			return args, nil
		}
		var word []byte
		if word, line, err = inlineWord(line); err != nil {
			return nil, err
		}
		args = append(args, word)
	}
}

func inlineWord(line []byte) (word, rest []byte, err error) {
	word = []byte{}
	for i := 0; i < len(line); i++ {
		switch b := line[i]; b {
		case ' ', '\t':
			return word, line[i:], nil
		case '"', '\'':
			var n int
			if word, n, err = quoted(word, line[i:]); err != nil {
				return nil, nil, err
			}
			i += n - 1
			if i+1 < len(line) && line[i+1] != ' ' && line[i+1] != '\t' {
				return nil, nil, errInline // a closing quote ends the word
			}
		default:
			word = append(word, b)
		}
	}
	return word, nil, nil
}

// quoted appends what stands in the quotes that p begins with, and returns how many bytes that took.
func quoted(word, p []byte) ([]byte, int, error) {
	q := p[0]
	for i := 1; i < len(p); i++ {
		switch {
		case p[i] == q:
			return word, i + 1, nil
		case p[i] != '\\' || i+1 == len(p):
			word = append(word, p[i])
		case q == '\'':
			if p[i+1] == '\'' {
				i++
			}
			word = append(word, p[i])
		case p[i+1] == 'x' && i+3 < len(p) && isHex(p[i+2]) && isHex(p[i+3]):
			v, _ := strconv.ParseUint(string(p[i+2:i+4]), 16, 8)
			word = append(word, byte(v))
			i += 3
		default:
			i++
			word = append(word, escaped(p[i]))
		}
	}
	return nil, 0, errInline
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

func escaped(b byte) byte {
	switch b {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return b
}
