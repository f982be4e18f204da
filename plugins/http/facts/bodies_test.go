package facts

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// asked is a POST with this body as rules see it. known: the body was read.
func asked(t *testing.T, kind, body, raw string, known bool) *abi.Action {
	t.Helper()
	var a Action
	a.Begin()
	if kind != "" {
		a.Header(head.ContentType, []byte("Content-Type"), []byte(kind))
	}
	r := Request{Method: []byte("POST"), Authority: []byte("api"), Path: []byte("/"), Version: "1.1", Length: int64(len(body)), Body: Body{Known: known, Bytes: []byte(body)}}
	if raw != "" {
		r.Body.Raw = []byte(raw)
	}
	a.Ask(nil, &r, &Raise{})
	got, err := abi.ReadAction(append(bytes.Clone(a.front[:a.size]), a.fields[a.start():a.used]...), &abi.Manifest{Families: Families()})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A method in place of the request's own is found wherever a framework takes one from a body, or it is unknown; and nowhere else.
func TestMethodsInBodies(t *testing.T) {
	const form, file, unknown = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "?"
	part := func(line string) string {
		return "--b\r\nContent-Disposition: form-data; " + line + "\r\n\r\nDELETE\r\n--b--\r\n"
	}
	for _, c := range []struct{ kind, body, raw, want string }{
		{form, "a=b&_method=delete", "", "DELETE"},
		{form, "a=b&method=delete", "", ""},
		{form, "a=b& _method=delete", "", "DELETE"},    // Rack
		{form, "a=b&+%20_method=delete", "", "DELETE"}, // PHP
		{form, strings.Repeat("+", 99) + "_method=delete", "", "DELETE"},
		{form, ".method=delete", "", "DELETE"},
		{form, "_method%00x=delete", "", "DELETE"},
		{form, "a=b&[_method]=delete", "", "DELETE"}, // qs, and Rack before 3
		{form, "%5B_method%5D=delete", "", "DELETE"},
		{form, "x[_method]=delete", "", ""},
		{form, "a_method=delete", "", ""},
		{form, "_method" + strings.Repeat("x", 99) + "=delete", "", ""},
		{form + ", text/plain", "_method=delete", "", "DELETE"}, // Rack and PHP end the type there
		{form + " x", "_method=delete", "", "DELETE"},
		{form + "; charset=ibm037", "a=b", "", unknown},
		{form + "; charset=utf-8", "a=b", "", ""},
		{"", "_method=delete", "", "DELETE"}, // Rack
		{"", "a=b", "", ""},
		{"text/plain", "_method=delete", "", ""},
		{strings.Repeat("x", 200), "_method=delete", "", unknown},
		{form, "a=b", "\x1f\x8b\x08\x08&_method=delete&x=\x00", "DELETE"}, // of a server that does not undo the coding
		{form, "a=b", "\x1f\x8b\x08\x08 and more", ""},
		{file, part(`name="a"`), "", ""},
		{file, part(`name="_method"`), "", unknown},
		{file, part(`name="_m\ethod"`), "", unknown},
		{file, part(`name*=utf-8''_%6dethod`), "", unknown},
		{file, part(`name=".method"`), "", unknown},
		{file, part(`name="a"`), part(`name="_method"`), unknown},
		{"multipart/mixed; boundary=b", part(`name="_method"`), "", unknown},
		{"multipart/mixed; boundary=b", part(`name="a"`), "", ""},
		{"application/json", `{"_method": "delete"}`, "", "DELETE"}, // Laravel
		{"application/json", `{"\u005fmethod": "delete"}`, "", "DELETE"},
		{"application/json", `{"_method": "GET", "_method": "delete"}`, "", unknown},
		{"application/json", `{"a": {"_method": "delete"}, "method": "delete", "b": "_method=delete"}`, "", ""},
		{"application/json", `["_method=delete"]`, "", ""},
	} {
		a := asked(t, c.kind, c.body, c.raw, true)
		class := abi.ClassWrite
		if c.want == "DELETE" {
			class = abi.ClassDelete
		}
		got := a.Values[fieldOverride].Str
		if !a.Values[fieldOverride].Known {
			got = unknown
		}
		if got != c.want || a.Class != class {
			t.Errorf("%s %q %q: override %q, class %v; want %q, %v", c.kind, c.body, c.raw, got, a.Class, c.want, class)
		}
	}
	for kind, hidden := range map[string]bool{form: true, form + ",x": true, file: true, "multipart/related": true, "": true, "text/plain": false, "application/json": false} {
		if known := asked(t, kind, "a=b", "", false).Values[fieldOverride].Known; known == hidden {
			t.Errorf("a body of type %q that is not read: override known %v", kind, known)
		}
	}
}

// Body and json are what every server reads, or unknown.
func TestBodiesReadInOneWay(t *testing.T) {
	const object = `{"a": 1}`
	for _, c := range []struct {
		kind, body, raw  string
		text, json, list string
	}{
		{kind: "application/json", body: object, text: "yes", json: "yes", list: "/a=1"},
		{kind: "application/json; charset=utf-8", body: object, text: "yes", json: "yes", list: "/a=1"},
		{kind: `application/json; charset="UTF-8"; profile=x`, body: object, text: "yes", json: "yes", list: "/a=1"},
		{kind: "application/json; charset=utf-7", body: object},
		{kind: "application/json; xcharset=utf-8; charset=utf-7", body: object},
		{kind: "application/json; charset=utf-8; charset=utf-7", body: object},
		{kind: "application/json; charset =utf-7", body: object},
		{kind: "application/json; charset*=utf-8''utf-7", body: object},
		{kind: "application/x-www-form-urlencoded", body: object, text: "yes", json: "yes", list: "/a=1"},
		{kind: "application/x-www-form-urlencoded", body: " " + object + object, text: "yes"},
		{kind: "multipart/form-data; boundary=b", body: object, text: "yes", json: "yes", list: "/a=1"},
		{kind: "application/x-www-form-urlencoded", body: "a=b&c={}", text: "yes", json: "yes"},
		{kind: "application/json", body: "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00"},
		{kind: "application/json", body: "\x00{\x00\"\x00a\x00\"\x00:\x001\x00}"},
		{kind: "text/plain", body: "ab\x00c", text: "yes"},
		{kind: "application/grpc+proto", body: "\x00\x00\x00\x00\x01a", text: "yes"},
		{kind: "application/json", body: object, raw: "\x1f\x8b\x08", text: "yes", json: "yes", list: "/a=1"},
		{kind: "application/json", body: object, raw: `{"a":2} and what deflate makes of it`}, // for a server that does not undo codings
		{kind: "application/json", body: object, raw: `{compressed`, text: "yes", json: "yes", list: "/a=1"},
	} {
		v := asked(t, c.kind, c.body, c.raw, true).Values
		if v[fieldBody].Known != (c.text != "") || v[fieldJSON].Known != (c.json != "") || strings.Join(v[fieldJSON].List, " ") != c.list {
			t.Errorf("%s %q %q: body known %v, json known %v: %q", c.kind, c.body, c.raw, v[fieldBody].Known, v[fieldJSON].Known, v[fieldJSON].List)
		}
	}
}

// The gateway's parameter has no other of its name beside it, as the most lenient servers read names.
func TestNames(t *testing.T) {
	for p, want := range map[string]bool{"api_key=x": true, "api_key": true, "api%5fkey=x": true, "API_KEY=x": true, "api.key=x": true, "api+key=x": true, "+api_key=x": true,
		"[api_key]=x": true, "api_key[]=x": true, "api_key%00x=y": true,
		"api_keys=x": false, "api-key=x": false, "x=api_key": false, "": false, "=x": false, "apikey": false, "x[api_key]=y": false} {
		if got := Names([]byte(p), "api_key"); got != want {
			t.Errorf("%q: %v", p, got)
		}
	}
	if !Names([]byte("api.key=x"), "api.key") || !Names([]byte("api_key=x"), "api.key") || Names([]byte("api-key=x"), "api.key") {
		t.Error("a name with a dot")
	}
}
