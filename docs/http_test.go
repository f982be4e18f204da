package docs_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/dialect"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The tables of fields, options and secrets in http.md are those of the plugin's manifest.
func TestHTTPFields(t *testing.T) {
	generated(t, "http.md", "<!-- fields: written by `go test ./docs -update` -->\n", "<!-- end -->", manifestTables(new(session.Plugin).Manifest()))
}

// The same for kubernetes.md, but for what is HTTP's.
func TestKubernetesFields(t *testing.T) {
	m := dialect.New().Manifest()
	m.Families = slices.DeleteFunc(m.Families, func(f abi.Family) bool { return f.Name != "k8s" })
	m.Slots, m.Attributes = nil, nil
	m.Options = slices.DeleteFunc(m.Options, func(o abi.Option) bool { return o.Name != "inspect_body" && o.Name != "body_limit" })
	generated(t, "kubernetes.md", "<!-- fields: written by `go test ./docs -update` -->\n", "<!-- end -->", manifestTables(m))
}

// manifestTables are the fields, the options and the keys of credentials that a manifest declares.
func manifestTables(m abi.Manifest) string {
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
		switch {
		case o.Type == abi.TypeInt:
			kind = fmt.Sprintf("int, %d to %d", o.Min, o.Max)
		case len(o.Values) > 0:
			kind = strings.Join(o.Values, ", ")
		}
		value := fmt.Sprintf("`%v`", o.Default)
		if o.Default == "" {
			value = "empty"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", o.Name, kind, value, o.Doc)
	}
	if len(m.Slots) > 0 {
		b.WriteString("\nKeys of a credential:\n\n| key | kind | meaning |\n| --- | --- | --- |\n")
	}
	for _, s := range m.Slots {
		fmt.Fprintf(&b, "| `%s` | secret | %s |\n", s.Name, s.Doc)
	}
	for _, a := range m.Attributes {
		fmt.Fprintf(&b, "| `%s` | text | %s |\n", a.Name, a.Doc)
	}
	b.WriteString("\n")
	return b.String()
}

// generated compares the part of a page between two marks with what it has to be, or writes it.
func generated(t *testing.T, page, begin, end, want string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks around its generated part", page)
	}
	want = before + begin + want + end + after
	switch {
	case want == string(text):
	case !*update:
		t.Fatalf("%s is not what the code says: run go test ./docs -update", page)
	default:
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
