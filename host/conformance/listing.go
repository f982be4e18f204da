package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// Listing is what a module declares, read without running, compiling or trusting it.
type Listing struct {
	SHA256  string   `json:"sha256"`
	Bytes   int      `json:"bytes"`
	Lane    string   `json:"lane"` // "native" or "extism"
	Imports []Import `json:"imports"`
	Exports []Export `json:"exports"`
	Memory  *Range   `json:"memory,omitempty"` // in pages of 64 KiB
	Tables  []Range  `json:"tables,omitempty"` // in entries
	Custom  []Custom `json:"custom,omitempty"`

	Functions int  `json:"functions"`
	Data      int  `json:"data_bytes"` // of the data section
	Start     bool `json:"start"`      // has a start function
}

// Import is something that the module wants from its host.
type Import struct {
	Module string `json:"module"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
}

// Export is something that the module offers.
type Export struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Range is a size with its limit; Max 0 is none.
type Range struct {
	Min uint32 `json:"min"`
	Max uint32 `json:"max,omitempty"`
}

// Custom is a custom section. Those named sallyport.companion.NAME are further modules.
type Custom struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
}

// Limits of a listing: a module with more is listed so far and refused when it is loaded.
const (
	mostListed = 10_000
	mostName   = 1 << 10
)

// extismModule is what modules of the second lane import from.
const extismModule = "extism:host/env"

// List lists a module. The error says where it is not WebAssembly; what was read before it is listed all the same.
func List(wasm []byte) (*Listing, error) {
	sum := sha256.Sum256(wasm)
	l := &Listing{SHA256: hex.EncodeToString(sum[:]), Bytes: len(wasm), Lane: "native", Imports: []Import{}, Exports: []Export{}}
	r := &sections{b: wasm}
	err := l.read(r)
	if err != nil {
		err = fmt.Errorf("at byte %#x: %w", r.at, err)
	}
	for _, i := range l.Imports {
		if i.Module == extismModule {
			l.Lane = "extism"
		}
	}
	return l, err
}

// sections reads from a module; after the first failure everything is zero.
type sections struct {
	b   []byte
	at  int
	err error
}

func (r *sections) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *sections) take(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.b)-r.at) {
		r.fail(errors.New("cut short"))
		return nil
	}
	p := r.b[r.at : r.at+int(n)]
	r.at += int(n)
	return p
}

func (r *sections) byte() byte {
	if p := r.take(1); len(p) == 1 {
		return p[0]
	}
	return 0
}

// u32 reads a LEB128 number (WebAssembly core specification, 5.2.2).
func (r *sections) u32() (v uint32) {
	for shift := 0; shift < 35 && r.err == nil; shift += 7 {
		b := r.byte()
		if shift == 28 && b > 0x0f {
			r.fail(errors.New("a number of more than 32 bits"))
			return 0
		}
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	return v
}

// count reads the number of entries that follow.
func (r *sections) count() uint32 {
	n := r.u32()
	if n > mostListed {
		r.fail(fmt.Errorf("%d entries in one section", n))
		return 0
	}
	return n
}

func (r *sections) name() string {
	n := r.u32()
	if n > mostName {
		r.fail(fmt.Errorf("a name of %d bytes", n))
		return ""
	}
	return string(r.take(n))
}

// limits reads a size with its limit.
func (r *sections) limits() Range {
	flags := r.byte()
	l := Range{Min: r.u32()}
	if flags&1 != 0 {
		l.Max = r.u32()
	}
	return l
}

var kinds = []string{"function", "table", "memory", "global", "tag"}

func kindName(k byte) string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return fmt.Sprintf("kind %d", k)
}

// Sections that are listed (WebAssembly core specification, 5.5.2).
const (
	customSection   = 0
	importSection   = 2
	functionSection = 3
	tableSection    = 4
	memorySection   = 5
	exportSection   = 7
	startSection    = 8
	dataSection     = 11
)

func (l *Listing) read(r *sections) error {
	if string(r.take(8)) != "\x00asm\x01\x00\x00\x00" {
		r.at = 0
		return errors.New("not a core module of WebAssembly: it does not begin with 00 61 73 6d 01 00 00 00")
	}
	for r.at < len(r.b) && r.err == nil {
		id := r.byte()
		body := r.take(r.u32())
		s := &sections{b: body, err: r.err}
		l.section(id, s)
		if s.err != nil {
			r.at += s.at - len(body)
			return s.err
		}
	}
	return r.err
}

func (l *Listing) section(id byte, r *sections) {
	switch id {
	case customSection:
		name := r.name()
		l.Custom = append(l.Custom, Custom{name, len(r.b) - r.at})
		if len(l.Custom) > mostListed {
			r.fail(errors.New("too many custom sections"))
		}
	case importSection:
		for range r.count() {
			i := Import{Module: r.name(), Name: r.name()}
			kind := r.byte()
			i.Kind = kindName(kind)
			r.importType(kind)
			if r.err == nil {
				l.Imports = append(l.Imports, i)
			}
		}
	case functionSection:
		l.Functions = int(r.u32())
	case tableSection:
		for range r.count() {
			r.byte()
			if t := r.limits(); r.err == nil {
				l.Tables = append(l.Tables, t)
			}
		}
	case memorySection:
		if r.count() > 0 {
			m := r.limits()
			l.Memory = &m
		}
	case exportSection:
		for range r.count() {
			e := Export{Name: r.name()}
			e.Kind = kindName(r.byte())
			r.u32()
			if r.err == nil {
				l.Exports = append(l.Exports, e)
			}
		}
	case startSection:
		l.Start = true
	case dataSection:
		l.Data = len(r.b)
	}
}

func (r *sections) importType(kind byte) {
	switch kind {
	case 0:
		r.u32()
	case 1:
		r.byte()
		r.limits()
	case 2:
		r.limits()
	case 3:
		r.take(2)
	case 4:
		r.byte()
		r.u32()
	default:
		r.fail(fmt.Errorf("an import of %s", kindName(kind)))
	}
}
