// Package pack puts a plugin's companion modules into its .wasm file and takes them out again. Companion NAME is the custom
// section "sallyport.companion.NAME"; WebAssembly engines that do not know it skip it, so a packed plugin is still an
// ordinary core module.
//
// The result depends on the arguments alone, not on their order, so that a build is reproducible to the byte. Everything that
// was in the file and is not replaced stays as it was, byte for byte.
package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Prefix begins the name of a companion's section.
const Prefix = "sallyport.companion."

// A Companion is a module that a plugin brings, under the name by which its manifest declares it.
type Companion struct {
	Name   string // [a-z][a-z0-9-]*, at most 63 bytes
	Module []byte // a WebAssembly core module
}

var (
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	header      = []byte("\x00asm\x01\x00\x00\x00")
)

// customSection is the id of a custom section, lastSection the largest id that core modules have (tags).
const (
	customSection = 0
	lastSection   = 13
)

// Put returns module with the companions in it, sorted by name behind everything else. One that module has already under
// the same name is replaced; others stay. module is not changed.
func Put(module []byte, companions ...Companion) ([]byte, error) {
	sections, err := split(module)
	if err != nil {
		return nil, err
	}
	sorted := slices.Clone(companions)
	slices.SortFunc(sorted, func(a, b Companion) int { return strings.Compare(a.Name, b.Name) })
	for i, c := range sorted {
		if err := c.check(); err != nil {
			return nil, err
		}
		if i > 0 && c.Name == sorted[i-1].Name {
			return nil, fmt.Errorf("companion %q is given twice", c.Name)
		}
	}
	out := bytes.Clone(header)
	for _, s := range sections {
		if !slices.ContainsFunc(sorted, func(c Companion) bool { return s.name == Prefix+c.Name }) {
			out = append(out, s.whole...)
		}
	}
	for _, c := range sorted {
		out = appendCompanion(out, c)
	}
	return out, nil
}

// List returns the companions of module in the order in which they stand in it. Their modules alias module.
func List(module []byte) ([]Companion, error) {
	sections, err := split(module)
	if err != nil {
		return nil, err
	}
	var found []Companion
	for _, s := range sections {
		name, ok := strings.CutPrefix(s.name, Prefix)
		if !ok {
			continue
		}
		if slices.ContainsFunc(found, func(c Companion) bool { return c.Name == name }) {
			return nil, fmt.Errorf("companion %q is in the file twice", name)
		}
		found = append(found, Companion{Name: name, Module: s.content})
	}
	return found, nil
}

func (c *Companion) check() error {
	if !namePattern.MatchString(c.Name) {
		return fmt.Errorf("companion %q: its name is not of the form [a-z][a-z0-9-]*, at most 63 bytes", c.Name)
	}
	if _, err := split(c.Module); err != nil {
		return fmt.Errorf("companion %q: %w", c.Name, err)
	}
	if uint64(len(c.Module)) > math.MaxUint32-(1<<10) {
		return fmt.Errorf("companion %q: %d bytes are more than a section can have", c.Name, len(c.Module))
	}
	return nil
}

func appendCompanion(b []byte, c Companion) []byte {
	name := Prefix + c.Name
	head := binary.AppendUvarint(nil, uint64(len(name)))
	b = append(b, customSection)
	b = binary.AppendUvarint(b, uint64(len(head)+len(name)+len(c.Module)))
	b = append(b, head...)
	b = append(b, name...)
	return append(b, c.Module...)
}

// section is one section of a module.
type section struct {
	whole   []byte // with its head
	name    string // of a custom section
	content []byte // of a custom section, behind its name
}

// split cuts a module into its sections (WebAssembly core specification, 5.5.2).
func split(module []byte) ([]section, error) {
	switch {
	case !bytes.HasPrefix(module, header[:4]):
		return nil, errors.New("not a WebAssembly file: it does not begin with \"\\x00asm\"")
	case len(module) < len(header):
		return nil, errors.New("the WebAssembly file is cut short in its header")
	case !bytes.HasPrefix(module, header):
		return nil, fmt.Errorf("not a core module of version 1: version field % x (a component must be built as a core module)", module[4:8])
	}
	var all []section
	for at := len(header); at < len(module); {
		s, err := readSection(module[at:])
		if err != nil {
			return nil, fmt.Errorf("section at byte %d: %w", at, err)
		}
		all = append(all, s)
		at += len(s.whole)
	}
	return all, nil
}

func readSection(b []byte) (section, error) {
	id := b[0]
	if id > lastSection {
		return section{}, fmt.Errorf("id %d is not one of a core module", id)
	}
	size, n, err := readU32(b[1:])
	if err != nil {
		return section{}, fmt.Errorf("its size: %w", err)
	}
	start := 1 + n
	if uint64(size) > uint64(len(b)-start) {
		return section{}, fmt.Errorf("%d bytes long, but only %d are left", size, len(b)-start)
	}
	end := start + int(size)
	s := section{whole: b[:end:end]}
	if id != customSection {
		return s, nil
	}
	value := b[start:end:end]
	length, n, err := readU32(value)
	if err != nil {
		return section{}, fmt.Errorf("the length of its name: %w", err)
	}
	if uint64(length) > uint64(len(value)-n) {
		return section{}, fmt.Errorf("a name of %d bytes, but only %d are left", length, len(value)-n)
	}
	s.name, s.content = string(value[n:n+int(length)]), value[n+int(length):]
	return s, nil
}

// readU32 reads an unsigned LEB128 of at most 32 bits. Padding up to 5 bytes is valid, and linkers write it.
func readU32(b []byte) (v uint32, n int, err error) {
	for i, c := range b {
		if i == 4 && c > 0x0f {
			return 0, 0, errors.New("a number of more than 32 bits")
		}
		v |= uint32(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, i + 1, nil
		}
	}
	return 0, 0, errors.New("cut short in a number")
}
