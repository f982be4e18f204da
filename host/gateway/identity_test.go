package gateway

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/layer"
)

// person is a certificate that fits any use, with its key.
func person(t *testing.T, name string) (certificate, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: text})
}

// TestClientCertificates: of the endpoint, of the credential, and none; and pins in the certificate's place.
func TestClientCertificates(t *testing.T) {
	i := newIssuer(t)
	c := i.server(time.Hour, "h2")
	c.ClientAuth = tls.RequestClientCert
	u := newWeb(t, c)
	leaf, err := x509.ParseCertificate(c.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := func(name string) string {
		certificate, key := person(t, name)
		write(t, filepath.Join(dir, name+".pem"), certificate)
		write(t, filepath.Join(dir, name+".key"), key)
		return fmt.Sprintf("client_cert = %q\nclient_key = \"file:%s\"\n", filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"))
	}
	at := u.Addr().String()
	w := webs(t, i, webTable("own", at, verified+files("endpoint"))+webTable("nobody", at, verified)+
		webTable("pinned", at, fmt.Sprintf("tls = \"require\"\npin = %q\n", layer.PinOf(leaf)))+
		strings.Replace(webTable("shared", at, verified), `["dev"]`, `{ dev = "who" }`, 1)+"[[credential]]\nname = \"who\"\n"+files("credential")+allowConnect, speaking("h2"))
	alice := w.alice()
	for name, want := range map[string]string{"own": "endpoint", "shared": "credential", "nobody": "nobody", "pinned": "nobody"} {
		_, line, err := browse(t, w, alice, name, u, &tls.Config{ServerName: name, NextProtos: []string{"h2"}})
		if err != nil || line != "proto=h2 client="+want+"\n" {
			t.Errorf("%s: %q, %v", name, line, err)
		}
	}
	if text := w.log.String(); strings.Contains(text, "PRIVATE") {
		t.Error("a key is in the log")
	}
}

// TestBadIdentities: what does not fit is found when the configuration is loaded, with its place and without the key.
func TestBadIdentities(t *testing.T) {
	certificate, key := person(t, "a")
	_, other := person(t, "b")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.pem"), certificate)
	write(t, filepath.Join(dir, "b.key"), other)
	write(t, filepath.Join(dir, "a.key"), key)
	t.Setenv("SALLYPORT_TEST_NOT_A_KEY", canary)
	tables, wants := "[plugins]\npostgres = \"builtin\"\n\n", map[string]string{
		"file:" + filepath.Join(dir, "b.key"):       "is not the certificate of this key",
		"file:" + filepath.Join(dir, "nowhere.key"): "the file does not exist",
		"env:SALLYPORT_TEST_NOT_A_KEY":              "no private key in PEM",
	}
	for key := range wants {
		tables += webTable(fmt.Sprintf("web-%d", len(tables)), "web.internal:443", fmt.Sprintf("tls = \"verify-full\"\nclient_cert = %q\nclient_key = %q\n", filepath.Join(dir, "a.pem"), key))
	}
	_, err := newWorld(t, tables).assemble()
	if err == nil {
		t.Fatal("identities that do not fit")
	}
	for _, want := range wants {
		if text := err.Error(); !strings.Contains(text, want) || !strings.Contains(text, "sallyport.toml:") || strings.Contains(text, canary) {
			t.Errorf("%s: %v", want, err)
		}
	}
	// The operator's CA.
	for _, c := range []struct{ key, want string }{{"a.key", "is not the certificate of a CA"}, {"nowhere.key", "does not exist"}} {
		w := newWorld(t, "")
		text, err := os.ReadFile(w.path)
		if err != nil {
			t.Fatal(err)
		}
		own := fmt.Sprintf("[gateway]\nca_cert = %q\nca_key = \"file:%s\"\n", filepath.Join(dir, "a.pem"), filepath.Join(dir, c.key))
		write(t, w.path, bytes.Replace(text, []byte("[gateway]\n"), []byte(own), 1))
		if _, err := w.assemble(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ca_key %s: %v", c.key, err)
		}
	}
}

// TestOwnCA: agents trust what the operator's CA signs, and are given its certificate.
func TestOwnCA(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(6), Subject: pkix.Name{CommonName: "ours"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	i := newIssuer(t)
	u := newWeb(t, i.server(time.Hour, "h2"))
	w := newWorld(t, "[plugins]\npostgres = \"builtin\"\n\n"+webTable("web", u.Addr().String(), verified)+allowConnect)
	write(t, filepath.Join(w.dir, "ca.pem"), i.ca.PEM)
	write(t, filepath.Join(w.dir, "agents-ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, filepath.Join(w.dir, "agents-ca.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
	file, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.path, bytes.Replace(file, []byte("[gateway]\n"), []byte("[gateway]\nca_cert = \"agents-ca.pem\"\nca_key = \"file:agents-ca.key\"\n"), 1))
	w.change = speaking("h2")
	w.serve()
	alice := w.alice()
	pool := x509.NewCertPool()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(c)
	if _, line, err := browse(t, w, alice, "web", u, &tls.Config{ServerName: "web", NextProtos: []string{"h2"}, RootCAs: pool}); err != nil || line != "proto=h2 client=nobody\n" {
		t.Errorf("%q, %v", line, err)
	}
	a, err := (&http.Client{Timeout: patience, Transport: &http.Transport{DialContext: alice.DialContext, DisableKeepAlives: true}}).Get("http://10.89.0.1/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil || !pool.Equal(poolOf(body)) {
		t.Errorf("agents are given %s, %v", body, err)
	}
	if !w.assembly.warned("expires") {
		t.Error("no warning of a CA that is about to expire")
	}
	if _, err := os.Stat(filepath.Join(w.dir, "state", "ca.key")); err == nil {
		t.Error("a CA was made as well")
	}
	write(t, w.path, file)
	if _, err := w.reloadFile(); err == nil || !strings.Contains(err.Error(), "gateway.ca_key was file:") {
		t.Errorf("another CA while it runs: %v", err)
	}
}

func (a *Assembly) warned(of string) bool {
	return strings.Contains(a.warnings.Error(), of)
}
