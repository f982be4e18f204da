package layer

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func parsed(t *testing.T, c tls.Certificate) *x509.Certificate {
	t.Helper()
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// TestPins: a pinned key counts beside what the mode asks for.
func TestPins(t *testing.T) {
	ca := newAuthority(t, "ours", nil)
	good, evil, self := ca.serves(t, nil, "db.internal"), ca.serves(t, nil, "db.internal"), selfSigned(t, "ecdsa", x509.ECDSAWithSHA256)
	pin := PinOf(parsed(t, good))
	for _, c := range []struct {
		what        string
		mode        Mode
		pins        []Pin
		certificate tls.Certificate
		want        string
	}{
		{"the key", Require, []Pin{pin}, good, ""},
		{"one of two keys", Require, []Pin{{1}, pin}, good, ""},
		{"the key, verified", VerifyFull, []Pin{pin}, good, ""},
		{"the key of what signs itself", Require, []Pin{PinOf(parsed(t, self))}, self, ""},
		{"the key of what signs itself, to be verified", VerifyFull, []Pin{PinOf(parsed(t, self))}, self, "signed by itself"},
		{"another key of the same name and CA", Require, []Pin{pin}, evil, "another key than the one that is pinned"},
		{"the same, verified", VerifyFull, []Pin{pin}, evil, PinOf(parsed(t, evil)).String()},
		{"the same, verify-ca", VerifyCA, []Pin{pin}, evil, "pinned is " + pin.String()},
		{"its CA's key", Require, []Pin{PinOf(ca.Certificate)}, good, "another key"},
	} {
		near, far := pair(t)
		upstream(t, far, &tls.Config{Certificates: []tls.Certificate{c.certificate}})
		k, err := Client(wait(t), near, ClientOptions{Mode: c.mode, Roots: ca.pool(), Name: "db.internal", Pins: c.pins})
		switch {
		case c.want == "" && err == nil:
			echoes(t, k, "hello")
		case c.want == "" || err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v", c.what, err)
		}
		near.Abort()
	}
	again, err := ParsePin(pin.String())
	if err != nil || again != pin {
		t.Errorf("read again: %v, %v", again, err)
	}
	for _, bad := range []string{"", "sha256/", "sha256/AAAA", "sha1/" + pin.String()[7:], pin.String()[7:], pin.String() + "="} {
		if _, err := ParsePin(bad); err == nil {
			t.Errorf("the pin %q", bad)
		}
	}
}

// files writes a certificate and its key as an operator would.
func files(t *testing.T, c tls.Certificate, more ...*x509.Certificate) (path string, key []byte) {
	t.Helper()
	var b bytes.Buffer
	b.Write(encode(c.Certificate[0]))
	for _, m := range more {
		b.Write(encode(m.Raw))
	}
	path = filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, keyText(t, c.PrivateKey)
}

func keyText(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// TestMutual: an upstream that asks for a certificate gets the one that is configured.
func TestMutual(t *testing.T) {
	ca, clients := newAuthority(t, "ours", nil), newAuthority(t, "clients", nil)
	forClients := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	path, key := files(t, clients.serves(t, forClients))
	identity, err := ReadIdentity(path, key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, max := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server := &tls.Config{Certificates: []tls.Certificate{ca.serves(t, nil, "db.internal")}, MaxVersion: max, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients.pool()}
		near, far := pair(t)
		upstream(t, far, server)
		k, err := Client(wait(t), near, ClientOptions{Mode: VerifyFull, Roots: ca.pool(), Name: "db.internal", Certificate: identity})
		if err != nil {
			t.Fatal(err)
		}
		echoes(t, k, "hello")
		// Without one, the upstream refuses: with TLS 1.3 behind the handshake.
		near, far = pair(t)
		upstream(t, far, server)
		k, err = Client(wait(t), near, ClientOptions{Mode: VerifyFull, Roots: ca.pool(), Name: "db.internal"})
		if err == nil {
			_, err = k.Read(make([]byte, 1))
		}
		if err == nil || errors.Is(err, io.EOF) {
			t.Errorf("without a certificate: %v", err)
		}
		near.Abort()
	}
}

// TestReadIdentity: what does not fit together, and errors without a key in them.
func TestReadIdentity(t *testing.T) {
	ca := newAuthority(t, "ours", nil)
	middle := newAuthority(t, "middle", ca)
	mine := middle.serves(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	path, key := files(t, mine, middle.Certificate)
	if c, err := ReadIdentity(path, key, time.Now()); err != nil || len(c.Certificate) != 2 {
		t.Errorf("the twin: %v", err)
	}
	disordered, _ := files(t, mine, ca.Certificate, middle.Certificate)
	server, serverKey := files(t, middle.serves(t, nil, "db.internal"))
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	withKey := filepath.Join(t.TempDir(), "with-key")
	if err := os.WriteFile(withKey, append(encode(mine.Certificate[0]), key...), 0o600); err != nil {
		t.Fatal(err)
	}
	weakKey := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}})
	for _, c := range []struct {
		what, path string
		key        []byte
		now        time.Time
		want       string
	}{
		{"another key", path, serverKey, time.Now(), "not the certificate of this key"},
		{"too late", path, key, time.Now().Add(48 * time.Hour), "is valid from"},
		{"a server's", server, serverKey, time.Now(), "not for clients"},
		{"out of order", disordered, key, time.Now(), "put them in order"},
		{"no certificate", empty, key, time.Now(), "no certificate in PEM"},
		{"a key among the certificates", withKey, key, time.Now(), "only certificates belong there"},
		{"no file", path + "x", key, time.Now(), "no such file"},
		{"a folder", t.TempDir(), key, time.Now(), "not a regular file"},
		{"no key", path, []byte("secret"), time.Now(), "no private key in PEM"},
		{"a locked key", path, weakKey, time.Now(), "locked with a password"},
		{"half a key", path, key[:len(key)/2], time.Now(), "no private key in PEM"},
		{"a broken key", path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}), time.Now(), "no private key in PEM"},
	} {
		_, err := ReadIdentity(c.path, c.key, c.now)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestSupplied: agents that trust the last certificate of the file trust what the gateway shows.
func TestSupplied(t *testing.T) {
	root := newAuthority(t, "root", nil)
	middle := newAuthority(t, "middle", root)
	single := tls.Certificate{Certificate: [][]byte{root.Raw}, PrivateKey: root.key}
	chained := tls.Certificate{Certificate: [][]byte{middle.Raw}, PrivateKey: middle.key}
	for what, c := range map[string]struct {
		own  tls.Certificate
		more []*x509.Certificate
		sent int
	}{"a root": {single, nil, 1}, "an intermediate": {chained, []*x509.Certificate{root.Certificate}, 2}, "an intermediate alone": {chained, nil, 2}} {
		path, key := files(t, c.own, c.more...)
		ca, err := Supplied(path, key)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		agent, gateway, err := secured(t, ca, ServerOptions{Names: []string{"prod-db", "10.89.128.7"}}, &tls.Config{ServerName: "prod-db", RootCAs: ca.pool()})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if n := len(agent.ConnectionState().PeerCertificates); n != c.sent {
			t.Errorf("%s: the agent was sent %d certificates", what, n)
		}
		agent.Close()
		gateway.Close()
	}
	path, key := files(t, single)
	leafPath, leafKey := files(t, root.serves(t, nil, "db.internal"))
	otherPath, _ := files(t, tls.Certificate{Certificate: [][]byte{newAuthority(t, "other", nil).Raw}, PrivateKey: root.key})
	for what, c := range map[string]struct {
		path string
		key  []byte
		want string
	}{
		"another CA's": {otherPath, key, "not the certificate of this key"},
		"a leaf":       {leafPath, leafKey, "not the certificate of a CA"},
		"no key":       {path, []byte("secret"), "no private key in PEM"},
		"no file":      {path + "x", key, "no such file"},
	} {
		if _, err := Supplied(c.path, c.key); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// What the CA may not sign for is found before an agent finds it.
	bounded := &x509.Certificate{}
	*bounded = *root.Certificate
	bounded.PermittedDNSDomains, bounded.PermittedDNSDomainsCritical = []string{"agents.example"}, true
	c := sign(t, bounded, bounded, root.key.Public(), root.key)
	path, key = files(t, tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: root.key})
	ca, err := Supplied(path, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Leaf("db.agents.example"); err != nil {
		t.Errorf("a name that it may sign for: %v", err)
	}
	if _, err := ca.Leaf("prod-db"); err == nil || !strings.Contains(err.Error(), "cannot sign for this name") {
		t.Errorf("a name that it may not sign for: %v", err)
	}
}
