package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected messages anew; read what changed before committing it")

// known is what the gateway of these tests brings.
var known = Known{Builtins: []string{"clickhouse", "postgres"}, Packs: []Pack{
	{"baseline", []PackRule{{"connect", Allow, false}, {"write", Hold, false}, {"unbounded changes", Deny, false}}},
	{"readonly", []PackRule{{"everything else", Deny, false}}},
	{"observe", []PackRule{{"write", Hold, true}}},
}}

// TestBadFiles compares every problem of every file in testdata/bad with its .want file: place, message and order.
func TestBadFiles(t *testing.T) {
	golden(t, "testdata/bad", func(t *testing.T, name string, data []byte) string {
		cfg, err := Parse(name, data, known)
		var problems Problems
		if !errors.As(err, &problems) {
			t.Fatalf("error %v, want Problems", err)
		}
		if cfg == nil {
			t.Fatal("no configuration for further checks")
		}
		return problems.Error()
	})
}

// TestWarnings does the same for files that load.
func TestWarnings(t *testing.T) {
	golden(t, "testdata/warn", func(t *testing.T, name string, data []byte) string {
		cfg, err := Parse(name, data, known)
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Warnings.Error()
	})
}

func golden(t *testing.T, dir string, got func(t *testing.T, name string, data []byte) string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			have := got(t, name, data) + "\n"
			wantFile := strings.TrimSuffix(file, ".toml") + ".want"
			if *update {
				if err := os.WriteFile(wantFile, []byte(have), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wantFile)
			if err != nil {
				t.Fatal(err)
			}
			if have != string(want) {
				t.Errorf("problems:\n%s\nwant:\n%s", have, want)
			}
		})
	}
}
