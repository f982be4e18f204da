package packs

import (
	"strings"
	"testing"
)

func TestAll(t *testing.T) {
	list, err := All()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	if got := strings.Join(names, " "); got != "baseline observe readonly" {
		t.Errorf("packs: %s", got)
	}
	baseline, _ := Find("baseline")
	observe, _ := Find("observe")
	var strict int
	for _, r := range baseline.Rules {
		if r.Then != "allow" {
			strict++
		}
	}
	if len(observe.Rules) != strict+1 || strict < 8 {
		t.Errorf("observe has %d rules, baseline has %d that deny or hold", len(observe.Rules), strict)
	}
	for _, r := range observe.Rules {
		if r.Observe != (r.Then != "allow") {
			t.Errorf("%+v", r)
		}
	}
	for _, r := range baseline.Rules {
		if r.Observe {
			t.Errorf("taking a rule over has changed it: %+v", r)
		}
	}
	if _, ok := Find("basline"); ok {
		t.Error("found what is not there")
	}
}

// TestForm: a rule that uses a family's fields names the family, so that it is not looked for at other endpoints.
func TestForm(t *testing.T) {
	list, _ := All()
	for _, p := range list {
		for _, r := range p.Rules {
			for _, family := range []string{"sql", "http", "ssh", "k8s"} {
				if strings.Contains(r.When, family+".") && r.Family != family {
					t.Errorf("%s/%s uses %s and does not say family = %q", p.Name, r.Name, family, family)
				}
			}
			if strings.Contains(r.When, `action.family == "`) && r.Family == "" {
				t.Errorf("%s/%s compares the family and names none", p.Name, r.Name)
			}
		}
	}
}

func TestParse(t *testing.T) {
	const good = "doc = \"d\"\n[[rule]]\nname = \"a\"\ndoc = \"d\"\nwhen = \"true\"\nthen = \"deny\"\nreason = \"r\"\n"
	if p, err := Parse("x", []byte(good)); err != nil || p.Rules[0].Then != "deny" {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`doc = "d"` + "\n[[", "[[", "needs doc"},
		{"[[rule]]", "[rule]", "pack x"},
		{`"true"`, `"true"` + "\nunless = \"x\"", "unknown key rule.unless"},
		{`"a"`, `"a/b"`, "no slash"},
		{`"deny"`, `"judge"`, "then is"},
		{`"deny"`, `"allow"`, "what allows has none"},
		{`reason = "r"`, "", "has a reason"},
		{`when = "true"`, "", "needs doc and when"},
		{`reason = "r"` + "\n", "reason = \"r\"\n" + good[strings.Index(good, "[["):], "twice"},
	} {
		_, err := Parse("x", []byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"baseline", "readonly", "observe"} {
		data, err := files.ReadFile(name + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("x", data)
		if err == nil && len(p.Rules) == 0 {
			t.Error("a pack without rules")
		}
	})
}
