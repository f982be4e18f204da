package program

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	// env is the module that PDKs import Extism's functions from; own is where those that speak HTTP are taken from in its place. Both
	// names are of one length, so the module stays as it is but for that.
	env = "extism:host/env"
	own = "sallyport:calls"
)

// speaking are the functions that are replaced.
var speaking = []string{"http_request", "http_status_code", "http_headers"}

var errBroken = errors.New("the program is not a WebAssembly module that can be read")

// redirected returns a copy of a module that imports the functions that speak HTTP from own. What it imports of own by itself is
// refused.
func redirected(wasm []byte) ([]byte, error) {
	const header = "\x00asm\x01\x00\x00\x00"
	const importSection = 2
	if !bytes.HasPrefix(wasm, []byte(header)) {
		return nil, errBroken
	}
	out := bytes.Clone(wasm)
	for at := len(header); at < len(out); {
		id := out[at]
		size, n := leb(out[at+1:])
		begin := at + 1 + n
		if n == 0 || size > uint64(len(out)-begin) {
			return nil, errBroken
		}
		end := begin + int(size)
		if id == importSection {
			if err := redirectImports(out[begin:end]); err != nil {
				return nil, err
			}
		}
		at = end
	}
	return out, nil
}

func redirectImports(p []byte) error {
	count, n := leb(p)
	if n == 0 {
		return errBroken
	}
	r := reader{p: p, at: n}
	for range count {
		module := r.bytes()
		name := string(r.bytes())
		kind := r.byte()
		switch kind {
		case 0: // a function
			r.leb()
		case 1: // a table
			r.byte()
			r.limits()
		case 2: // a memory
			r.limits()
		case 3: // a global
			r.byte()
			r.byte()
		default:
			return errBroken
		}
		switch {
		case r.broken:
			return errBroken
		case string(module) == own:
			return fmt.Errorf("the program imports %q, which is the gateway's own", own)
		case string(module) == env && slices.Contains(speaking, name):
			copy(module, own)
		}
	}
	return nil
}

// reader reads a section. After a mistake it reads zeros.
type reader struct {
	p      []byte
	at     int
	broken bool
}

func (r *reader) leb() uint64 {
	v, n := leb(r.p[r.at:])
	if n == 0 {
		r.broken, r.at = true, len(r.p)
	}
	r.at += n
	return v
}

func (r *reader) byte() byte {
	if r.at >= len(r.p) {
		r.broken = true
		return 0xff
	}
	r.at++
	return r.p[r.at-1]
}

func (r *reader) bytes() []byte {
	n := r.leb()
	if n > uint64(len(r.p)-r.at) {
		r.broken, r.at = true, len(r.p)
		return nil
	}
	r.at += int(n)
	return r.p[r.at-int(n) : r.at]
}

func (r *reader) limits() {
	flags := r.byte()
	r.leb()
	if flags&1 != 0 {
		r.leb()
	}
}

// leb reads an unsigned number in LEB128; n is 0 for what is none.
func leb(p []byte) (v uint64, n int) {
	v, n = binary.Uvarint(p)
	return v, max(n, 0)
}
