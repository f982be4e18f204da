package facts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestNormal(t *testing.T) {
	for _, c := range []struct {
		path, normal string
		ambiguous    bool
	}{
		{"/", "/", false},
		{"/a/b.c", "/a/b.c", false},
		{"/a/", "/a/", false},
		{"/.hidden/a..b/...", "/.hidden/a..b/...", false},
		{"/caf%C3%A9", "/café", false},
		{"/a%20b", "/a b", false},
		{"/%61dmin", "/admin", false},
		{"/a%2eb", "/a.b", false},
		{"/100%25", "/100%", false},
		{"/a:b@c!$&'()*+,=~", "/a:b@c!$&'()*+,=~", false},
		{"/a%3fb%23", "/a?b#", false},
		{"*", "*", false},

		{"//a", "/a", true},
		{"/a//b", "/a/b", true},
		{"/a///", "/a/", true},
		{"/./a", "/a", true},
		{"/a/.", "/a/", true},
		{"/a/./b", "/a/b", true},
		{"/a/../b", "/b", true},
		{"/a/..", "/", true},
		{"/..", "/", true},
		{"/../../etc", "/etc", true},
		{"/a/b/../../c", "/c", true},
		{"/public/%2e%2e/admin", "/admin", true},
		{"/public/.%2E/admin", "/admin", true},
		{"/public/%2e/admin", "/public/admin", true},
		{"/public%2fadmin", "/public/admin", true},
		{"/public%2F..%2Fadmin", "/admin", true},
		{`/public\admin`, "/public/admin", true},
		{`/public/..\admin`, "/admin", true},
		{"/public/..%5cadmin", "/admin", true},
		{"/public/..;/admin", "/admin", true},
		{"/public/..;a=b/admin", "/admin", true},
		{"/admin;x", "/admin", true},
		{"/a;x/b;y/c", "/a/b/c", true},
		{"/a;%2fb", "/a/b", true},
		{"/admin%3bx", "/admin;x", true},
		{"/%252e%252e/admin", "/%2e%2e/admin", true},
		{"/%25%32%65", "/%2e", true},
		{"/a%00.png", "/a\x00.png", true},
		{"/a%0d%0aX", "/a\r\nX", true},
		{"/a%", "/a%", true},
		{"/a%zz", "/a%zz", true},
		{"/a%4", "/a%4", true},
		{"/a\xc3\xa4", "/a\u00e4", true},
		{"/%c0%ae%c0%ae/admin", "/\xc0\xae\xc0\xae/admin", true},
		{"/%ff", "/\xff", true},
	} {
		got, ambiguous := Normal(make([]byte, 0, head.MaxTarget), []byte(c.path))
		if string(got) != c.normal || ambiguous != c.ambiguous {
			t.Errorf("%q: %q, ambiguous %v; want %q, %v", c.path, got, ambiguous, c.normal, c.ambiguous)
		}
	}
}

// A normal path is its own normal form, and one that is not ambiguous has no way up.
func FuzzNormal(f *testing.F) {
	for _, p := range []string{"/a/../b", "/%2e%2e;/a", "//", `/\..\a`, "/;..;/..", "/%25%32%65"} {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) == 0 || len(p) >= head.MaxTarget {
			return
		}
		p[0] = '/'
		room := make([]byte, 0, head.MaxTarget)
		n, ambiguous := Normal(room, p)
		if len(n) > cap(room) {
			t.Fatalf("%q: the normal form does not fit", p)
		}
		if len(n) == 0 || n[0] != '/' || strings.Contains(string(n), "//") {
			t.Fatalf("%q: %q", p, n)
		}
		for _, s := range strings.Split(string(n), "/")[1:] {
			if s == "." || s == ".." {
				t.Fatalf("%q: %q has dot segments", p, n)
			}
		}
		if !ambiguous && strings.Count(string(n), "/") != strings.Count(string(p), "/") {
			t.Fatalf("%q: %q has other segments, and is not ambiguous", p, n)
		}
	})
}

func TestOverrides(t *testing.T) {
	for _, c := range []struct {
		method, headers, query, want string
		class                        abi.Class
	}{
		{"GET", "", "", "", abi.ClassRead},
		{"POST", "", "a=b&method=DELETE", "", abi.ClassWrite},
		{"POST", "X-HTTP-Method-Override: DELETE", "", "DELETE", abi.ClassDelete},
		{"POST", "x-http-method: delete", "", "DELETE", abi.ClassDelete},
		{"POST", "X-Method-Override: PUT", "", "PUT", abi.ClassWrite},
		{"DELETE", "X-HTTP-Method-Override: GET", "", "GET", abi.ClassDelete},
		{"GET", "X-HTTP-Method-Override: frobnicate", "", "FROBNICATE", abi.ClassOpaque},
		{"POST", "", "_method=delete", "DELETE", abi.ClassDelete},
		{"POST", "", "a=b&%5fmethod=dele%74e&c", "DELETE", abi.ClassDelete},
		{"POST", "", "a=b;_method=DELETE", "DELETE", abi.ClassDelete},
		{"POST", "", "$httpMethod=PATCH", "PATCH", abi.ClassWrite},
		{"POST", "X-HTTP-Method-Override: DELETE\nX-HTTP-Method: GET", "_method=PUT", "DELETE", abi.ClassDelete},
		{"POST", "", "_method", "", abi.ClassWrite},
		{"POST", "", "_method=", "", abi.ClassWrite},
	} {
		var a Action
		a.Begin()
		for _, h := range strings.Split(c.headers, "\n") {
			if name, value, ok := strings.Cut(h, ": "); ok {
				n, _ := head.NameOf([]byte(name))
				a.Header(n, []byte(name), []byte(value))
			}
		}
		a.parameters([]byte(c.query))
		got := a.class(&Request{Method: []byte(c.method)}, &Raise{})
		if a.override != c.want || got != c.class {
			t.Errorf("%s %q %q: override %q, class %v; want %q, %v", c.method, c.headers, c.query, a.override, got, c.want, c.class)
		}
	}
}

func TestHeaders(t *testing.T) {
	var a Action
	a.Begin()
	for _, h := range []string{"Accept: */*", "Authorization: Bearer x", "COOKIE: a=b", "X-Api-Key: k", "X-My-Token: t", "X-Amz-Signature: s",
		"X-Request-Id: 1", "Author: me", "My_Session: s"} {
		name, value, _ := strings.Cut(h, ": ")
		n, _ := head.NameOf([]byte(name))
		a.Header(n, []byte(name), []byte(value))
	}
	want := []string{"accept: */*", "authorization", "cookie", "x-api-key", "x-my-token", "x-amz-signature", "x-request-id: 1", "author", "my_session"}
	a.endHeaders()
	w := abi.ActionWriter{}
	w.Begin(nil, 0, 0, "")
	before := w.Len()
	w.Strings(fieldHeaders, want)
	if got := a.fields[:a.used]; !bytes.Equal(got, w.End()[before:]) {
		t.Errorf("%q, want %q", got, want)
	}
}

func flattened(p []byte) ([]string, bool) {
	var f flattener
	return f.flatten(p, make([]byte, maxJSON))
}

func TestJSON(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`1`, "=1"},
		{` {"a": 1.5e+3, "b": [true, null, "x\ty"], "c": {}, "d": []} `, "/a=1.5e+3 /b/0=true /b/1=null /b/2=x\ty /c={} /d=[]"},
		{`{"a/b~c=d": "e=f"}`, "/a~1b~0c~2d=e=f"},
		{`{"\u0061": "\ud83d\ude00"}`, "/a=😀"},
		{`{"a": {"b": 1}, "c": {"b": 2}}`, "/a/b=1 /c/b=2"},
		{`[[1],[2]]`, "/0/0=1 /1/0=2"},
		{`"a b"`, "=a b"},
	} {
		got, ok := flattened([]byte(c.text))
		if !ok || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v; want %q", c.text, got, ok, c.want)
		}
	}
	for _, text := range []string{``, `{`, `{"a":1,}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{'a':1}`, `{a:1}`, `[1 2]`, `01`, `+1`, `.5`, `1.`, `NaN`,
		`{"a":1} x`, `{"a":1}{"a":2}`, `"\ud800"`, `"\x"`, "\"a\nb\"", `[1,]`, `// c` + "\n1", `tru`, `-`,
		strings.Repeat("[", 100) + strings.Repeat("]", 100), "[" + strings.Repeat("1,", 300) + "1]"} {
		if got, ok := flattened([]byte(text)); ok {
			t.Errorf("%s is read as %q", text, got)
		}
	}
}

// What is read is JSON, and has the values that encoding/json finds.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a": [1, {"b": "c"}], "d": null}`))
	f.Add([]byte(`[[],{},"\u00e4",-1.5e3]`))
	f.Fuzz(func(t *testing.T, p []byte) {
		got, ok := flattened(p)
		if !ok || !validText(p) {
			return
		}
		var v any
		d := json.NewDecoder(strings.NewReader(string(p)))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%q is read as %q: %v", p, got, err)
		}
		want := values(nil, "", v)
		slices.Sort(want)
		sorted := slices.Clone(got)
		slices.Sort(sorted)
		if !slices.Equal(sorted, want) {
			t.Fatalf("%q is read as %q, encoding/json has %q", p, sorted, want)
		}
	})
}

func values(out []string, at string, v any) []string {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return append(out, at+"={}")
		}
		for k, e := range v {
			out = values(out, at+"/"+strings.NewReplacer("~", "~0", "/", "~1", "=", "~2").Replace(k), e)
		}
		return out
	case []any:
		if len(v) == 0 {
			return append(out, at+"=[]")
		}
		for i, e := range v {
			out = values(out, fmt.Sprintf("%s/%d", at, i), e)
		}
		return out
	case nil:
		return append(out, at+"=null")
	}
	return append(out, fmt.Sprintf("%s=%v", at, v))
}

func TestOptions(t *testing.T) {
	for text, want := range map[string]string{
		"":             "",
		"POST=execute": "",
		"POST":         "not METHOD=class",
		"post=execute": "not METHOD=class",
		"POST=grave":   "not a class",
		"DELETE=read":  "cannot be lowered",
	} {
		_, err := ParseRaise(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("raise %q: %v, want %q", text, err, want)
		}
	}
	a, err := ParseAuthorities(" other.example:8080  [::1] Third ")
	if err != nil {
		t.Fatal(err)
	}
	for authority, want := range map[string]bool{"api": true, "API:80": true, "other.example:8080": true, "other.example": false, "[::1]": true,
		"[::1]:80": true, "third:1": true, "apix": false, "x.api": false, "other": false} {
		if got := a.Allow([]byte(authority), "api"); got != want {
			t.Errorf("authority %q: %v", authority, got)
		}
	}
	if all, _ := ParseAuthorities("*"); !all.Allow([]byte("anything"), "api") {
		t.Error("* does not allow everything")
	}
	if _, err := ParseAuthorities("http://a"); err == nil {
		t.Error("a URL is taken for an authority")
	}
}

func TestProblemIsJSON(t *testing.T) {
	a := Answer{Status: 403, Title: "Forbidden", Detail: "a \"b\" \\ \n \x00 ä \xff " + strings.Repeat("x", 5000), Rule: "r", Receipt: "1", Hold: "h"}
	var got map[string]any
	if err := json.Unmarshal(AppendProblem(nil, &a), &got); err != nil {
		t.Fatal(err)
	}
	if got["status"] != 403.0 || got["rule"] != "r" || got["hold"] != "h" || !strings.HasPrefix(got["detail"].(string), "a \"b\" \\ \n \x00 ä \ufffd x") {
		t.Errorf("%v", got)
	}
}
