package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: whatever the file, Parse returns, its problems are inside of the file and in order, and every text is found again
// at the place that it claims.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	files, _ := filepath.Glob("testdata/*/*.toml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		cfg, err := Parse("a.toml", data, known)
		var problems Problems
		if err != nil && !errors.As(err, &problems) || cfg == nil {
			t.Fatalf("configuration %v, error %v", cfg, err)
		}
		lines := strings.Split(string(data), "\n")
		before := Pos{}
		for _, p := range problems {
			at := Pos{p.Line, p.Col}
			if at.compare(before) < 0 || p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > utf8.RuneCountInString(lines[p.Line-1])+1 {
				t.Errorf("place %v in a file of %d lines: %s", at, len(lines), p)
			}
			before = at
		}
		for _, r := range cfg.Rules {
			checkText(t, lines, r.When)
			checkText(t, lines, r.Unless)
		}
	})
}

// checkText compares each character of a text that is not escaped with the file's.
func checkText(t *testing.T, lines []string, text Text) {
	escaped := strings.HasPrefix(text.raw, `"`) && strings.Contains(text.raw, `\`)
	for i, c := range text.Value {
		at := text.At(i)
		line := []rune(lines[at.Line-1] + "\n")
		if have := line[at.Col-1]; have != c && (!escaped || have != '\\') {
			t.Fatalf("character %d of %q is %q, the file has %q at %v", i, text.raw, c, have, at)
		}
	}
}
