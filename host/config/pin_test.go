package config

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPin(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.wasm", "b.wasm"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, b := fmt.Sprintf("%x", sha256.Sum256([]byte("a.wasm"))), fmt.Sprintf("%x", sha256.Sum256([]byte("b.wasm")))
	old := strings.Repeat("0", 64)
	for _, c := range []struct{ text, name, want string }{
		{"[plugins]\nx = { path = \"a.wasm\" } # é\n", "", "[plugins]\nx = { path = \"a.wasm\", sha256 = \"" + a + "\" } # é\n"},
		{"[plugins]\n\"é\" = \"builtin\"\nx = { sha256 = '" + old + "', path = 'a.wasm' }\n", "", "[plugins]\n\"é\" = \"builtin\"\nx = { sha256 = \"" + a + "\", path = 'a.wasm' }\n"},
		{"[plugins.x]\n  path = \"a.wasm\" # here\n# end", "", "[plugins.x]\n  path = \"a.wasm\" # here\n  sha256 = \"" + a + "\"\n# end"},
		{"[plugins.x]\r\npath = \"a.wasm\"\r\n", "", "[plugins.x]\r\npath = \"a.wasm\"\r\nsha256 = \"" + a + "\"\r\n"},
		{"[plugins.x]\npath = \"a.wasm\"", "", "[plugins.x]\npath = \"a.wasm\"\nsha256 = \"" + a + "\""},
		{"[plugins]\nx.path = \"a.wasm\"\ny = { path = \"b.wasm\" }\n", "", "[plugins]\nx.path = \"a.wasm\"\nx.sha256 = \"" + a + "\"\ny = { path = \"b.wasm\", sha256 = \"" + b + "\" }\n"},
		{"[plugins]\nx = { path = \"a.wasm\" }\ny = { path = \"b.wasm\" }\n", "y", "[plugins]\nx = { path = \"a.wasm\" }\ny = { path = \"b.wasm\", sha256 = \"" + b + "\" }\n"},
		{"[plugins]\nx = { path = \"a.wasm\", sha256 = \"" + a + "\" }\n", "x", "[plugins]\nx = { path = \"a.wasm\", sha256 = \"" + a + "\" }\n"},
	} {
		path := filepath.Join(dir, "sallyport.toml")
		if err := os.WriteFile(path, []byte(c.text), 0o640); err != nil {
			t.Fatal(err)
		}
		pins, err := Pin(path, c.name)
		got, rerr := os.ReadFile(path)
		if err != nil || rerr != nil || string(got) != c.want {
			t.Errorf("%q: %v\n%q\nwant\n%q", c.text, err, got, c.want)
			continue
		}
		for _, p := range pins {
			if !filepath.IsAbs(p.Path) || p.SHA256 == [32]byte{} {
				t.Errorf("%+v", p)
			}
		}
		again, err := Pin(path, c.name)
		now, _ := os.ReadFile(path)
		if err != nil || string(now) != c.want || again[0].Before != again[0].SHA256 {
			t.Errorf("a second time: %v, %q", err, now)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("mode %v %v", info.Mode(), err)
		}
	}
}

func TestPinErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sallyport.toml")
	for text, want := range map[string]string{
		"[plugins]\nx = { path = \"none.wasm\" }\n":                "no such file",
		"[plugins]\nx = \"builtin\"\n":                             "comes from no file",
		"[plugins]\ny = { path = \"sallyport.toml\" }\n":           "has no \"x\", only: y",
		"[plugins]\nx = { sha256 = \"\" }\n":                       "path is missing",
		"[plugins]\nx = {\n":                                       "nothing was written",
		"[plugins]\nx = { path = \".\" }\n":                        "directory",
		"[plugins]\nx = { path = \"sallyport.toml\", sha256 = 1 }": "not a string",
		"": "has no \"x\"",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Pin(path, "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}
