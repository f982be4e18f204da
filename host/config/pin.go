package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxPlugin bounds the plugin file that Pin reads, in bytes; the gateway takes no larger one.
const maxPlugin = 64 << 20

// Pinned is what Pin found and wrote for one plugin.
type Pinned struct {
	Name   string
	Path   string   // of the plugin's file
	SHA256 [32]byte // of that file, as it is now
	Before [32]byte // what the configuration said; zero when it said nothing
}

// Pin writes the SHA-256 of plugin files into the configuration file at path: of the plugin called name, or of all that come from a
// file when name is empty. Everything else in the file stays as it is. The file is replaced under the conditions of AddPeer, except
// that it may have problems, such as a sha256 that is missing; they stay what they are.
func Pin(path, name string) ([]Pinned, error) {
	pins, err := pin(path, name)
	if err != nil {
		return nil, fmt.Errorf("pin plugins in %s: %w", path, err)
	}
	return pins, nil
}

func pin(path, name string) ([]Pinned, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	f, err := openLocked(real)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := read(real)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	pins, changed, err := pinText(path, dir, data, name)
	if err != nil || bytes.Equal(changed, data) {
		return pins, err
	}
	if worse(path, data, changed) {
		return nil, errors.New("nothing was written: the file would have problems that it has not now; write the sha256 by hand")
	}
	return pins, replace(f, real, data, changed)
}

// worse reports whether a file has more problems after a change.
func worse(path string, before, after []byte) bool {
	count := func(data []byte) int {
		_, err := Parse(path, data, Known{})
		var problems Problems
		if errors.As(err, &problems) {
			return len(problems)
		}
		return 0
	}
	return count(after) > count(before)
}

// edit replaces data[at:at+n].
type edit struct {
	at, n int
	text  string
}

// pinText returns the text with the digests in it.
func pinText(path, dir string, data []byte, name string) ([]Pinned, []byte, error) {
	var syntax Problems
	root, sound := readTree(data, func(at Pos, format string, args ...any) {
		syntax = append(syntax, Problem{path, at.Line, at.Col, fmt.Sprintf(format, args...)})
	})
	if !sound || len(syntax) > 0 {
		return nil, nil, fmt.Errorf("nothing was written, because the file has problems:\n%w", syntax)
	}
	var plugins []*entry
	if v := root.get("plugins"); v != nil && v.kind == kindTable {
		plugins = v.table.entries
	}
	var pins []Pinned
	var edits []edit
	var names []string
	for _, e := range plugins {
		names = append(names, e.key.Value)
		fromFile := e.value.kind == kindTable
		if name != "" && e.key.Value != name || name == "" && !fromFile {
			continue
		}
		if !fromFile {
			return nil, nil, fmt.Errorf("plugin %s comes from no file, so there is nothing to pin", quote(name))
		}
		p, change, err := pinEntry(dir, data, e)
		if err != nil {
			return nil, nil, fmt.Errorf("plugin %s: %w", quote(e.key.Value), err)
		}
		pins, edits = append(pins, p), append(edits, change)
	}
	switch {
	case len(pins) > 0:
		return pins, apply(data, edits), nil
	case name != "":
		return nil, nil, fmt.Errorf("[plugins] has no %s, only: %s", quote(name), strings.Join(names, ", "))
	}
	return nil, nil, errors.New("[plugins] has no plugin from a file")
}

// pinEntry is the change for one plugin.
func pinEntry(dir string, data []byte, e *entry) (p Pinned, change edit, err error) {
	t := e.value.table
	file := t.index["path"]
	if file == nil || file.value.kind != kindString || file.value.text.Value == "" {
		return p, change, errors.New("its path is missing")
	}
	p = Pinned{Name: e.key.Value, Path: file.value.text.Value}
	if !filepath.IsAbs(p.Path) {
		p.Path = filepath.Join(dir, p.Path)
	}
	if p.SHA256, err = digest(p.Path); err != nil {
		return p, change, err
	}
	text := `"` + hex.EncodeToString(p.SHA256[:]) + `"`
	if old := t.get("sha256"); old != nil {
		if old.kind != kindString {
			return p, change, errors.New("its sha256 is not a string")
		}
		if b, err := hex.DecodeString(old.text.Value); err == nil && len(b) == len(p.Before) {
			copy(p.Before[:], b)
		}
		if p.Before == p.SHA256 {
			return p, change, nil
		}
		return p, edit{offset(data, old.text.start), len(old.text.raw), text}, nil
	}
	behind := offset(data, file.value.text.start) + len(file.value.text.raw)
	if t.origin == inline {
		return p, edit{behind, 0, ", sha256 = " + text}, nil
	}
	// On a line of its own below, with the same beginning: an indentation, or the table's name in a dotted key.
	key := offset(data, file.key.start)
	begin := bytes.LastIndexByte(data[:key], '\n') + 1
	end := len(data)
	if n := bytes.IndexByte(data[behind:], '\n'); n >= 0 {
		end = behind + n
	}
	newline := "\n"
	if end > 0 && data[end-1] == '\r' {
		newline, end = "\r\n", end-1
	}
	return p, edit{end, 0, newline + string(data[begin:key]) + "sha256 = " + text}, nil
}

// digest is the SHA-256 of a file, which must be no larger than a plugin may be.
func digest(path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, maxPlugin+1))
	if err != nil {
		return sum, err
	}
	if n > maxPlugin {
		return sum, fmt.Errorf("%s is larger than %d MiB", path, maxPlugin>>20)
	}
	return [32]byte(h.Sum(nil)), nil
}

// offset is the byte at which a place begins.
func offset(data []byte, at Pos) int {
	i := 0
	for line := 1; line < at.Line; line++ {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			return len(data)
		}
		i += n + 1
	}
	for col := 1; col < at.Col && i < len(data); col++ {
		_, size := utf8.DecodeRune(data[i:])
		i += size
	}
	return i
}

// apply makes the changes, from the end of the text to its beginning.
func apply(data []byte, edits []edit) []byte {
	slices.SortFunc(edits, func(a, b edit) int { return b.at - a.at })
	out := bytes.Clone(data)
	for _, e := range edits {
		if e.text != "" {
			out = slices.Replace(out, e.at, e.at+e.n, []byte(e.text)...)
		}
	}
	return out
}
