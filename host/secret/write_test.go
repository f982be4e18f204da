package secret

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"
)

// secretOf resolves a value as the gateway would.
func secretOf(t testing.TB, value string) Secret {
	t.Helper()
	if value == "" {
		return Secret{}
	}
	return Secret{ref: Reference{schemeEnv, "TEST"}, reveal: func() []byte { return []byte(value) }}
}

func formOf(t testing.TB, name string) Form {
	t.Helper()
	f, ok := FormOf(name)
	if !ok {
		t.Fatalf("there is no form %s", name)
	}
	return f
}

func TestWrite(t *testing.T) {
	for _, c := range []struct{ form, user, value, want, problem string }{
		{"bearer", "", "abc.DEF-123_~+/=", "Bearer abc.DEF-123_~+/=", ""},
		{"bearer", "", "abc def", "", "holds a blank"},
		{"bearer", "", "abc\r\nHost: evil", "", "control characters"},
		{"bearer", "", "abc\x00", "", "control characters"},
		{"bearer", "", "abc\n", "", "control characters"},
		{"bearer", "", "abcé", "", "beyond ASCII"},
		{"bearer", "", strings.Repeat("x", MaxValue), "", "longer than 8 KiB"},
		{"basic", "Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ""}, // RFC 7617
		{"basic", "test", "123£", "Basic dGVzdDoxMjPCow==", ""},                       // RFC 7617
		{"basic", "", "token", "Basic OnRva2Vu", ""},
		{"basic", "a:b", "x", "", "holds a colon"},
		{"basic", "a\n", "x", "", "the user holds control"},
		{"basic", "a", "x\r\ny", "", "control characters"},
		{"header", "", "Token a b\tc", "Token a b\tc", ""},
		{"header", "", " padded", "", "begins or ends with a blank"},
		{"header", "", "padded\t", "", "begins or ends with a blank"},
		{"header", "", "a\rb", "", "control characters"},
		{"header", "", "a\x7fb", "", "control characters"},
		{"header", "", "naïve", "", "beyond ASCII"},
		{"query", "", "a b&c=d/é?%", "a%20b%26c%3Dd%2F%C3%A9%3F%25", ""},
		{"query", "", "-._~aZ9", "-._~aZ9", ""},
		{"query", "", "a\nb", "", "control characters"},
		{"query", "", strings.Repeat("é", MaxValue/4), "", "longer than 8 KiB"},
		{"clickhouse", "", "pass word", "\x09pass word", ""},
		{"clickhouse", "", strings.Repeat("x", 200), "\xc8\x01" + strings.Repeat("x", 200), ""},
		{"clickhouse", "", "a\x00b", "", "control characters"},
		{"clickhouse", "", strings.Repeat("x", MaxValue), "", "longer than 8 KiB"},
		{"postgres", "", "x", "", "is not written into messages"},
	} {
		f := formOf(t, c.form)
		l := Login{Secret: secretOf(t, c.value), User: c.user}
		b, err := f.Write(l)
		checked := f.Check(l)
		switch {
		case c.problem == "":
			if err != nil || checked != nil || string(b) != c.want {
				t.Errorf("%s of %q: %q, %v, %v", c.form, c.value, b, err, checked)
			}
			if c.form == "query" {
				if back, err := url.QueryUnescape(string(b)); err != nil || back != c.value {
					t.Errorf("%q is read as %q, %v", b, back, err)
				}
			}
		case err == nil || !strings.Contains(err.Error(), c.problem) || len(c.value) > 3 && strings.Contains(err.Error(), c.value) || b != nil:
			t.Errorf("%s of %q: %q, %v", c.form, c.value, b, err)
		case f.Writes() && checked == nil:
			t.Errorf("%s of %q was not found when it was loaded", c.form, c.value)
		}
	}
	if _, err := formOf(t, "bearer").Write(Login{}); err == nil {
		t.Error("no secret at all")
	}
	if _, err := formOf(t, "bearer").Begin(Login{}); err == nil {
		t.Error("a login with a token")
	}
	if _, err := formOf(t, "bearer").Sign(Login{}, &Request{}, time.Now()); err == nil {
		t.Error("a signature with a token")
	}
}

func TestEchoes(t *testing.T) {
	for form, want := range map[string][]string{
		"bearer": {"s3cr3t", "s3cr3t"}, "basic": {"s3cr3t", base64.StdEncoding.EncodeToString([]byte("me:s3cr3t"))}, "header": {"s3cr3t", "s3cr3t"},
		"query": {"s3cr3t", "s3cr3t"}, "clickhouse": {"s3cr3t", "\x06s3cr3t"}, "aws-sigv4": {"s3cr3t"}, "postgres": {"s3cr3t"},
	} {
		var got []string
		for _, e := range formOf(t, form).Echoes(Login{Secret: secretOf(t, "s3cr3t"), User: "me"}) {
			got = append(got, string(e))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q", form, got)
		}
	}
}

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func awsLogin(t testing.TB, key, region, service string) Login {
	attributes := map[string]string{awsKeyID: "AKIDEXAMPLE", awsRegion: region, awsService: service}
	if service == "s3" {
		attributes[awsKeyID] = "AKIAIOSFODNN7EXAMPLE"
	}
	return Login{Secret: secretOf(t, key), Attribute: func(n string) string { return attributes[n] }}
}

// TestSigV4 are vectors of AWS: its test suite for Signature Version 4, and the examples of S3's documentation.
func TestSigV4(t *testing.T) {
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	suite := awsLogin(t, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
	s3 := awsLogin(t, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3")
	s3at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what, request, want string
		l                   Login
		at                  time.Time
	}{
		{"get-vanilla", "GET\nexample.amazonaws.com\n/\n" + emptyHash + "\n", "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", suite, at},
		{"get-vanilla-query-order-key-case", "GET\nexample.amazonaws.com\n/?Param2=value2&Param1=value1\n" + emptyHash + "\n", "Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500", suite, at},
		{"post-vanilla", "POST\nexample.amazonaws.com\n/\n" + emptyHash + "\n", "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", suite, at},
		{"S3 GET object", "GET\nexamplebucket.s3.amazonaws.com\n/test.txt\n" + emptyHash + "\nrange:bytes=0-9\n", "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", s3, s3at},
		{"S3 PUT object", "PUT\nexamplebucket.s3.amazonaws.com\n/test%24file.text\n44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\ndate:Fri, 24 May 2013 00:00:00 GMT\nx-amz-storage-class:REDUCED_REDUNDANCY\n", "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd", s3, s3at},
		{"S3 list", "GET\nexamplebucket.s3.amazonaws.com\n/?max-keys=2&prefix=J\n" + emptyHash + "\n", "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", s3, s3at},
	} {
		r, err := ParseRequest([]byte(c.request))
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		s, err := formOf(t, "aws-sigv4").Sign(c.l, r, c.at)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if v := string(s.Value(0)); s.Names()[0] != "authorization" || !strings.HasSuffix(v, c.want) {
			t.Errorf("%s: %s", c.what, v)
		}
		if s.Names()[1] != "x-amz-date" || string(s.Value(1)) != c.at.Format("20060102T150405Z") {
			t.Errorf("%s: %q", c.what, s.Names())
		}
		if text := fmt.Sprintf("%v %+v %#v %v", s, *s, s, struct{ s *Signed }{s}); strings.Contains(text, "Signature=") {
			t.Errorf("it prints as %s", text)
		}
	}
	with := suite
	with.Token = secretOf(t, "session-token")
	r := &Request{Method: "GET", Authority: "example.amazonaws.com", Target: "/", BodyHash: emptyHash}
	s, err := formOf(t, "aws-sigv4").Sign(with, r, at)
	if err != nil || s.Names()[2] != "x-amz-security-token" || string(s.Value(2)) != "session-token" || !strings.Contains(string(s.Value(0)), "x-amz-security-token") {
		t.Errorf("a temporary key: %v, %v", s, err)
	}
	r.BodyHash = UnsignedPayload
	if _, err := formOf(t, "aws-sigv4").Sign(suite, r, at); err == nil || !strings.Contains(err.Error(), "wants the hash") {
		t.Errorf("an unsigned body: %v", err)
	}
	if s, err := formOf(t, "aws-sigv4").Sign(s3, r, at); err != nil || string(s.Value(2)) != UnsignedPayload {
		t.Errorf("an unsigned body for S3: %v", err)
	}
	without := suite
	without.Attribute = nil
	if err := formOf(t, "aws-sigv4").Check(without); err == nil || !strings.Contains(err.Error(), "needs access_key_id") {
		t.Errorf("without attributes: %v", err)
	}
	if err := formOf(t, "aws-sigv4").Check(awsLogin(t, "two\nlines", "us-east-1", "s3")); err == nil || strings.Contains(err.Error(), "two") {
		t.Errorf("a key of two lines: %v", err)
	}
	if err := formOf(t, "aws-session-token").Check(Login{Secret: secretOf(t, "to ken")}); err == nil {
		t.Error("a token with a blank")
	}
}

// TestWrittenValuesDoNotPrint: no error, log line or dump holds what a form makes of a secret.
func TestWrittenValuesDoNotPrint(t *testing.T) {
	const canary = "canary-9f3e\r\n"
	l := Login{Secret: secretOf(t, canary), User: "me", Attribute: func(string) string { return "x" }, Token: secretOf(t, canary)}
	var b strings.Builder
	log := slog.New(slog.NewJSONHandler(&b, nil))
	for _, f := range Forms() {
		_, err := f.Write(l)
		_, signing := f.Sign(l, &Request{Method: "GET", Authority: "a", Target: "/", BodyHash: emptyHash}, time.Now())
		err = errors.Join(err, signing, f.Check(l))
		dump, _ := json.Marshal(l.Secret)
		log.Error("failed", "error", err, "login", l, "form", f.Name)
		fmt.Fprintf(&b, "%v %+v %#v %s %s", err, l, l, dump, f.Name)
	}
	if strings.Contains(b.String(), "canary-9f3e") {
		t.Errorf("%s", b.String())
	}
}

func TestParseRequest(t *testing.T) {
	good := "GET\na.example:8443\n/a%2Fb?c=d\n" + emptyHash + "\ncontent-type:text/plain; a=b\n"
	r, err := ParseRequest([]byte(good))
	if err != nil || r.Method != "GET" || r.Authority != "a.example:8443" || r.Target != "/a%2Fb?c=d" || len(r.Header) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	for what, bad := range map[string]string{
		"empty": "", "no end": good[:len(good)-1], "no hash": "GET\na\n/\n", "a bad method": strings.Replace(good, "GET", "G T", 1),
		"another authority": strings.Replace(good, "a.example", "a@b", 1), "no path": strings.Replace(good, "/a", "a", 1),
		"a fragment": strings.Replace(good, "?c", "#c", 1), "a short hash": strings.Replace(good, "e3b0", "", 1), "upper case": strings.Replace(good, "e3b0", "E3B0", 1),
		"its own header": good + "authorization:x\n", "host": good + "host:x\n", "an upper-case name": good + "A:x\n", "no colon": good + "a\n", "a CR": good + "a:b\r\n",
		"many": good + strings.Repeat("a:b\n", maxHeaders), "long": good + "a:" + strings.Repeat("b", maxRequest) + "\n", "a blank in the target": strings.Replace(good, "?c", "? c", 1),
	} {
		if r, err := ParseRequest([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte("GET\nexample.amazonaws.com\n/?a=b\n" + emptyHash + "\nrange:bytes=0-9\n"))
	f.Add([]byte("PUT\na\n/%\n" + UnsignedPayload + "\n"))
	f.Add([]byte("PUT\na\n//..//?&&=;\n" + UnsignedPayload + "\n"))
	l := awsLogin(f, "key", "us-east-1", "s3")
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRequest(b)
		if err != nil {
			return
		}
		s, err := awsForm().Sign(l, r, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Names() {
			if control(s.Value(i)) || len(s.Value(i)) == 0 {
				t.Fatalf("%s: %q", s.Names()[i], s.Value(i))
			}
		}
	})
}
