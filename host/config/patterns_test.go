package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// clusters is a configuration with endpoints of these names, a rule, and an override of the pack p's rule r.
func clusters(endpoints, override string, names ...string) string {
	var b strings.Builder
	b.WriteString("[gateway]\nlisten = \":51820\"\naddress = \"gw.example.com:51820\"\nnetwork = \"10.89.0.0/16\"\nstate = \"state\"\npacks = [\"baseline\"]\n[plugins]\npostgres = \"builtin\"\n")
	for i, n := range names {
		fmt.Fprintf(&b, "[[endpoint]]\nname = %q\naddress = \"10.0.0.%d:6443\"\nplugin = \"postgres\"\nprofiles = [\"dev\"]\n", n, i+1)
	}
	b.WriteString("[[peer]]\nname = \"a\"\npublic_key = \"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\"\nprofile = \"dev\"\naddress = \"10.89.0.9\"\n")
	fmt.Fprintf(&b, "[[rule]]\nname = \"r\"\nendpoints = %s\nwhen = \"true\"\nthen = \"allow\"\n", endpoints)
	return b.String() + override
}

func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	return Parse(filepath.Join(t.TempDir(), "sallyport.toml"), []byte(text), Known{Builtins: []string{"postgres"}, Packs: []Pack{{Name: "baseline", Rules: []PackRule{{Name: "x", Then: Deny}}}}})
}

// TestPatterns: a pattern stands for the endpoints that it matches, each once, and for nothing else.
func TestPatterns(t *testing.T) {
	names := []string{"k8s-a", "k8s-b", "prod", "db-k8s-x", "k8s"}
	for _, c := range []struct{ list, want, matched string }{
		{`["k8s-*"]`, "k8s-a k8s-b", "k8s-*=k8s-a,k8s-b"},
		{`["prod", "k8s-*"]`, "prod k8s-a k8s-b", "k8s-*=k8s-a,k8s-b"},
		{`["k8s-b", "k8s-*", "*-a"]`, "k8s-b k8s-a", "k8s-*=k8s-a,k8s-b *-a=k8s-a"},
		{`["*k8s*"]`, "k8s-a k8s-b db-k8s-x k8s", "*k8s*=k8s-a,k8s-b,db-k8s-x,k8s"},
		{`["k*8*-*"]`, "k8s-a k8s-b", "k*8*-*=k8s-a,k8s-b"},
		{`["k8s*"]`, "k8s-a k8s-b k8s", "k8s*=k8s-a,k8s-b,k8s"},
		{`["prod"]`, "prod", ""},
	} {
		cfg, err := load(t, clusters(c.list, "", names...))
		if err != nil {
			t.Errorf("%s: %v", c.list, err)
			continue
		}
		r := cfg.Rules[0]
		var got, matched []string
		for _, n := range r.Endpoints {
			got = append(got, n.Value)
		}
		for _, p := range r.Patterns {
			matched = append(matched, p.Value+"="+strings.Join(p.Matched, ","))
		}
		if strings.Join(got, " ") != c.want || strings.Join(matched, " ") != c.matched {
			t.Errorf("%s: %q %q", c.list, got, matched)
		}
	}
}

// TestPatternsRefused: what stands for nothing, or for everything, is an error that says where.
func TestPatternsRefused(t *testing.T) {
	for _, c := range []struct{ list, override, want string }{
		{`["k9s-*"]`, "", `"k9s-*" matches no endpoint`},
		{`["prod", "k9s-*"]`, "", `"k9s-*" matches no endpoint`},
		{`["*"]`, "", "stands for every endpoint"},
		{`["k8s-*", "prot"]`, "", `there is no endpoint "prot"`},
		{`["k8s-?"]`, "", `there is no endpoint "k8s-?"`},
		{`["K8S-*"]`, "", "matches no endpoint"},
		{`["prod"]`, "[[override]]\nrule = \"baseline/x\"\nendpoints = [\"k9*\"]\noff = true\n", "matches no endpoint"},
		{`["prod"]`, "[[override]]\nrule = \"baseline/x\"\nendpoints = [\"k8s-*\"]\noff = true\n[[override]]\nrule = \"baseline/x\"\nendpoints = [\"k8s-a\"]\nunless = \"true\"\n", "is changed already"},
	} {
		_, err := load(t, clusters(c.list, c.override, "k8s-a", "k8s-b", "prod"))
		var p Problems
		if err == nil || !errors.As(err, &p) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %q", c.list, c.override, err, c.want)
		}
	}
	if _, err := load(t, clusters(`["prod"]`, "[[override]]\nrule = \"baseline/x\"\nendpoints = [\"k8s-*\"]\noff = true\n", "k8s-a", "k8s-b", "prod")); err != nil {
		t.Errorf("an override by a pattern: %v", err)
	}
}

// FuzzGlob: a pattern matches as the regular expression that it is, written down slowly.
func FuzzGlob(f *testing.F) {
	f.Add("a*b", "axxb")
	f.Add("*", "")
	f.Add("a*a", "a")
	f.Add("*ab*ab*", "abab")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 12 || len(name) > 20 {
			return
		}
		if got, want := glob(pattern, name), slowGlob(pattern, name); got != want {
			t.Errorf("%q %q: %v, want %v", pattern, name, got, want)
		}
	})
}

func slowGlob(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return slowGlob(pattern[1:], name) || name != "" && slowGlob(pattern, name[1:])
	}
	return name != "" && name[0] == pattern[0] && slowGlob(pattern[1:], name[1:])
}
