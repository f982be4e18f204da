package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// signer is the host's part: the form of the slot, with the real key.
func signer(t *testing.T, service, token string) slots {
	t.Helper()
	secretOf := func(value string) secret.Secret {
		if value == "" {
			return secret.Secret{}
		}
		t.Setenv("SIGV4_TEST", value)
		r, err := secret.ParseReference("env:SIGV4_TEST", "/")
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		_ = os.Unsetenv("SIGV4_TEST")
		return s
	}
	form, _ := secret.FormOf("aws-sigv4")
	l := secret.Login{Secret: secretOf(awsKey), Token: secretOf(token), Attribute: func(name string) string {
		return map[string]string{"access_key_id": awsKeyID, "region": "eu-central-1", "service": service}[name]
	}}
	return slots{sign: func(slot int, as abi.SignAs, number uint32, request []byte) ([]byte, error) {
		if (&session.Plugin{}).Manifest().Slots[slot].Form != form.Name {
			return nil, errNot
		}
		r, err := secret.ParseRequest(request)
		if err != nil {
			return nil, err
		}
		signed, err := form.Sign(l, r, time.Now())
		switch {
		case err != nil:
			return nil, err
		case as == abi.SignFrame:
			return signed.AppendFrame(nil, number)
		}
		return signed.AppendFields(nil), nil
	}}
}

// awsGateway is a gateway with a key of AWS before a server that verifies.
func awsGateway(t *testing.T, service, token string, decide func(*abi.Action) gate.Verdict) (*gateway, *awsServer) {
	t.Helper()
	h := &awsServer{service: service, token: token}
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	g := gatewayTo(t, s.Listener.Addr().String(), map[string]any{"h2c": true}, decide)
	g.has(func(f *abi.Facts) {
		f.Slots = []string{"secret_access_key"}
		if token != "" {
			f.Slots = append(f.Slots, "session_token")
		}
		f.Attributes = []abi.Attribute{{Name: "access_key_id", Value: awsKeyID}, {Name: "region", Value: "eu-central-1"}, {Name: "service", Value: service}}
	}, signer(t, service, token))
	return g, h
}

// agents are clients that sign with a key that means nothing, as an SDK does that is given placeholders.
func agents(t *testing.T) map[string]*http.Client {
	two := &http.Transport{Protocols: new(http.Protocols)}
	two.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(two.CloseIdleConnections)
	return map[string]*http.Client{"1.1": client(t), "2": {Transport: two, Timeout: patience}}
}

var dummy = aws.Credentials{AccessKeyID: "AKIAPLACEHOLDER", SecretAccessKey: "placeholder", SessionToken: "placeholder"}

// dummySigned makes a request that the SDK's signer has signed with the placeholders. hash is what stands for the body; empty: its own.
func dummySigned(t *testing.T, method, url, service, hash string, body []byte, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	if hash == "" {
		hash = sum(body)
	}
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), dummy, r, hash, service, "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func do(t *testing.T, c *http.Client, r *http.Request) (status int, body string) {
	t.Helper()
	res, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.StatusCode, string(b)
}

// TestSigV4: what agents sign with keys that mean nothing arrives signed with the real one, in a way that a server verifies.
func TestSigV4(t *testing.T) {
	chunked := "5;x=1\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
	for _, token := range []string{"", awsToken} {
		for _, c := range []struct {
			name, method, path, service, hash, body string
			header                                  []string
		}{
			{"an object", "GET", "/k", "s3", "", "", nil},
			{"a list", "GET", "/?list-type=2&prefix=a%2Fb%20c&max-keys=2&delimiter=%2F", "s3", "", "", nil},
			{"odd characters", "GET", "/a%20b/%C3%A4/~x%2By", "s3", "", "", nil},
			{"a flag", "GET", "/?acl", "s3", "", "", nil},
			{"upload with a hash", "PUT", "/k", "s3", "", "hello", []string{"Content-Type", "text/plain", "X-Amz-Meta-Who", "a  b", "X-Amz-Acl", "private"}},
			{"upload without one", "PUT", "/k", "s3", "UNSIGNED-PAYLOAD", strings.Repeat("x", 200_000), nil},
			{"upload in S3's chunks", "PUT", "/k", "s3", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", chunked, []string{"X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", "5", "Content-Encoding", "aws-chunked"}},
			{"a table", "POST", "/", "dynamodb", "", `{"TableName":"t"}`, []string{"X-Amz-Target", "DynamoDB_20120810.GetItem", "Content-Type", "application/x-amz-json-1.0"}},
			{"a path that is encoded twice", "GET", "/a%20b/c", "execute-api", "", "", nil},
		} {
			g, h := awsGateway(t, c.service, token, nil)
			for version, agent := range agents(t) {
				before := h.asked()
				status, body := do(t, agent, dummySigned(t, c.method, g.url(c.path), c.service, c.hash, []byte(c.body), c.header...))
				if status != 200 || body != fmt.Sprintf("%s %d", c.method, len(c.body)) || h.asked() != before+1 {
					t.Errorf("HTTP/%s, %s: %d %s", version, c.name, status, body)
				}
			}
		}
	}
}

// TestSigV4Presigned: a signature in the query is the agent's, and goes.
func TestSigV4Presigned(t *testing.T) {
	g, h := awsGateway(t, "s3", "", nil)
	for version, agent := range agents(t) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", g.url("/k?versionId=7&X-Amz-Expires=900"), nil)
		if err != nil {
			t.Fatal(err)
		}
		uri, _, err := v4.NewSigner().PresignHTTP(t.Context(), dummy, r, "UNSIGNED-PAYLOAD", "s3", "us-east-1", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if r, err = http.NewRequestWithContext(t.Context(), "GET", uri, nil); err != nil {
			t.Fatal(err)
		}
		if status, body := do(t, agent, r); status != 200 {
			t.Errorf("HTTP/%s: %d %s", version, status, body)
		}
		if got := h.all()[h.asked()-1].URL.RawQuery; got != "versionId=7" {
			t.Errorf("HTTP/%s: the server got the query %q", version, got)
		}
	}
}

// TestSigV4Long: a body that has to be read for its hash is read, up to a limit, and past it nothing of it arrives.
func TestSigV4Long(t *testing.T) {
	for _, c := range []struct {
		version string
		size    int
		status  int
	}{{"1.1", 700 << 10, 200}, {"1.1", 800 << 10, 413}, {"2", 30 << 10, 200}, {"2", 60 << 10, 413}, {"2", 300 << 10, 413}} {
		for _, counted := range []bool{true, false} {
			g, h := awsGateway(t, "lambda", "", nil)
			r := dummySigned(t, "POST", g.url("/invoke"), "lambda", "", bytes.Repeat([]byte("x"), c.size))
			if !counted {
				r.Body, r.ContentLength, r.GetBody = io.NopCloser(io.MultiReader(r.Body)), -1, nil
			}
			res, err := agents(t)[c.version].Do(r)
			if err != nil { // the gateway may have closed before all of it was written
				if c.status == 200 {
					t.Errorf("HTTP/%s, %d bytes: %v", c.version, c.size, err)
				}
			} else {
				if res.StatusCode != c.status {
					t.Errorf("HTTP/%s, %d bytes, with a length %v: %d, want %d", c.version, c.size, counted, res.StatusCode, c.status)
				}
				res.Body.Close()
			}
			if n := h.asked(); (n == 1) != (c.status == 200) {
				t.Errorf("HTTP/%s, %d bytes: the server was asked %d times", c.version, c.size, n)
			}
		}
	}
}

// TestSigV4Attacks: what cannot be signed again is refused, a body that is not what was signed is found by the server, and what is denied is not signed.
func TestSigV4Attacks(t *testing.T) {
	for version := range agents(t) {
		for name, c := range map[string]struct {
			path, hash string
			status     int
			arrives    bool
		}{
			"chunks that are signed each": {"/k", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 400, false},
			"another body":                {"/k", sum([]byte("another")), 403, true},
			"denied":                      {"/denied", "", 403, false},
			"twin":                        {"/k", "", 200, true},
		} {
			g, h := awsGateway(t, "s3", "", func(a *abi.Action) gate.Verdict {
				if strings.Contains(a.Title, "/denied") {
					return gate.Verdict{Outcome: abi.Deny, Reason: "no"}
				}
				return gate.Verdict{}
			})
			r := dummySigned(t, "PUT", g.url(c.path), "s3", c.hash, []byte("hello"))
			status, body := do(t, agents(t)[version], r)
			if status != c.status || (h.asked() == 1) != c.arrives || strings.Contains(body, awsKey) {
				t.Errorf("HTTP/%s, %s: %d %s, the server was asked %d times", version, name, status, body, h.asked())
			}
			for _, r := range h.all() {
				if a := r.Header.Get("Authorization"); strings.Contains(a, "PLACEHOLDER") || len(r.Header.Values("Authorization")) != 1 {
					t.Errorf("HTTP/%s, %s: %q", version, name, r.Header)
				}
			}
		}
	}
}
