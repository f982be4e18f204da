package client

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// testCA is an authority, its certificate in PEM first.
func testCA(t testing.TB, name string) ([]byte, *x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), c, key
}

// trusting runs a truster over files and variables in memory, and returns what each variable names.
func trusting(t *testing.T, ca []byte, env map[string]string, files map[string][]byte) (set, contents map[string]string, notes []string) {
	t.Helper()
	written := map[string]string{}
	tr := &truster{
		lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		read: func(path string) ([]byte, error) {
			if b, ok := files[path]; ok {
				return b, nil
			}
			return nil, errors.New("no such file")
		},
		write: func(name string, data []byte) (string, error) {
			written["/run/sallyport/"+name] = string(data)
			return "/run/sallyport/" + name, nil
		},
	}
	set, notes, err := tr.trust(ca)
	if err != nil {
		t.Fatal(err)
	}
	contents = map[string]string{}
	for name, value := range set {
		contents[name] = written[value]
	}
	return set, contents, notes
}

func TestTrust(t *testing.T) {
	ca, _, _ := testCA(t, "gateway")
	system, _, _ := testCA(t, "system")
	corp, _, _ := testCA(t, "corp")
	files := map[string][]byte{systemRoots[0]: system, systemRoots[1]: corp}
	set, contents, notes := trusting(t, ca, nil, files)
	if len(notes) != 0 {
		t.Errorf("notes: %q", notes)
	}
	for _, v := range trustVariables {
		want := string(system) + string(ca)
		if v.adds {
			want = string(ca)
		}
		if contents[v.name] != want {
			t.Errorf("%s: %s", v.name, contents[v.name])
		}
	}
	if contents[CAVariable] != string(ca) || set[javaVariable] != "-Djavax.net.ssl.trustStore=/run/sallyport/roots.jks -Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword=changeit" {
		t.Errorf("%q", set)
	}
	// Without roots of the system there is still the CA.
	if _, contents, _ := trusting(t, ca, nil, nil); contents["SSL_CERT_FILE"] != string(ca) {
		t.Error("a system without roots")
	}
}

// TestTrustMerges: what the user has set keeps its meaning.
func TestTrustMerges(t *testing.T) {
	ca, _, _ := testCA(t, "gateway")
	system, _, _ := testCA(t, "system")
	corp, _, _ := testCA(t, "corp")
	other, _, _ := testCA(t, "other")
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("a secret")})
	files := map[string][]byte{systemRoots[0]: system, "/corp.pem": append(append([]byte("# ours\n"), corp...), secret...), "/other.pem": other, "/empty": nil}
	set, contents, notes := trusting(t, ca, map[string]string{
		"CURL_CA_BUNDLE": "/corp.pem", "NODE_EXTRA_CA_CERTS": "/other.pem", "GIT_SSL_CAINFO": "/nowhere.pem", "DENO_CERT": "", "CARGO_HTTP_CAINFO": "/empty",
		javaVariable: "-Xmx1g",
	}, files)
	for name, want := range map[string]string{
		"SSL_CERT_FILE": string(system) + string(ca), "CURL_CA_BUNDLE": string(corp) + string(ca),
		"REQUESTS_CA_BUNDLE": string(corp) + string(ca), "AWS_CA_BUNDLE": string(corp) + string(ca), // they look at curl's
		"NODE_EXTRA_CA_CERTS": string(other) + string(ca),
	} {
		if contents[name] != want {
			t.Errorf("%s: %s", name, contents[name])
		}
	}
	for _, name := range []string{"GIT_SSL_CAINFO", "DENO_CERT", "CARGO_HTTP_CAINFO"} {
		if v, ok := set[name]; ok {
			t.Errorf("%s is set to %s", name, v)
		}
		if !strings.Contains(strings.Join(notes, "\n"), name) {
			t.Errorf("no note about %s: %q", name, notes)
		}
	}
	if !strings.HasPrefix(set[javaVariable], "-Xmx1g -Djavax.net.ssl.trustStore=") || len(notes) != 3 {
		t.Errorf("%s, %q", set[javaVariable], notes)
	}
	if all := strings.Join(mapValues(contents), ""); strings.Contains(all, "PRIVATE KEY") {
		t.Error("a private key was copied where everybody can read it")
	}
	set, _, notes = trusting(t, ca, map[string]string{javaVariable: "-Djavax.net.ssl.trustStore=/mine.jks"}, files)
	if _, ok := set[javaVariable]; ok || len(notes) != 1 {
		t.Errorf("Java's own store: %q, %q", set, notes)
	}
}

func mapValues(m map[string]string) (values []string) {
	for _, v := range m {
		values = append(values, v)
	}
	return values
}

func TestTrustRefuses(t *testing.T) {
	ca, c, key := testCA(t, "gateway")
	leaf := &x509.Certificate{SerialNumber: big.NewInt(3), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, leaf, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "two": append(bytes.Clone(ca), ca...), "a key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}),
		"a broken one": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), "a leaf": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	} {
		if _, _, err := (&truster{}).trust(text); err == nil {
			t.Errorf("%s is trusted", what)
		}
	}
}

// TestKeyStore: Java's own tool reads it.
func TestKeyStore(t *testing.T) {
	one, _, _ := testCA(t, "one")
	two, _, _ := testCA(t, "two")
	store := keyStore(certificates(append(one, two...)))
	if len(store) < 100 || !bytes.HasPrefix(store, []byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 2}) {
		t.Fatalf("%x", store)
	}
	tool, err := exec.LookPath("keytool")
	if err != nil {
		t.Fatal("this machine has no Java: run scripts/deps test")
	}
	path := filepath.Join(t.TempDir(), "roots.jks")
	if err := os.WriteFile(path, store, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "-list", "-v", "-keystore", path, "-storepass", storePassword).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "CN=one") || !strings.Contains(string(out), "CN=two") || !strings.Contains(string(out), "2 entries") {
		t.Errorf("%v: %s", err, out)
	}
}
