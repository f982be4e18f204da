package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// keysOf makes keys of secrets as they stand in an environment.
func keysOf(t testing.TB, values ...string) Keys {
	t.Helper()
	keys, err := NewKeys(secretsOf(t, values...)...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// secretsOf resolves secrets of the given values.
func secretsOf(t testing.TB, values ...string) []secret.Secret {
	t.Helper()
	var list []secret.Secret
	for i, v := range values {
		name := fmt.Sprintf("SALLYPORT_TEST_SECRET_%d", i)
		if err := os.Setenv(name, v); err != nil {
			t.Fatal(err)
		}
		ref, err := secret.ParseReference("env:"+name, "")
		if err != nil {
			t.Fatal(err)
		}
		s, err := ref.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

type vector struct {
	About, Secret, ID, Timestamp, Body, Signature string
	Sign, Verify                                  bool
}

// TestVectors: the specification's own vectors, and what must not verify.
func TestVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	good := 0
	for _, v := range vectors {
		t.Run(v.About, func(t *testing.T) {
			keys := keysOf(t, v.Secret)
			n, err := strconv.ParseInt(v.Timestamp, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			at := time.Unix(n, 0)
			if v.Sign {
				h := http.Header{}
				keys.Sign(h, v.ID, at, []byte(v.Body))
				if got := h.Get(HeaderSignature); got != v.Signature {
					t.Errorf("signature %q, want %q", got, v.Signature)
				}
			}
			m, err := ReadMessage(http.Header{"Webhook-Id": {v.ID}, "Webhook-Timestamp": {v.Timestamp}, "Webhook-Signature": {v.Signature}})
			if err != nil {
				t.Fatal(err)
			}
			if err := keys.Verify(m, []byte(v.Body), at); (err == nil) != v.Verify {
				t.Errorf("Verify: %v, want right: %v", err, v.Verify)
			}
			if v.Verify {
				good++
			}
		})
	}
	if good < 2 {
		t.Errorf("%d vectors verify", good)
	}
}

func TestSeveralKeys(t *testing.T) {
	const a, b, c = "the first secret, long enough", "the second secret, long enough", "whsec_dGhlIHRoaXJkIHNlY3JldCwgbG9uZyBlbm91Z2g="
	now := time.Unix(1700000000, 0)
	body := []byte("{}")
	h := http.Header{}
	keysOf(t, a, b).Sign(h, "msg_1", now, body)
	if n := len(strings.Fields(h.Get(HeaderSignature))); n != 2 {
		t.Fatalf("%d signatures of two keys", n)
	}
	m, err := ReadMessage(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []Keys{keysOf(t, a), keysOf(t, b), keysOf(t, c, b)} {
		if err := k.Verify(m, body, now); err != nil {
			t.Error(err)
		}
	}
	if err := keysOf(t, c).Verify(m, body, now); !errors.Is(err, ErrSignature) {
		t.Errorf("with another key: %v", err)
	}
	if err := (Keys{}).Verify(m, body, now); !errors.Is(err, ErrSignature) {
		t.Errorf("without a key: %v", err)
	}
	if !keysOf(t, a, b).Overlaps(keysOf(t, c, b)) || keysOf(t, a).Overlaps(keysOf(t, c)) {
		t.Error("Overlaps is wrong")
	}
	// The same key in its two forms.
	if !keysOf(t, c).Overlaps(keysOf(t, "the third secret, long enough")) {
		t.Error("whsec_ and raw differ")
	}
}

// TestTimestamps: five minutes in either direction, to the second.
func TestTimestamps(t *testing.T) {
	keys := keysOf(t, "a secret that is long enough to sign")
	at := time.Unix(1700000000, 0)
	h := http.Header{}
	keys.Sign(h, "msg_1", at, nil)
	m, err := ReadMessage(h)
	if err != nil {
		t.Fatal(err)
	}
	for shift, want := range map[time.Duration]error{
		0: nil, Tolerance: nil, -Tolerance: nil, Tolerance + 1: ErrTimestamp, -Tolerance - 1: ErrTimestamp, 200 * 365 * 24 * time.Hour: ErrTimestamp,
	} {
		if err := keys.Verify(m, nil, at.Add(shift)); !errors.Is(err, want) {
			t.Errorf("%s later: %v, want %v", shift, err, want)
		}
	}
	for _, far := range []string{"0", "9223372036854775807", "253402300800"} {
		h := http.Header{"Webhook-Id": {"x"}, "Webhook-Timestamp": {far}}
		list := keysOf(t, "a secret that is long enough to sign").list()
		h.Set(HeaderSignature, "v1,"+signature(list[0], "x", far, nil))
		m, err := ReadMessage(h)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Verify(m, nil, at); !errors.Is(err, ErrTimestamp) {
			t.Errorf("timestamp %s: %v", far, err)
		}
	}
}

func TestBadHeaders(t *testing.T) {
	good := func() http.Header {
		return http.Header{"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {"1700000000"}, "Webhook-Signature": {"v1,x"}}
	}
	if _, err := ReadMessage(good()); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string][][]string{
		HeaderID:        {nil, {""}, {"a", "a"}, {"a.b"}, {"a b"}, {"ä"}, {"a\x00"}, {strings.Repeat("x", maxID+1)}},
		HeaderTimestamp: {nil, {""}, {"1700000000", "1700000000"}, {"+1700000000"}, {"01700000000"}, {"-1"}, {"1.7e9"}, {"99999999999999999999"}, {"0x10"}, {" 1"}},
		HeaderSignature: {nil, {"v1,x", "v1,x"}, {strings.Repeat("v1,x ", maxHeader)}},
	} {
		for _, v := range values {
			h := good()
			h[http.CanonicalHeaderKey(name)] = v
			if _, err := ReadMessage(h); !errors.Is(err, ErrHeaders) {
				t.Errorf("%s %q: %v", name, v, err)
			}
		}
	}
}

func TestWeakSecrets(t *testing.T) {
	for _, v := range []string{"short", "whsec_" + "c2hvcnQ=", "whsec_not base64 but long enough to be a key", strings.Repeat("x", MinSecret-1)} {
		_, err := NewKeys(secretsOf(t, v)...)
		if err == nil {
			t.Errorf("%q is taken for a secret", v)
		} else if strings.Contains(err.Error(), v) {
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
	if _, err := NewKeys(); err == nil {
		t.Error("no secret is none")
	}
	keys := keysOf(t, "a canary that must not be printed")
	if text := fmt.Sprintf("%v %+v %#v %s", keys, keys, keys, keys); strings.Contains(text, "canary") || strings.Contains(text, "63 61 6e") || strings.Contains(text, "99 97 110") {
		t.Errorf("keys print: %s", text)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add("msg_1", "1700000000", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", []byte("{}"))
	f.Add("", "-1", "v1a,x v1, v1,,", []byte(nil))
	f.Add("a.1", "2", "v1,\x00", []byte("2.x"))
	keys := keysOf(f, "a secret that is long enough to sign")
	f.Fuzz(func(t *testing.T, id, stamp, sig string, body []byte) {
		m, err := ReadMessage(http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {sig}})
		if err != nil {
			return
		}
		if err := keys.Verify(m, body, m.Time); err == nil {
			t.Fatalf("%q verifies", sig)
		}
		// What is signed anew verifies, with exactly this ID, time and body.
		h := http.Header{}
		keys.Sign(h, m.ID, m.Time, body)
		again, err := ReadMessage(h)
		if err != nil || again.ID != m.ID || !again.Time.Equal(m.Time) {
			t.Fatalf("%+v became %+v: %v", m, again, err)
		}
		if err := keys.Verify(again, body, m.Time); err != nil {
			t.Fatal(err)
		}
		if err := keys.Verify(again, append(body, '.'), m.Time); err == nil {
			t.Fatal("another body verifies")
		}
	})
}
