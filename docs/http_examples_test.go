package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// examples are the indented parts of a page that are configuration.
func examples(t *testing.T, page string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var block strings.Builder
	flush := func() {
		if s := strings.TrimSpace(block.String()); strings.HasPrefix(s, "[") || strings.HasPrefix(s, "when = ") {
			list = append(list, s+"\n")
		}
		block.Reset()
	}
	for line := range strings.Lines(string(text)) {
		switch code, ok := strings.CutPrefix(line, "    "); {
		case ok:
			block.WriteString(code)
		case strings.TrimSpace(line) == "" && block.Len() > 0:
			block.WriteString("\n")
		default:
			flush()
		}
	}
	flush()
	return list
}

// TestHTTPExamples: every piece of configuration in http.md is one that the command takes, once what the page leaves out is there.
func TestHTTPExamples(t *testing.T) {
	const key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
	for _, name := range []string{"API_TOKEN", "LEGACY_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"} {
		t.Setenv(name, "a-secret-of-an-example")
	}
	list := examples(t, "http.md")
	if len(list) < 7 {
		t.Fatalf("%d examples: %q", len(list), list)
	}
	dir := t.TempDir()
	for i, example := range list {
		text := "[gateway]\nlisten = \"127.0.0.1:0\"\naddress = \"127.0.0.1:1\"\nnetwork = \"10.89.0.0/16\"\nstate = \"state\"\n\n"
		if !strings.Contains(example, "[plugins]") {
			text += "[plugins]\nhttp = \"builtin\"\n\n"
		}
		if !strings.Contains(example, "[[peer]]") {
			text += fmt.Sprintf("[[peer]]\nname = \"a\"\npublic_key = %q\nprofile = \"dev\"\naddress = \"10.89.0.9\"\n\n", key)
		}
		example = strings.ReplaceAll(example, `public_key = "…"`, fmt.Sprintf("public_key = %q", key))
		profiles := `["dev"]`
		if strings.Contains(example, "[[credential]]") { // it is used by somebody
			_, name, _ := strings.Cut(example, "name = \"")
			name, _, _ = strings.Cut(name, `"`)
			profiles = fmt.Sprintf("{ dev = %q }", name)
		}
		endpoint := fmt.Sprintf("[[endpoint]]\nname = \"chat\"\naddress = \"127.0.0.1:1\"\nplugin = \"http\"\ntls = \"verify-full\"\nprofiles = %s\n", profiles)
		switch {
		case strings.HasPrefix(example, "when = "):
			example = "[[rule]]\nname = \"r\"\nendpoints = [\"chat\"]\n" + example + "then = \"deny\"\nreason = \"no\"\n\n" + endpoint + "options = { inspect_body = true }\n"
		case strings.Contains(example, "[[endpoint]]\noptions"):
			example = strings.Replace(example, "[[endpoint]]\n", endpoint, 1)
		case !strings.Contains(example, "[[endpoint]]"):
			example += "\n" + endpoint
		}
		// The second credential of an example is for others.
		if strings.Count(example, "[[credential]]") > 1 {
			_, rest, _ := strings.Cut(example[strings.Index(example, "[[credential]]")+1:], "[[credential]]\nname = \"")
			name, _, _ := strings.Cut(rest, `"`)
			example += "\n" + strings.NewReplacer(`"chat"`, `"others"`, profiles, fmt.Sprintf("{ dev = %q }", name)).Replace(endpoint)
		}
		file := filepath.Join(dir, fmt.Sprint(i, ".toml"))
		if err := os.WriteFile(file, []byte(text+example), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := sallyport(t, dir, "check", file); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, example)
		}
	}
}
