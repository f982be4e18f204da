package clickhouse

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestResponsesOverHTTP has answers of the distribution's server looked at before its client gets them, over HTTP.
func TestResponsesOverHTTP(t *testing.T) {
	direct := overHTTP(t, nil)
	g := overHTTP(t, looks)
	const rows = "select number as id, concat('a', toString(number)) as name, if(number = 1, 'ghp_abc', 'open') as v, 'hunter2' as password from numbers(3)"
	mask := strings.NewReplacer("ghp_abc", "*******", "hunter2", "*******")
	for _, format := range []string{"JSONEachRow"} {
		about := " /* looked at, masked */ format " + format
		_, want := direct.ask(t, "POST", "", strings.NewReader(rows+about))
		before := len(g.answers())
		status, got := g.ask(t, "POST", "", strings.NewReader(rows+about), "Accept-Encoding", "gzip")
		if status != 200 || got != mask.Replace(want) || got == want {
			t.Errorf("%s: %d %q, directly %q", format, status, got, want)
		}
		answers := g.answers()
		if len(answers) != before+1 {
			t.Fatalf("%s: %d questions", format, len(answers)-before)
		}
		if v := answers[before].Values; strings.Join(v[abi.ResponseColumns].List, " ") != "id name v password" || v[abi.ResponseRows].Int != 3 || v[session.ResponseStatus].Int != 200 {
			t.Errorf("%s: columns %v, %d rows", format, v[abi.ResponseColumns], v[abi.ResponseRows].Int)
		}
	}
	// This server does not say that a body is in it, so which column is the password is not known.
	if status, got := g.ask(t, "POST", "", strings.NewReader(rows+" /* looked at, masked */ format TabSeparatedWithNames")); status != 403 || strings.Contains(got, "a0") {
		t.Errorf("TabSeparatedWithNames: %d %q", status, got)
	}
	// Documents have statistics that differ each time.
	for _, format := range []string{"JSON", "JSONCompact"} {
		status, got := g.ask(t, "POST", "", strings.NewReader(rows+" /* looked at, masked */ format "+format))
		if status != 200 || strings.Contains(got, "ghp_") || strings.Contains(got, "hunter2") || strings.Count(got, "*******") != 4 || !strings.Contains(got, `"name": "password"`) {
			t.Errorf("%s: %d %q", format, status, got)
		}
	}
	for _, statement := range []string{rows + " /* looked at */", rows + " /* looked at */ format JSON", rows + " /* looked at */ format Native",
		"select toUInt8('ghp_abc') /* looked at */", "select number from numbers(100000) /* looked at */"} {
		status, got := g.ask(t, "POST", "", strings.NewReader(statement))
		if status != 403 || !strings.Contains(got, "the statement ran, and its result is withheld: ") || strings.Contains(got, "ghp_") || strings.Contains(got, "a0") {
			t.Errorf("%s: %d %.300q", statement, status, got)
		}
	}
	for statement, want := range map[string]string{"select 1 /* looked at */": "1", "select 2": "2", "select 'a' from numbers(100000) /* looked at, long */": strings.Repeat("a\n", 99999) + "a"} {
		if status, got := g.ask(t, "POST", "", strings.NewReader(statement)); status != 200 || got != want {
			t.Errorf("%s: %d %.100q", statement, status, got)
		}
	}
}
