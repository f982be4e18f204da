package abi

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

const wholeManifest = `{"name": "redis", "version": "1.0.0", "doc": "one sentence",
 "families": [{"name": "connect", "fields": []},
              {"name": "redis", "doc": "commands", "fields": [
                {"name": "command", "type": "string", "values": ["get", "set"], "doc": "which"},
                {"name": "keys", "type": "strings", "role": "values", "values": [], "doc": "of what"},
                {"name": "count", "type": "int", "doc": "how many"},
                {"name": "atomic", "type": "bool", "doc": "in a transaction"}]}],
 "options": [{"name": "max_message", "type": "int", "min": 1024, "max": 1048576, "default": 65536, "doc": "bytes"},
             {"name": "count", "type": "int", "default": -5, "doc": "any"},
             {"name": "mode", "type": "string", "values": ["plain", "cluster"], "default": "plain", "doc": "which"},
             {"name": "prefix", "type": "string", "default": "", "doc": "any"},
             {"name": "strict", "type": "bool", "default": true, "doc": "whether"}],
 "stock": [{"name": "ping", "bytes": "UElORw0K"}],
 "companions": [{"name": "parser"}, {"name": "zlib-1"}],
 "slots": [{"name": "password", "form": "postgres", "doc": "the login"}],
 "attributes": [{"name": "user", "doc": "who"}, {"name": "database", "doc": "where"}]}`

func TestManifest(t *testing.T) {
	m, err := ParseManifest([]byte(wholeManifest + "\n "))
	if err != nil {
		t.Fatal(err)
	}
	if string(m.Stock[0].Bytes) != "PING\r\n" || m.Families[1].Fields[0].Values[1] != "set" || m.Families[1].Fields[1].Role != RoleValues || m.Companions[1].Name != "zlib-1" {
		t.Errorf("%+v", m)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseManifest(b)
	if err != nil {
		t.Fatal(err)
	}
	if b2, _ := json.Marshal(again); string(b2) != string(b) {
		t.Errorf("written and read again: %s, want %s", b2, b)
	}
}

func TestManifestRefused(t *testing.T) {
	base := `{"name":"x","version":"1","families":[{"name":"f","fields":[%s]}]%s}`
	with := func(fields, rest string) string { return fmt.Sprintf(base, fields, rest) }
	field := func(name, rest string) string { return with(`{"name":"`+name+`","doc":""`+rest+`}`, "") }
	option := func(rest string) string { return with("", `,"options":[{"name":"o","doc":"",`+rest+`}]`) }
	many := strings.Repeat(`{"name":"a","type":"int","doc":""},`, MaxFields) + `{"name":"a","type":"int","doc":""}`
	for _, c := range []struct{ name, manifest, want string }{
		{"nothing", "", "EOF"},
		{"no object", "[]", "cannot unmarshal"},
		{"two objects", with("", "") + "{}", "something follows"},
		{"a bracket behind it", with("", "") + "}", "something follows"},
		{"an unknown key", with("", `,"famillies":[]`), `unknown field "famillies"`},
		{"too large", with("", `,"doc":"`+strings.Repeat("x", MaxManifest)+`"`), "the limit is 65536"},
		{"no name", `{"families":[]}`, `name ""`},
		{"a name in capitals", `{"name":"X"}`, `name "X"`},
		{"a name with a line end", `{"name":"x\n"}`, `name "x\n"`},
		{"no family", `{"name":"x","families":[]}`, "no family is declared"},
		{"slot without form", with("", `,"slots":[{"name":"password","doc":""}]`), `form ""`},
		{"slot with a dash", with("", `,"slots":[{"name":"pass-word","form":"basic"}]`), `slot "pass-word"`},
		{"slot twice", with("", `,"slots":[{"name":"p","form":"basic"},{"name":"p","form":"basic"}]`), `slot "p"`},
		{"reserved slot", with("", `,"slots":[{"name":"methods","form":"basic"}]`), `slot "methods"`},
		{"attribute without name", with("", `,"attributes":[{"doc":""}]`), `attribute ""`},
		{"attribute like a slot", with("", `,"slots":[{"name":"p","form":"basic"}],"attributes":[{"name":"p"}]`), `attribute "p"`},
		{"reserved attribute", with("", `,"attributes":[{"name":"name"}]`), `attribute "name"`},
		{"too many attributes", with("", `,"attributes":[`+strings.Repeat(`{"name":"a"},`, MaxSlots)+`{"name":"a"}]`), "33 attributes, the limit is 32"},
		{"family without name", `{"name":"x","families":[{"name":"","fields":[]}]}`, `family ""`},
		{"family twice", `{"name":"x","families":[{"name":"f"},{"name":"f"}]}`, `family "f"`},
		{"reserved family", `{"name":"x","families":[{"name":"action"}]}`, "reserved"},
		{"too many fields", with(many, ""), "257 fields, the limit is 256"},
		{"field with a dash", field("a-b", `,"type":"int"`), `field "a-b"`},
		{"field twice", with(`{"name":"a","type":"int","doc":""},{"name":"a","type":"int","doc":""}`, ""), `field "a"`},
		{"field without type", field("a", ""), `type "" is not one of`},
		{"field of an unknown type", field("a", `,"type":"float"`), `type "float" is not one of`},
		{"values of an int", field("a", `,"type":"int","values":["1"]`), "only strings have a set"},
		{"a role of an int", field("a", `,"type":"int","role":"text"`), "only strings have a role"},
		{"an unknown role", field("a", `,"type":"string","role":"Text"`), `role "Text" is not one of`},
		{"option of strings", option(`"type":"strings","default":[]`), "its default"},
		{"option without default", option(`"type":"int"`), "its default"},
		{"default of another type", option(`"type":"int","default":"5"`), "its default"},
		{"default outside the range", option(`"type":"int","min":1,"max":3,"default":4`), "4 is not between 1 and 3"},
		{"default outside the set", option(`"type":"string","values":["a"],"default":"b"`), `"b" is not one of`},
		{"default with a fraction", option(`"type":"int","default":1.5`), "its default"},
		{"range of a string", option(`"type":"string","max":3,"default":""`), "min and max are for ints"},
		{"range that is none", option(`"type":"int","min":5,"default":9`), "min must be less than max"},
		{"set of an int", option(`"type":"int","values":["1"],"default":1`), "only strings have a set"},
		{"option twice", with("", `,"options":[{"name":"o","type":"bool","default":true,"doc":""},{"name":"o","type":"bool","default":true,"doc":""}]`), `option "o"`},
		{"stock without name", with("", `,"stock":[{"name":"","bytes":"QQ=="}]`), "stock 0"},
		{"stock without bytes", with("", `,"stock":[{"name":"a","bytes":""}]`), "stock 0"},
		{"stock that is no base64", with("", `,"stock":[{"name":"a","bytes":"?"}]`), "illegal base64"},
		{"companion's name", with("", `,"companions":[{"name":"../x"}]`), `companion 0: name "../x"`},
	} {
		if _, err := ParseManifest([]byte(c.manifest)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "manifest: ") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, rest := range []string{`,"type":"int"`, `,"type":"string","role":"text"`, `,"type":"strings","role":"values"`, `,"type":"string","role":"normalized"`} {
		if _, err := ParseManifest([]byte(field("a", rest))); err != nil {
			t.Error("the benign twin:", err)
		}
	}
}

func TestOptions(t *testing.T) {
	m, err := ParseManifest([]byte(wholeManifest))
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]any{"max_message": 65536.0, "count": -5.0, "mode": "plain", "prefix": "", "strict": true}
	for _, c := range []struct {
		set  map[string]any
		want any    // of the option that is set; nil: an error
		err  string // is in the error
	}{
		{nil, nil, ""},
		{map[string]any{"max_message": int64(2000)}, 2000.0, ""},
		{map[string]any{"max_message": 2000}, 2000.0, ""},
		{map[string]any{"max_message": 2000.0}, 2000.0, ""},
		{map[string]any{"max_message": int64(1024)}, 1024.0, ""},
		{map[string]any{"max_message": int64(1048576)}, 1048576.0, ""},
		{map[string]any{"max_message": int64(1023)}, nil, "1023 is not between 1024 and 1048576"},
		{map[string]any{"max_message": int64(1048577)}, nil, "1048577 is not between"},
		{map[string]any{"max_message": 2000.5}, nil, "not of type int"},
		{map[string]any{"max_message": "2000"}, nil, "not of type int"},
		{map[string]any{"max_message": true}, nil, "not of type int"},
		{map[string]any{"max_message": nil}, nil, "not of type int"},
		{map[string]any{"count": int64(math.MinInt64)}, float64(math.MinInt64), ""},
		{map[string]any{"count": 1e300}, nil, "not of type int"},
		{map[string]any{"count": float64(1 << 63)}, nil, "not of type int"},
		{map[string]any{"count": math.NaN()}, nil, "not of type int"},
		{map[string]any{"count": math.Inf(-1)}, nil, "not of type int"},
		{map[string]any{"mode": "cluster"}, "cluster", ""},
		{map[string]any{"mode": "Cluster"}, nil, `"Cluster" is not one of ["plain" "cluster"]`},
		{map[string]any{"mode": int64(1)}, nil, "not of type string"},
		{map[string]any{"prefix": "any <thing>"}, "any <thing>", ""},
		{map[string]any{"prefix": []any{"a"}}, nil, "not of type string"},
		{map[string]any{"strict": false}, false, ""},
		{map[string]any{"strict": "false"}, nil, "not of type bool"},
		{map[string]any{"strict": int64(0)}, nil, "not of type bool"},
		{map[string]any{"strickt": true}, nil, "the plugin redis has no such option"},
	} {
		b, err := m.ResolveOptions(c.set)
		if c.err != "" {
			var wrong *OptionError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.err) || c.set[wrong.Option] == nil && c.set["max_message"] != nil {
				t.Errorf("%v: %v, want %q", c.set, err, c.err)
			}
			continue
		}
		want := map[string]any{}
		for k, v := range defaults {
			want[k] = v
		}
		for k := range c.set {
			want[k] = c.want
		}
		var got map[string]any
		if err == nil {
			err = json.Unmarshal(b, &got)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %s %v, want %v", c.set, b, err, want)
		}
	}
}
