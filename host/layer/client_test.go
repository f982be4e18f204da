package layer

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestVerification goes through every kind of upstream in every mode.
func TestVerification(t *testing.T) {
	ca, other := newAuthority(t, "ours", nil), newAuthority(t, "theirs", nil)
	middle := newAuthority(t, "middle", ca)
	chained := middle.serves(t, nil, "db.internal")
	chained.Certificate = append(chained.Certificate, middle.Raw)
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	early := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }
	client := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	for _, c := range []struct {
		what        string
		certificate tls.Certificate
		name        string
		ca, full    bool // which modes are satisfied, besides require
		wrong       string
	}{
		{"as it should be", ca.serves(t, nil, "db.internal"), "db.internal", true, true, ""},
		{"an address", ca.serves(t, nil, "192.0.2.7"), "192.0.2.7", true, true, ""},
		{"through an intermediate", chained, "db.internal", true, true, ""},
		{"an intermediate that is not sent", middle.serves(t, nil, "db.internal"), "db.internal", false, false, "is not from an authority"},
		{"another name", ca.serves(t, nil, "db.evil"), "db.internal", true, false, "is for another name"},
		{"another address", ca.serves(t, nil, "192.0.2.8"), "192.0.2.7", true, false, "is for another name"},
		{"another CA", other.serves(t, nil, "db.internal"), "db.internal", false, false, "is not from an authority"},
		{"self-signed", selfSigned(t, "ecdsa", x509.ECDSAWithSHA256), "db.internal", false, false, "is signed by itself"},
		{"expired", ca.serves(t, expired, "db.internal"), "db.internal", false, false, "has expired"},
		{"not valid yet", ca.serves(t, early, "db.internal"), "db.internal", false, false, "not valid yet"},
		{"a client's certificate", ca.serves(t, client, "db.internal"), "db.internal", false, false, "is not one of a server"},
	} {
		for mode, want := range map[Mode]bool{Require: true, VerifyCA: c.ca, VerifyFull: c.full} {
			near, far := pair(t)
			upstream(t, far, &tls.Config{Certificates: []tls.Certificate{c.certificate}})
			k, err := Client(wait(t), near, ClientOptions{Mode: mode, Roots: ca.pool(), Name: c.name})
			if want != (err == nil) {
				t.Errorf("%s, mode %d: %v", c.what, mode, err)
			}
			if err == nil {
				echoes(t, k, "hello")
				if i := k.Info(); i.Version != "1.3" {
					t.Errorf("%s: %+v", c.what, i)
				}
				continue
			}
			var e *Error
			if !errors.As(err, &e) || !strings.HasPrefix(e.Reason, "the certificate of the upstream cannot be trusted: it ") || !strings.Contains(err.Error(), c.wrong) || strings.Contains(e.Reason, "internal") || !strings.Contains(err.Error(), "x509: ") {
				t.Errorf("%s, mode %d: the error is %q", c.what, mode, err)
			}
			near.Abort()
		}
	}
}

// TestBadUpstreams: what is no TLS, says nothing, goes away, or is too old.
func TestBadUpstreams(t *testing.T) {
	ca := newAuthority(t, "ours", nil)
	o := ClientOptions{Mode: VerifyFull, Roots: ca.pool(), Name: "db.internal"}
	try := func(what, want string, o ClientOptions, ctx context.Context, far func(tcp)) {
		t.Helper()
		near, k := pair(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			far(k)
		}()
		_, err := Client(ctx, near, o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
		near.Abort()
		<-done
	}
	drain := func(k tcp) { _, _ = io.Copy(io.Discard, k) }
	try("plaintext", "sent something that is no TLS", o, wait(t), func(k tcp) {
		_, _ = k.Write([]byte("E\x00\x00\x00\x20SFATAL\x00C28000\x00Mno pg_hba.conf entry\x00\x00"))
		drain(k)
	})
	try("an end", "ended the connection in the middle", o, wait(t), func(k tcp) {
		_, _ = k.Read(make([]byte, 4096))
		k.CloseWrite()
		drain(k)
	})
	slow := o
	slow.Timeout = 50 * time.Millisecond
	try("silence", "took too long", slow, wait(t), drain)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	try("no time", "context canceled", o, cancelled, drain)
	old := &tls.Config{Certificates: []tls.Certificate{ca.serves(t, nil, "db.internal")}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	try("TLS 1.1", "", o, wait(t), func(k tcp) { _ = tls.Server(k, old).Handshake(); drain(k) })
	try("no TLS wanted", "wants no TLS", ClientOptions{Name: "db.internal"}, wait(t), drain)
	refusing := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("no") }}
	try("a refusal", "refused the TLS handshake", o, wait(t), func(k tcp) { _ = tls.Server(k, refusing).Handshake(); drain(k) })
	// The twin: TLS 1.2 will do.
	near, far := pair(t)
	upstream(t, far, &tls.Config{Certificates: []tls.Certificate{ca.serves(t, nil, "db.internal")}, MaxVersion: tls.VersionTLS12, NextProtos: []string{"b"}})
	o.Protocols = []string{"a", "b"}
	k, err := Client(wait(t), near, o)
	if err != nil {
		t.Fatal(err)
	}
	echoes(t, k, "old but sound")
	if i := k.Info(); i.Version != "1.2" || i.Protocol != "b" {
		t.Errorf("%+v", i)
	}
}

// TestBinding: the hash is that of the signature, and at least SHA-256.
func TestBinding(t *testing.T) {
	type hash = func([]byte) []byte
	sha2 := func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
	sha3 := func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }
	sha5 := func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }
	none := func([]byte) []byte { return nil }
	for _, c := range []struct {
		kind      string
		algorithm x509.SignatureAlgorithm
		want      hash
	}{
		{"rsa", x509.SHA256WithRSA, sha2}, {"rsa", x509.SHA384WithRSA, sha3}, {"rsa", x509.SHA512WithRSA, sha5},
		{"rsa", x509.SHA256WithRSAPSS, sha2}, {"rsa", x509.SHA384WithRSAPSS, sha3},
		{"ecdsa", x509.ECDSAWithSHA256, sha2}, {"ecdsa", x509.ECDSAWithSHA384, sha3}, {"ecdsa", x509.ECDSAWithSHA512, sha5},
		{"ed25519", x509.PureEd25519, none},
	} {
		near, far := pair(t)
		certificate := selfSigned(t, c.kind, c.algorithm)
		upstream(t, far, &tls.Config{Certificates: []tls.Certificate{certificate}})
		k, err := Client(wait(t), near, ClientOptions{Mode: Require, Name: "db.internal"})
		if err != nil {
			t.Fatal(err)
		}
		if got := k.Binding(); !slices.Equal(got, c.want(certificate.Certificate[0])) {
			t.Errorf("%v: %x", c.algorithm, got)
		}
	}
	// Nobody signs with these any more, but their certificates are around.
	for _, old := range []x509.SignatureAlgorithm{x509.SHA1WithRSA, x509.MD5WithRSA, x509.ECDSAWithSHA1} {
		if got := endPoint(&x509.Certificate{Raw: []byte("x"), SignatureAlgorithm: old}); !slices.Equal(got, sha2([]byte("x"))) {
			t.Errorf("%v: %x", old, got)
		}
	}
	for _, unknown := range []x509.SignatureAlgorithm{x509.UnknownSignatureAlgorithm, x509.MD2WithRSA} {
		if got := endPoint(&x509.Certificate{Raw: []byte("x"), SignatureAlgorithm: unknown}); got != nil {
			t.Errorf("%v: %x", unknown, got)
		}
	}
}

func TestReadRoots(t *testing.T) {
	ca, second := newAuthority(t, "ours", nil), newAuthority(t, "theirs", nil)
	one, two := string(encode(ca.Raw)), string(encode(second.Raw))
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("canary")}))
	broken := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("broken")}))
	path := filepath.Join(t.TempDir(), "ca.pem")
	for what, c := range map[string]struct{ text, err string }{
		"one":         {one, ""},
		"two":         {"# ours\n" + one + "\n# theirs\n" + two, ""},
		"nothing":     {"", "holds no certificate"},
		"words":       {"db.internal", "holds no certificate"},
		"a key":       {one + key, "holds a PRIVATE KEY"},
		"half":        {one + broken, "certificate 2"},
		"a cut one":   {one[:len(one)/2], "holds no certificate"},
		"a large one": {strings.Repeat("#\n", MaxRoots), "larger than 4 MiB"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		pool, err := ReadRoots(path)
		if c.err == "" && (err != nil || pool == nil) || c.err != "" && (err == nil || pool != nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := ReadRoots(path + ".missing"); err == nil {
		t.Error("a file that is not there")
	}
	if _, err := ReadRoots(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}
