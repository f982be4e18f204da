package receipt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// forge computes the hash of a line anew, as somebody who knows the format would.
func forge(line []byte) []byte {
	line = bytes.Clone(line)
	for i := range 2 * hashSize {
		line[hashAt+i] = '0'
	}
	// The wrong hash is told apart from the right one by checkHash, which computes it.
	hash, _ := checkHash(line)
	hex.Encode(line[hashAt:], hash[:])
	return line
}

func TestTampering(t *testing.T) {
	whole := content(t, sample(t, 5))
	lines := bytes.Split(bytes.TrimSuffix(whole, []byte("\n")), []byte("\n"))
	other := bytes.Split(content(t, sample(t, 5)), []byte("\n"))
	replaced := func(i int, old, new string) [][]byte {
		out := slices.Clone(lines)
		out[i] = bytes.Replace(lines[i], []byte(old), []byte(new), 1)
		return out
	}
	forged := func(i int, old, new string) [][]byte {
		out := replaced(i, old, new)
		out[i] = forge(out[i])
		return out
	}
	for _, c := range []struct {
		name  string
		lines [][]byte
		line  int64 // the first bad one; 0: the chain is whole
		want  string
	}{
		{"untouched", lines, 0, ""},
		{"the newest lines are gone, which a chain cannot show", lines[:3], 0, ""},
		{"changed", replaced(2, `"outcome":"deny"`, `"outcome":"allow"`), 3, "was changed"},
		{"changed, with its hash", forged(2, `"outcome":"deny"`, `"outcome":"allow"`), 4, "does not follow"},
		{"the last one changed", replaced(5, "prod-db", "test-db"), 6, "was changed"},
		{"removed", slices.Delete(slices.Clone(lines), 2, 3), 3, "a record before it is missing"},
		{"the first removed", lines[1:], 1, "the beginning of the file is missing"},
		{"two swapped", [][]byte{lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]}, 2, "missing"},
		{"copied", [][]byte{lines[0], lines[1], lines[1], lines[2]}, 3, "moved or copied"},
		{"moved to the end", [][]byte{lines[0], lines[1], lines[3], lines[4], lines[5], lines[2]}, 3, "missing"},
		{"inserted from another log", [][]byte{lines[0], lines[1], other[2], lines[2]}, 3, "does not follow"},
		{"replaced by another log's", [][]byte{lines[0], lines[1], other[2], lines[3]}, 3, "does not follow"},
		{"an empty line", [][]byte{lines[0], nil, lines[1]}, 2, "not a receipt"},
		{"something else", [][]byte{lines[0], []byte("{}"), lines[1]}, 2, "not a receipt"},
		{"a line that is too long", [][]byte{lines[0], bytes.Repeat([]byte("x"), MaxLine), lines[1]}, 2, "more than"},
		{"another genesis, forged", [][]byte{lines[0], forge(bytes.Replace(lines[1], []byte(`"kind":"decision"`), []byte(`"kind":"genesis"`), 1))}, 2, "second genesis"},
		{"another id, forged", forged(5, `"id":"`, `"id":"x`), 6, "another log"},
		{"two files joined", slices.Concat(lines, other[:5]), 7, "moved or copied"},
	} {
		path := filepath.Join(t.TempDir(), "r")
		write(t, path, append(bytes.Join(c.lines, []byte("\n")), '\n'))
		r, err := Verify(path)
		var bad *BadLine
		switch {
		case c.line == 0 && (err != nil || r.Records != uint64(len(c.lines))):
			t.Errorf("%s: %+v %v", c.name, r, err)
		case c.line == 0:
		case !errors.As(err, &bad):
			t.Errorf("%s: not found: %+v %v", c.name, r, err)
		case bad.Line != c.line || !strings.Contains(bad.Reason, c.want) || r.Records != uint64(c.line)-1:
			t.Errorf("%s: %v, want line %d: %s", c.name, err, c.line, c.want)
		}
	}
}

// TestEveryByteCounts changes each byte of a file: all are found, and in the right line (a changed newline joins two).
func TestEveryByteCounts(t *testing.T) {
	whole := content(t, sample(t, 2))
	path := filepath.Join(t.TempDir(), "r")
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		write(t, path, b)
		_, err := Verify(path)
		var bad *BadLine
		if !errors.As(err, &bad) {
			t.Fatalf("byte %d: %v", i, err)
		}
		if want := int64(bytes.Count(whole[:i], []byte("\n"))) + 1; bad.Line != want {
			t.Fatalf("byte %d is in line %d: %v", i, want, err)
		}
	}
}

func TestVerifyTheEnd(t *testing.T) {
	whole := content(t, sample(t, 2))
	path := filepath.Join(t.TempDir(), "r")
	for name, b := range map[string][]byte{
		"half a line": whole[:len(whole)-9], "no newline": whole[:len(whole)-1], "more behind": append(bytes.Clone(whole), 'x'),
		"much more behind": append(bytes.Clone(whole), bytes.Repeat([]byte("x"), 2*MaxLine)...), "nothing": {}, "zeros": make([]byte, 100),
	} {
		write(t, path, b)
		if r, err := Verify(path); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, err := Verify(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that does not exist is good")
	}
}
