package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/postgres/session"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The tables of fields and options in postgres.md are those of the plugin's manifest.
func TestPostgresFields(t *testing.T) {
	m := new(session.Plugin).Manifest()
	var b strings.Builder
	for _, f := range m.Families {
		fmt.Fprintf(&b, "Family `%s`. %s\n\n| field | type | meaning |\n| --- | --- | --- |\n", f.Name, f.Doc)
		for _, d := range f.Fields {
			fmt.Fprintf(&b, "| `%s.%s` | %s | %s |\n", f.Name, d.Name, d.Type, d.Doc)
		}
		b.WriteString("\n")
	}
	b.WriteString("Options of an endpoint:\n\n| option | type | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, o := range m.Options {
		kind := string(o.Type)
		if o.Type == abi.TypeInt {
			kind = fmt.Sprintf("int, %d to %d", o.Min, o.Max)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %v | %s |\n", o.Name, kind, o.Default, o.Doc)
	}
	b.WriteString("\n")

	const page, begin, end = "postgres.md", "<!-- fields: written by `go test ./docs -update` -->\n", "<!-- end -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the fields", page)
	}
	want := before + begin + b.String() + end + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s does not have the fields of the manifest: run go test ./docs -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
