package sshwire

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// forms are all that can be appended, by the names that they have in the vectors.
func forms() map[string][]byte {
	return map[string][]byte{
		"ready":        AppendEmpty(nil, 0, Ready),
		"refuse":       AppendText(nil, 0, Refuse, "no"),
		"data":         AppendData(nil, 1, []byte("hello")),
		"stderr":       AppendStderr(nil, 3, "oops\n"),
		"adjust":       AppendAdjust(nil, 1, 70_000),
		"splice":       AppendEmpty(nil, 2, Splice),
		"record":       AppendRecord(nil, 1, 7),
		"open failure": AppendOpenFailure(nil, 5, "no"),
		"open refusal": AppendOpenRefusal(nil, 5, 2, "no"),
		"exit status":  AppendExit(nil, 1, 254),
		"behind":       AppendEmpty(AppendEmpty(nil, 1, EOF), 1, Close),
	}
}

// TestVectors: records are what testdata/vectors.txt says, for whoever writes them in another language.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := forms()
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, digits, _ := strings.Cut(line, ":")
		want, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := all[name]; !ok || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", name, got, want)
		}
		delete(all, name)
	}
	for name, b := range all {
		t.Errorf("%s is not among the vectors: %x", name, b)
	}
}

// TestData: data that is too long for one record goes into several.
func TestData(t *testing.T) {
	b := AppendData(nil, 7, make([]byte, 2*MaxData+1))
	var sizes []int
	for len(b) > 0 {
		stream, n, ok := Head(b)
		if !ok || stream != 7 || n > MaxMessage || b[HeadSize] != Data {
			t.Fatalf("%x", b[:20])
		}
		f := Fields{P: b[HeadSize+1 : HeadSize+n]}
		sizes = append(sizes, len(f.Bytes()))
		if !f.Over() {
			t.Fatal("something is left")
		}
		b = b[HeadSize+n:]
	}
	if len(sizes) != 3 || sizes[0] != MaxData || sizes[2] != 1 {
		t.Error(sizes)
	}
}

// FuzzFields: whatever comes, nothing is read that is not there, and after the first thing that is missing nothing is.
func FuzzFields(f *testing.F) {
	for _, b := range forms() {
		f.Add(b)
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, p []byte) {
		if _, _, ok := Head(p); ok != (len(p) >= HeadSize) {
			t.Error(ok)
		}
		r := Fields{P: p}
		read := 0
		for !r.Bad && len(r.P) > 0 {
			read += 4 + len(r.Bytes())
			if !r.Bad && read+len(r.P) != len(p) {
				t.Fatalf("%d read and %d left of %d", read, len(r.P), len(p))
			}
		}
		if r.Bad && (r.U32() != 0 || r.Bool() || r.String() != "" || r.Over()) {
			t.Error("something was read behind what is missing")
		}
	})
}
