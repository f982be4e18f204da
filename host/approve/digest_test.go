package approve

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

var sqlFamily = &abi.Family{Name: "sql", Fields: []abi.Field{
	{Name: "text", Type: abi.TypeString}, {Name: "tables", Type: abi.TypeStrings}, {Name: "bounded", Type: abi.TypeBool}, {Name: "parameters", Type: abi.TypeInt}}}

// subject is one with a value of every type.
func subject() Subject {
	return Subject{Profile: "dev", Endpoint: "prod-db", Credential: "agent", PluginDigest: "aa",
		Action: &abi.Action{Family: sqlFamily, Class: abi.ClassDelete, Title: "delete from users", Values: []abi.Value{
			{Known: true, Str: "DELETE FROM users WHERE id = $1"}, {Known: true, List: []string{"users", "s.t"}}, {Known: true, Bool: true}, {Known: true, Int: -3}}}}
}

// changes are ways to make another subject.
func changes() map[string]func(*Subject) {
	values := func(i int, v abi.Value) func(*Subject) { return func(s *Subject) { s.Action.Values[i] = v } }
	family := func(change func(*abi.Family)) func(*Subject) {
		return func(s *Subject) {
			f := *sqlFamily
			f.Fields = append([]abi.Field(nil), sqlFamily.Fields...)
			change(&f)
			s.Action.Family = &f
		}
	}
	return map[string]func(*Subject){
		"as it is":                               func(*Subject) {},
		"profile":                                func(s *Subject) { s.Profile = "ops" },
		"endpoint":                               func(s *Subject) { s.Endpoint = "prod-db2" },
		"credential":                             func(s *Subject) { s.Credential = "" },
		"plugin":                                 func(s *Subject) { s.PluginDigest = "ab" },
		"profile and endpoint, parted elsewhere": func(s *Subject) { s.Profile, s.Endpoint = "devprod", "-db" },
		"endpoint and credential, parted by zeros": func(s *Subject) { s.Endpoint, s.Credential = "prod-db\x00\x00\x00\x05agent", "" },
		"profile with the length of the next":      func(s *Subject) { s.Profile, s.Endpoint = "dev\x00\x00\x00\x07prod-db", "" },
		"class":                                    func(s *Subject) { s.Action.Class = abi.ClassRead },
		"title":                                    func(s *Subject) { s.Action.Title += " " },
		"streaming":                                func(s *Subject) { s.Streaming = true },
		"text":                                     values(0, abi.Value{Known: true, Str: "DELETE FROM users WHERE id = $2"}),
		"text, not UTF-8":                          values(0, abi.Value{Known: true, Str: "DELETE FROM users WHERE id = \xff"}),
		"text, not UTF-8 in another way":           values(0, abi.Value{Known: true, Str: "DELETE FROM users WHERE id = \xfe"}),
		"text, with the replacement character":     values(0, abi.Value{Known: true, Str: "DELETE FROM users WHERE id = \ufffd"}),
		"text, unknown":                            values(0, abi.Value{}),
		"text, empty":                              values(0, abi.Value{Known: true}),
		"list, one joined":                         values(1, abi.Value{Known: true, List: []string{"userss.t"}}),
		"list, joined by a comma":                  values(1, abi.Value{Known: true, List: []string{"users,s.t"}}),
		"list, parted elsewhere":                   values(1, abi.Value{Known: true, List: []string{"user", "ss.t"}}),
		"list, in another order":                   values(1, abi.Value{Known: true, List: []string{"s.t", "users"}}),
		"list, with an empty one":                  values(1, abi.Value{Known: true, List: []string{"users", "s.t", ""}}),
		"list, of one with a length inside":        values(1, abi.Value{Known: true, List: []string{"users\x00\x00\x00\x03s.t"}}),
		"list, empty":                              values(1, abi.Value{Known: true}),
		"list, unknown":                            values(1, abi.Value{}),
		"bool":                                     values(2, abi.Value{Known: true}),
		"bool, unknown":                            values(2, abi.Value{}),
		"int":                                      values(3, abi.Value{Known: true, Int: 3}),
		"int, unknown":                             values(3, abi.Value{}),
		"family":                                   family(func(f *abi.Family) { f.Name = "sq" }),
		"field names, exchanged":                   family(func(f *abi.Family) { f.Fields[0].Name, f.Fields[1].Name = "tables", "text" }),
		"a field name that takes from its type":    family(func(f *abi.Family) { f.Fields[0].Name, f.Fields[0].Type = "textstr", "ing" }),
		"a field less":                             func(s *Subject) { s.Action.Values = s.Action.Values[:3] },
		"a field less, at the front":               family(func(f *abi.Family) { f.Fields = f.Fields[1:] }),
	}
}

func changed(change func(*Subject)) Subject {
	s := subject()
	change(&s)
	return s
}

// TestDigestsDiffer: whatever is changed, and however texts are put together, it is another digest.
func TestDigestsDiffer(t *testing.T) {
	seen := map[Digest]string{}
	for name, change := range changes() {
		d := DigestOf(changed(change))
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %q have the same digest", name, other)
		}
		seen[d] = name
		if again := DigestOf(changed(change)); again != d {
			t.Errorf("%s: two digests", name)
		}
	}
	if DigestOf(Subject{}) == DigestOf(Subject{Action: &abi.Action{Family: sqlFamily}}) {
		t.Error("nothing and an empty action are the same")
	}
}

// TestGoldenDigests: digests that are stored and shown do not change with the program. With UPDATE=1 the file is written anew.
func TestGoldenDigests(t *testing.T) {
	const path = "testdata/digests.json"
	got := map[string]string{}
	for name, change := range changes() {
		got[name] = DigestOf(changed(change)).String()
	}
	if os.Getenv("UPDATE") != "" {
		b, err := json.MarshalIndent(got, "", "  ")
		if err == nil {
			err = os.WriteFile(path, append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != len(got) {
		t.Errorf("%d golden digests, %d subjects", len(want), len(got))
	}
	for name := range got {
		if got[name] != want[name] {
			t.Errorf("%s: %s, want %s", name, got[name], want[name])
		}
	}
}

// TestEncoding: the encoding is the one that DigestOf documents, byte by byte.
func TestEncoding(t *testing.T) {
	s := Subject{Profile: "p", Endpoint: "e", Credential: "c", PluginDigest: "d", Streaming: true,
		Action: &abi.Action{Family: &abi.Family{Name: "f", Fields: []abi.Field{{Name: "b", Type: abi.TypeBool}, {Name: "u", Type: abi.TypeInt}}}, Class: abi.ClassRead, Title: "t",
			Values: []abi.Value{{Known: true, Bool: true}, {}}}}
	const want = "\x00\x00\x00\x12sallyport action 1\x00\x00\x00\x01p\x00\x00\x00\x01e\x00\x00\x00\x01c\x00\x00\x00\x01d\x00\x00\x00\x01f\x00\x00\x00\x04read\x00\x00\x00\x01t\x01" +
		"\x00\x00\x00\x02\x00\x00\x00\x01b\x00\x00\x00\x04bool\x01\x01\x00\x00\x00\x01u\x00\x00\x00\x03int\x00"
	if got := string(appendSubject(nil, &s)); got != want {
		t.Errorf("%q, want\n%q", got, want)
	}
}

// FuzzDigest: two lists of texts have the same encoding only if they are the same.
func FuzzDigest(f *testing.F) {
	f.Add("a", "b", "ab", "")
	f.Add("a\x00\x00\x00\x01b", "", "a", "b")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		one, two := subject(), subject()
		one.Endpoint, one.Credential = a, b
		two.Endpoint, two.Credential = c, d
		if (DigestOf(one) == DigestOf(two)) != (a == c && b == d) {
			t.Errorf("%q %q and %q %q", a, b, c, d)
		}
		one, two = subject(), subject()
		one.Action.Values[1].List, two.Action.Values[1].List = []string{a, b}, []string{c, d}
		if (DigestOf(one) == DigestOf(two)) != (a == c && b == d) {
			t.Errorf("lists: %q %q and %q %q", a, b, c, d)
		}
		two.Action.Values[1].List = []string{fmt.Sprint(a, b)}
		if DigestOf(one) == DigestOf(two) {
			t.Errorf("%q %q is %q", a, b, a+b)
		}
	})
}
