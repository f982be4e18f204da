package docs_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/config"
)

var update = flag.Bool("update", false, "write the generated parts of the documentation anew")

const (
	page  = "configuration.md"
	begin = "do not edit below -->\n"
	end   = "<!-- end of keys -->\n"
)

// tables say what each table is, in the order of config.Keys.
var tables = map[string]struct{ written, doc string }{
	"gateway":      {"[gateway]", "The tunnel's end and the gateway's place on disk. A file can have one."},
	"limits":       {"[limits]", "What a peer can make the gateway spend. A file can have one."},
	"peer":         {"[[peer]]", "One agent: one WireGuard identity. `sallyport peer add` writes these. One table for each."},
	"plugins":      {"[plugins]", "The plugins that endpoints use, one line for each. A file can have one."},
	"plugins.NAME": {"[plugins.NAME]", "A plugin from a file; `NAME = { path = …, sha256 = … }` under `[plugins]` is the same."},
	"credential":   {"[[credential]]", "What the gateway logs in with for agents, at the endpoints whose `profiles` name it. One table for each."},
	"endpoint":     {"[[endpoint]]", "Something that agents can reach. One table for each. What is not here does not exist for agents."},
	"rule":         {"[[rule]]", "What is allowed, held and denied. One table for each; their order never matters."},
	"override":     {"[[override]]", "What a rule of a pack is changed to. One table for each; docs/rules.md says more."},
	"approver":     {"[[approver]]", "Whom rules can ask about held actions: [approvals.md](approvals.md). One table for each."},
	"judge":        {"[[judge]]", "A model or a program that rules can ask: [judges.md](judges.md). One table for each."},
	"secrets":      {"[secrets]", "Where references to secrets lead: [secrets.md](secrets.md). A file can have one."},
	"receipts":     {"[receipts]", "How the record of what was decided is kept: [receipts.md](receipts.md). A file can have one."},
	"holds":        {"[holds]", "How long holds and grants live, how many there may be, and where approvers call back. A file can have one."},
}

func render(t *testing.T) string {
	var b strings.Builder
	table := ""
	for _, k := range config.Keys() {
		if k.Table != table {
			table = k.Table
			about, ok := tables[table]
			if !ok {
				t.Fatalf("table %q has no description in this test", table)
			}
			fmt.Fprintf(&b, "\n### `%s`\n\n%s\n\n", about.written, about.doc)
		}
		need := "default " + code(k.Default)
		if k.Required {
			need = "required"
		}
		fmt.Fprintf(&b, "- **`%s`**: %s, %s. %s\n", k.Name, k.Type, need, k.Meaning)
		fmt.Fprintf(&b, "  %s\n  Example: `%s = %s`\n", k.Consequence, k.Name, k.Example)
	}
	return b.String() + "\n"
}

// code puts TOML literals into code quotes and leaves words alone.
func code(s string) string {
	if strings.ContainsAny(s, "`") || !strings.ContainsAny(s, `"0123456789`) || strings.Contains(s, " or ") {
		return s
	}
	return "`" + s + "`"
}

// TestKeysPage compares the page with the code that reads the keys.
func TestKeysPage(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks around its generated part", page)
	}
	want := head + begin + render(t) + end + tail
	if want == string(data) {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the keys in host/config; run: go test ./docs -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestExamplesLoad loads every TOML block of the page.
func TestExamplesLoad(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllSubmatch(data, -1)
	if len(blocks) == 0 {
		t.Fatalf("%s has no example", page)
	}
	for _, b := range blocks {
		cfg, err := config.Parse("example.toml", b[1], config.Known{Builtins: []string{"postgres"}})
		if err != nil {
			t.Fatalf("an example of the page does not load:\n%v", err)
		}
		if len(cfg.Warnings) > 0 {
			t.Errorf("an example of the page has warnings:\n%v", cfg.Warnings)
		}
	}
}
