package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const postgresEndpoint = "[plugins]\npostgres = \"builtin\"\n\n[[endpoint]]\nname = \"prod-db\"\naddress = \"db.internal:5432\"\nplugin = \"postgres\"\nprofiles = [\"dev\"]\n\n"

// place is the line and column of a text, as editors count.
func place(t *testing.T, path, text string) string {
	t.Helper()
	before, _, ok := strings.Cut(read(t, path), text)
	if !ok {
		t.Fatalf("%s has no %q", path, text)
	}
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("%s:%d:%d: ", path, 1+strings.Count(before, "\n"), 1+len([]rune(line)))
}

func TestCheck(t *testing.T) {
	path := writeConfig(t, postgresEndpoint+connectRule)
	call(t, "check", path).want(t, 0, path+": ok\n", "")

	// Inside of a string of several lines, behind characters of several bytes.
	path = writeConfig(t, postgresEndpoint+`[[rule]]
name = "one"
when = """
action.title == "Größe" || action.title == "é" || sql.bouned
  || sql.text == 1"""
then = "allow"

[[rule]]
name = "two"
when = 'true'
unless = 'action.class == "raed"'
then = "deny"
`)
	r := call(t, "check", path)
	r.want(t, exitFailure, place(t, path, "sql.bouned")[:len(path)+3], "") // the line; the column may be that of the dot
	lines := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
	if len(lines) != 3 || r.err != "" {
		t.Fatalf("want three problems: %s%s", r.out, r.err)
	}
	for i, want := range []struct{ text, rule, message string }{
		{"bouned", "one", "bounded"}, {"== 1", "one", ""}, {"\"raed\"", "two", "read"},
	} {
		at := strings.Split(place(t, path, want.text), ":")
		if !strings.HasPrefix(lines[i], at[0]+":"+at[1]+":") || !strings.Contains(lines[i], fmt.Sprintf("rule %q: ", want.rule)) || !strings.Contains(lines[i], want.message) {
			t.Errorf("problem %d: %s, want line %s and %q", i, lines[i], at[1], want.message)
		}
	}

	// The same as JSON.
	r = call(t, "check", "--json", path)
	var got report
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != exitFailure || got.OK || r.err != "" {
		t.Fatalf("%v, %+v", err, r)
	}
	var printed []string
	for _, p := range got.Problems {
		printed = append(printed, fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message))
	}
	if !reflect.DeepEqual(printed, lines) {
		t.Errorf("as JSON: %q\nas text: %q", printed, lines)
	}
}

func TestCheckKeysAndWarnings(t *testing.T) {
	path := writeConfig(t, strings.Replace(relayEndpoint, "profiles", "profils", 1)+connectRule)
	call(t, "check", path).want(t, exitFailure, place(t, path, "profils"), "")

	path = writeConfig(t, relayEndpoint) // no rule
	call(t, "check", path).want(t, 0, "(warning)\n"+path+": ok\n", "")
	r := call(t, "check", "--json", path)
	var got report
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || !got.OK || r.code != 0 || got.Problems == nil || len(got.Warnings) != 1 || got.Warnings[0].Line == 0 {
		t.Errorf("%v, %+v, %s", err, got, r.out)
	}
	call(t, "check", "--json", path+"x").want(t, exitFailure, "", "no such file")
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("check wrote something: %v %v", names, err)
	}
}
