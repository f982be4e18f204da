package aws

import (
	"strings"
	"testing"
)

func TestQuery(t *testing.T) {
	for query, want := range map[string]string{
		"":                                   "",
		"a=1&b=2":                            "a=1&b=2",
		"X-Amz-Signature=1":                  "",
		"X-Amz-Signature=1&a":                "a",
		"a&X-Amz-Signature=1":                "a",
		"a&X-Amz-Date=1&X-Amz-Signature=1&b": "a&b",
		"X-Amz-Date=1&X-Amz-Signature=1&b&X-Amz-Expires=9": "b",
		"X%2DAmz-Signature=1&a=X-Amz-Signature":            "a=X-Amz-Signature",
		"X-Amz-Signatures=1&x-amz-acl=private":             "X-Amz-Signatures=1&x-amz-acl=private",
		"&&X-Amz-Date&":                                    "&&",
	} {
		if got := string(AppendQuery(nil, []byte(query))); got != want {
			t.Errorf("%q is %q, want %q", query, got, want)
		}
	}
}

func TestHash(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	objects, plain, other := New("s3", true), New("s3", false), New("dynamodb", true)
	some := strings.Repeat("0a", 32)
	for _, c := range []struct {
		s       Signer
		given   string
		body    bool
		hash    string
		read    bool
		problem Problem
	}{
		{objects, "", false, empty, false, ""},
		{objects, some, false, empty, false, ""},
		{other, unsigned, false, empty, false, ""},
		{objects, "", true, unsigned, false, ""},
		{plain, "", true, unsigned, true, ""},
		{objects, some, true, some, false, ""},
		{objects, strings.ToUpper(some), true, unsigned, false, ""},
		{plain, unsigned, true, unsigned, false, ""},
		{objects, trailer, true, trailer, false, ""},
		{objects, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", true, "", false, SignedChunks},
		{objects, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true, "", false, SignedChunks},
		{other, some, true, "", true, ""},
	} {
		hash, read, problem := c.s.Hash([]byte(c.given), c.body)
		if hash != c.hash || read != c.read || problem != c.problem {
			t.Errorf("%+v: %q %v %q", c, hash, read, problem)
		}
	}
}

func TestText(t *testing.T) {
	var x Text
	x.Begin([]byte("PUT"), []byte("b.s3"), nil, []byte("X-Amz-Date=1&acl"), "hash")
	for _, f := range []string{"X-Amz-Acl:private", "X-Amz-Date:1", "x_amz_date:1", "Content-Type:text/plain", "X-Other:1", "X-Amz-:1", "x-amz-meta-a:b: c"} {
		name, value, _ := strings.Cut(f, ":")
		x.Field([]byte(name), []byte(value))
	}
	want := "PUT\nb.s3\n/?acl\nhash\nx-amz-acl:private\ncontent-type:text/plain\nx-amz-meta-a:b: c\n"
	if b, problem := x.Bytes(); string(b) != want || problem != "" {
		t.Errorf("%q %q", b, problem)
	}
	for range maxFields {
		x.Field([]byte("x-amz-meta-a"), []byte("1"))
	}
	if _, problem := x.Bytes(); problem != LongFields {
		t.Errorf("too many: %q", problem)
	}
	x.Begin([]byte("GET"), []byte("h"), []byte("/"+strings.Repeat("a", MaxText)), nil, "")
	if _, problem := x.Bytes(); problem != LongFields {
		t.Errorf("too long: %q", problem)
	}
}

// FuzzQuery: what is left has no signature, and removing again removes nothing.
func FuzzQuery(f *testing.F) {
	f.Add("a&X-Amz-Date=1&X-Amz-Signature=1&b")
	f.Add("X-Amz-Signature&&%58-Amz-Date")
	f.Fuzz(func(t *testing.T, query string) {
		once := AppendQuery(nil, []byte(query))
		for p := range strings.SplitSeq(string(once), "&") {
			if Parameter([]byte(p)) {
				t.Errorf("%q leaves %q", query, p)
			}
		}
		if again := AppendQuery(nil, once); string(again) != string(once) {
			t.Errorf("%q, and again %q", once, again)
		}
	})
}
