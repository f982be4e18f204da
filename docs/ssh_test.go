package docs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/session"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The tables of fields and options in ssh.md are those of the plugin's manifest.
func TestSSHFields(t *testing.T) {
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
		switch {
		case o.Type == abi.TypeInt:
			kind = fmt.Sprintf("int, %d to %d", o.Min, o.Max)
		case len(o.Values) > 0:
			kind = strings.Join(o.Values, ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%v` | %s |\n", o.Name, kind, o.Default, o.Doc)
	}
	b.WriteString("\nKeys of a credential:\n\n| key | kind | meaning |\n| --- | --- | --- |\n")
	for _, s := range m.Slots {
		fmt.Fprintf(&b, "| `%s` | secret | %s |\n", s.Name, s.Doc)
	}
	for _, a := range m.Attributes {
		fmt.Fprintf(&b, "| `%s` | text | %s |\n", a.Name, a.Doc)
	}
	b.WriteString("\n")
	generated(t, "ssh.md", "<!-- fields: written by `go test ./docs -update` -->\n", "<!-- end -->", b.String())
}
