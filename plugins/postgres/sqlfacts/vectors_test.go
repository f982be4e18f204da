package sqlfacts_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
)

var update = flag.Bool("update", false, "write what the vectors' texts give now; the classes stay as they are, they are the judgement")

// A vector is one text with all that is expected of it. In the files a text begins at "> "; facts that are empty are left out.
type vector struct {
	sql   string
	class string // "error": the parser refuses the text
	facts map[string]string
	line  int
}

// TestVectors compares each text in testdata with its facts, all of them: a relation too many is as wrong as one too few.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors", err)
	}
	companion := pgquerytest.New(t)
	total := 0
	for _, file := range files {
		vectors := readVectors(t, file)
		total += len(vectors)
		for i := range vectors {
			v := &vectors[i]
			class, facts := judge(t, companion, v.sql)
			if class != v.class {
				t.Errorf("%s:%d: %s\n\tclass %s, want %s", file, v.line, v.sql, class, v.class)
			}
			if *update {
				v.facts = facts
				continue
			}
			for _, key := range factNames {
				if facts[key] != v.facts[key] {
					t.Errorf("%s:%d: %s\n\t%s %q, want %q", file, v.line, v.sql, key, facts[key], v.facts[key])
				}
			}
		}
		if *update {
			writeVectors(t, file, vectors)
		}
	}
	if total < 200 {
		t.Errorf("only %d vectors", total)
	}
}

var factNames = []string{"verbs", "reads", "writes", "functions", "columns", "settings", "flags", "title"}

func judge(t *testing.T, companion *pgquerytest.Companion, sql string) (class string, facts map[string]string) {
	t.Helper()
	record, err := companion.Call(sqlfacts.ModeFacts, []byte(sql))
	var refused *pgquerytest.ParseError
	if errors.As(err, &refused) {
		return "error", map[string]string{"title": refused.Text}
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	f, err := sqlfacts.Decode(string(record))
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	gravest := f.Class
	if len(f.Each) != f.Statements {
		t.Errorf("%s: %d statements, but %d in Each", sql, f.Statements, len(f.Each))
	}
	for _, s := range f.Each {
		gravest = max(gravest, s.Class)
	}
	if gravest != f.Class {
		t.Errorf("%s: class %v, but one statement is %v", sql, f.Class, gravest)
	}
	var flags []string
	for name, set := range map[string]bool{"unbounded": !f.Bounded, "locks": f.Locks, "shadows": f.Shadows, "returning": f.Returning, "unknown": f.Unknown} {
		if set {
			flags = append(flags, name)
		}
	}
	slices.Sort(flags)
	return f.Class.String(), map[string]string{
		"verbs": strings.Join(f.Verbs, ", "), "reads": strings.Join(f.Reads, ", "), "writes": strings.Join(f.Writes, ", "),
		"functions": strings.Join(f.Functions, ", "), "columns": strings.Join(f.Columns, ", "), "flags": strings.Join(flags, ", "), "settings": strings.Join(f.Settings, ", "),
		"title": f.Title,
	}
}

func readVectors(t *testing.T, path string) []vector {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var vectors []vector
	scanner := bufio.NewScanner(file)
	for line := 1; scanner.Scan(); line++ {
		text := scanner.Text()
		if sql, ok := strings.CutPrefix(text, "> "); ok {
			vectors = append(vectors, vector{sql: sql, facts: map[string]string{}, line: line})
			continue
		}
		key, value, ok := strings.Cut(text, ": ")
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case !ok || len(vectors) == 0:
			t.Fatalf("%s:%d: not a vector: %q", path, line, text)
		case key == "class":
			vectors[len(vectors)-1].class = value
		case slices.Contains(factNames, key):
			vectors[len(vectors)-1].facts[key] = value
		default:
			t.Fatalf("%s:%d: no fact is called %q", path, line, key)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return vectors
}

func writeVectors(t *testing.T, path string, vectors []vector) {
	t.Helper()
	var b strings.Builder
	for i, v := range vectors {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "> %s\nclass: %s\n", v.sql, v.class)
		for _, key := range factNames {
			if v.facts[key] != "" {
				fmt.Fprintf(&b, "%s: %s\n", key, v.facts[key])
			}
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
