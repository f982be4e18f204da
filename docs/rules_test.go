package docs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/packs"
)

const rulesPage = "rules.md"

// codeBlock is a block of a page: its language and its text.
var codeBlock = regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```")

// TestPacksPage compares the page with the packs.
func TestPacksPage(t *testing.T) {
	page := read(t, rulesPage)
	head, rest, ok := strings.Cut(page, "<!-- packs: written by `go test ./docs -update` -->\n")
	_, tail, ok2 := strings.Cut(rest, "<!-- end of packs -->\n")
	if !ok || !ok2 {
		t.Fatal("the marks around the packs are gone")
	}
	want := head + "<!-- packs: written by `go test ./docs -update` -->\n" + renderPacks(t) + "<!-- end of packs -->\n" + tail
	if want == page {
		return
	}
	if !*update {
		t.Fatalf("%s differs from packs/*.toml; run: go test ./docs -update", rulesPage)
	}
	if err := os.WriteFile(rulesPage, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func renderPacks(t *testing.T) string {
	list, err := packs.All()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "\n### `%s`\n\n%s\n\n", p.Name, p.Doc)
		if p.Observes != "" {
			fmt.Fprintf(&b, "Its other rules are those of `%s` that deny or hold, each in mode `observe`.\n\n", p.Observes)
		}
		b.WriteString("| rule | family | when | then | |\n| --- | --- | --- | --- | --- |\n")
		for _, r := range p.Rules {
			if r.Observe && p.Observes != "" {
				continue
			}
			when := cell(r.When)
			for _, family := range slices.Sorted(maps.Keys(r.Except)) {
				if r.Except[family] == "true" {
					when += ", not for `" + family + "`"
					continue
				}
				when += ", for `" + family + "` unless " + cell(r.Except[family])
			}
			family := "any"
			if r.Family != "" {
				family = "`" + r.Family + "`"
			}
			then := r.Then
			if r.Observe {
				then += ", observes"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.Name, family, when, then, r.Doc)
		}
	}
	return b.String() + "\n"
}

// cell writes code for a table.
func cell(code string) string { return "`" + strings.ReplaceAll(code, "|", `\|`) + "`" }

// TestRulesExamples writes down the files that the page shows, checks its rules at that configuration and runs its commands.
func TestRulesExamples(t *testing.T) {
	dir := t.TempDir()
	blocks := codeBlock.FindAllStringSubmatch(read(t, rulesPage), -1)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base := ""
	var fragments, commands []string
	for _, b := range blocks {
		first, _, _ := strings.Cut(b[2], "\n")
		name := strings.TrimPrefix(first, "# ")
		switch {
		case b[1] == "json":
			write("receipts.jsonl", b[2])
		case b[1] == "console":
			commands = append(commands, b[2])
		case b[1] != "toml":
			t.Fatalf("a block of %s", b[1])
		case first == name:
			fragments = append(fragments, b[2])
		case name == "sallyport.toml":
			base = b[2]
			write(name, base)
		case strings.HasSuffix(name, " = sallyport.toml and"):
			write(strings.Fields(name)[0], base+b[2])
		default:
			write(name, b[2])
		}
	}
	if base == "" || len(fragments) < 5 || len(commands) != 3 {
		t.Fatalf("%d fragments, %d commands, base %q", len(fragments), len(commands), base)
	}
	for _, f := range fragments {
		text := base + "\n" + f
		if rest, ok := strings.CutPrefix(f, "[gateway]\n"); ok { // a file has one such table
			text = strings.Replace(base, "[gateway]\n", "[gateway]\n"+rest, 1)
		}
		write("fragment.toml", text)
		if out, err := sallyport(t, dir, "rules", "fragment.toml"); err != nil {
			t.Errorf("this does not load: %v\n%s\n%s", err, f, out)
		}
	}
	for _, c := range commands {
		line, want, _ := strings.Cut(c, "\n")
		out, err := sallyport(t, dir, strings.Fields(line)[2:]...)
		if out != want {
			t.Errorf("%s (%v)\n%s\nthe page says\n%s", line, err, out, want)
		}
	}
}
