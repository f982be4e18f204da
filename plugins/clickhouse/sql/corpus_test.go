package sql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// corpus are the statements of others in testdata/corpus, by file.
func corpus(t testing.TB) map[string][]string {
	t.Helper()
	paths, err := filepath.Glob("testdata/corpus/*.sql")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	all := map[string][]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for s := range strings.SplitSeq(string(text), "\n---->\n") {
			if s != "" {
				all[filepath.Base(path)] = append(all[filepath.Base(path)], s)
			}
		}
	}
	return all
}

// head is a statement's first word, in lower case.
func head(s string) string {
	var r Reader
	r.begin([]byte(s), 25003)
	for r.now().Kind != 0 {
		if t := r.next(); t.kw != kwNone {
			return keywordNames[t.kw]
		}
	}
	return ""
}

// plain are the heads of which nearly all have to be recognised.
var plain = map[string]bool{"select": true, "with": true, "from": true, "show": true, "describe": true, "desc": true, "exists": true, "explain": true, "insert": true}

// reading are the heads that may be class read, or session.
var reading = map[string]bool{"select": true, "with": true, "from": true, "show": true, "describe": true, "desc": true, "exists": true, "explain": true, "check": true,
	"use": true, "set": true, "begin": true, "commit": true, "rollback": true, "start": true}

func TestCorpusIsRecognised(t *testing.T) {
	var r Reader
	out := os.Getenv("SALLYPORT_CORPUS_MISSES")
	var misses strings.Builder
	plainAll, plainKnown, all, known := 0, 0, 0, 0
	for file, statements := range corpus(t) {
		n, ok := 0, 0
		for _, s := range statements {
			f := r.Read([]byte(s), 26007)
			h := head(s)
			all++
			if !f.Unknown {
				known++
			} else {
				misses.WriteString(file + ": " + f.Problem + "\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n")
			}
			if f.Class <= abi.ClassRead && !reading[h] {
				t.Errorf("%s: class %s: %s", file, f.Class, s)
			}
			if plain[h] {
				n++
				if !f.Unknown {
					ok++
				}
			}
		}
		plainAll, plainKnown = plainAll+n, plainKnown+ok
		t.Logf("%-18s plain statements recognised: %d of %d, %.2f %%", file, ok, n, 100*float64(ok)/float64(max(n, 1)))
	}
	share := 100 * float64(plainKnown) / float64(plainAll)
	t.Logf("plain statements recognised: %d of %d, %.2f %%; all: %d of %d, %.2f %%", plainKnown, plainAll, share, known, all, 100*float64(known)/float64(all))
	if share < 97 {
		t.Errorf("%.2f %% of the plain statements are recognised, which is less than 97", share)
	}
	if out != "" {
		if err := os.WriteFile(out, []byte(misses.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
