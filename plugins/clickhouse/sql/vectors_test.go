package sql

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// vector is one line of testdata/vectors: CLASS | TEXT |> NAME=VALUE NAME=VALUE. In the text \n, \t, \xNN and their like are as in
// Go where they stand for a control character or a byte outside ASCII; all other backslashes are the text's own.
type vector struct {
	where, class, text string
	want               map[string]string
}

func vectors(t testing.TB) []vector {
	t.Helper()
	paths, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	var all []vector
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
			if strings.HasPrefix(line, "# ") {
				continue
			}
			class, rest, ok := strings.Cut(line, " | ")
			if !ok {
				t.Fatalf("%s:%d: %q", path, i+1, line)
			}
			text, facts, _ := strings.Cut(rest, " |> ")
			v := vector{where: filepath.Base(path) + ":" + strconv.Itoa(i+1), class: class, text: unescapeVector(text), want: map[string]string{}}
			last := ""
			for _, f := range strings.Split(facts, " ") {
				if name, value, ok := strings.Cut(f, "="); ok && !strings.Contains(name, ",") {
					v.want[name], last = value, name
				} else if last != "" {
					v.want[last] += " " + f // a name with a space
				}
			}
			all = append(all, v)
		}
	}
	return all
}

// unescapeVector undoes \n, \t, \r and \xNN of bytes that are no printable ASCII.
func unescapeVector(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			switch s[i+1] {
			case 'n':
				b.WriteByte('\n')
				i++
				continue
			case 't':
				b.WriteByte('\t')
				i++
				continue
			case 'r':
				b.WriteByte('\r')
				i++
				continue
			case 'x':
				if i+3 < len(s) {
					if n, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil && (n < ' ' || n > '~') {
						b.WriteByte(byte(n))
						i += 3
						continue
					}
				}
			case '\\':
				if i+2 < len(s) && (s[i+2] == 'n' || s[i+2] == 'x' || s[i+2] == '\\') {
					b.WriteByte('\\')
					i++
					continue
				}
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func TestVectors(t *testing.T) {
	var r Reader
	all := vectors(t)
	if len(all) < 400 {
		t.Errorf("%d vectors", len(all))
	}
	for _, v := range all {
		f := r.Read([]byte(v.text), 25003)
		if f.Class.String() != v.class {
			t.Errorf("%s: class %s, want %s: %q (%s)", v.where, f.Class, v.class, v.text, f.Problem)
			continue
		}
		if f.Title == "" || len(f.Title) > MaxTitle || strings.ContainsAny(f.Title, "\n\x00") {
			t.Errorf("%s: title %q", v.where, f.Title)
		}
		for name, want := range v.want {
			if got := fact(f, name); got != want {
				t.Errorf("%s: %s is %q, want %q: %q", v.where, name, got, want, v.text)
			}
		}
	}
}

// fact is one of the facts as vectors write it.
func fact(f *Facts, name string) string {
	list := func(l []string) string {
		if len(l) == 0 {
			return "-"
		}
		return strings.Join(l, ",")
	}
	switch name {
	case "reads":
		return list(f.Reads)
	case "writes":
		return list(f.Writes)
	case "functions":
		return list(f.Functions)
	case "columns":
		return list(f.Columns)
	case "settings":
		return list(f.Settings)
	case "verbs":
		return list(f.Verbs)
	case "bounded":
		return strconv.FormatBool(f.Bounded)
	case "readsunknown":
		return strconv.FormatBool(f.ReadsUnknown)
	case "writesunknown":
		return strconv.FormatBool(f.WritesUnknown)
	case "columnsunknown":
		return strconv.FormatBool(f.ColumnsUnknown)
	case "data":
		return [...]string{"none", "inline", "stream"}[f.Data]
	}
	return "no such fact"
}

// TestVersionsDisagree has texts that old and new servers read differently.
func TestVersionsDisagree(t *testing.T) {
	var r Reader
	for _, c := range []struct {
		text     string
		version  Version
		readable bool
	}{
		{"SELECT /* /* */ 1", 18016, true},
		{"SELECT /* /* */ 1", 25003, false},
		{"SELECT /* /* */ 1", 0, false},
		{"SELECT 1 /* /* */ */", 18016, false},
		{"SELECT /* /* */ */ 1", 25003, true},
		{"SELECT /* /* */ */ 1", 0, false},
		{"SELECT /* /* */ */ 1", 22003, false},
		{"SELECT $$a$$", 25003, true},
		{"SELECT $$a$$", 18016, false},
		{"SELECT $$a$$", 0, false},
		{"SELECT /* a */ 1", 0, true},
		{"SELECT $1", 0, true},
	} {
		if f := r.Read([]byte(c.text), c.version); f.Unknown == c.readable {
			t.Errorf("%q at version %d: readable %v (%s)", c.text, c.version, !f.Unknown, f.Problem)
		}
	}
}

// TestReaderForgets reads texts in turn: nothing of one shows in the next.
func TestReaderForgets(t *testing.T) {
	var r Reader
	first := r.Read([]byte("SELECT secret FROM db.users WHERE f(x) SETTINGS max_threads = 1 FORMAT JSON"), 25003)
	if first.Format != "JSON" || !slices.Contains(first.Reads, "db.users") {
		t.Errorf("%+v", first)
	}
	f := r.Read([]byte("SELECT 1"), 25003)
	if len(f.Reads)+len(f.Columns)+len(f.Functions)+len(f.Settings) != 0 || f.Format != "" || f.Class.String() != "read" {
		t.Errorf("%+v", f)
	}
}
