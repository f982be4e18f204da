//go:build linux

package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// trusted has the gateway give out a CA, and serve https://echo.test with a certificate of it.
func (g *gateway) trusted(t *testing.T) []byte {
	t.Helper()
	text, ca, caKey := testCA(t, "gateway")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(4), DNSNames: []string{"echo.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	g.serveHTTP(t, 80, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != trustPath {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(text)
	})
	g.serveHTTP(t, 443, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/info/refs") { // a repository without anything, for git
			_, _ = io.WriteString(w, strings.Repeat("0", 39)+"1\trefs/heads/found\n")
			return
		}
		_, _ = io.WriteString(w, "inside\n")
	})
	return text
}

func (g *gateway) serveHTTP(t *testing.T, port uint16, secure *tls.Config, handle http.HandlerFunc) {
	t.Helper()
	l, err := g.network.ListenTCPAddrPort(netip.AddrPortFrom(gateway4, port))
	if err != nil {
		t.Fatal(err)
	}
	var listener net.Listener = l
	if secure != nil {
		listener = tls.NewListener(l, secure)
	}
	server := &http.Server{Handler: handle, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: patience}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		server.Close()
		running.Wait()
	})
}

// untrusting is the environment without what the machine of the tests says about trust, and with some more.
func untrusting(more ...string) (env []string) {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		about := name == javaVariable || name == CAVariable || name == "HOME" || name == "SSL_CERT_DIR"
		for _, v := range trustVariables {
			about = about || v.name == name
		}
		if !about {
			env = append(env, entry)
		}
	}
	return append(env, more...)
}

// TestPrograms: real programs trust the gateway's CA in the tunnel, and what they trusted before.
func TestPrograms(t *testing.T) {
	g := startGateway(t)
	g.trusted(t)
	dir := t.TempDir()
	const url = "https://echo.test/"
	for _, c := range []struct {
		program, want string
		args          []string
	}{
		{"curl", "inside", []string{"-sS", "-m", "60", url}},
		{"openssl", "Verify return code: 0 (ok)", []string{"s_client", "-connect", "echo.test:443", "-servername", "echo.test", "-verify_return_error"}},
		{"git", "refs/heads/found", []string{"-c", "protocol.version=0", "ls-remote", url + "repository"}},
		{"python3", "inside", []string{"-c", "import urllib.request; print(urllib.request.urlopen('" + url + "').read().decode())"}},
		{"node", "inside", []string{"-e", "fetch('" + url + "').then(r => r.text()).then(t => console.log(t)).catch(e => { console.log(e.cause); process.exit(1) })"}},
		{"java", "inside", []string{"-XX:TieredStopAtLevel=1", "-cp", dir, "Fetch", url}},
	} {
		t.Run(c.program, func(t *testing.T) {
			path, err := exec.LookPath(c.program)
			if err != nil {
				t.Fatal("this machine has no " + c.program + ": run scripts/deps test")
			}
			if c.program == "java" && !compileJava(t, dir) {
				t.Fatal("this machine has no Java compiler: run scripts/deps test")
			}
			in, err := os.Open(os.DevNull)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			got := g.run(t, Options{Stdin: in, Env: untrusting("HOME=" + dir)}, append([]string{path}, c.args...)...)
			expect(t, got, 0, c.want)
		})
	}
	// The twin: without the variables nobody trusts it.
	if got := g.run(t, Options{Env: untrusting()}, "env", "-u", "SSL_CERT_FILE", "-u", "CURL_CA_BUNDLE", "curl", "-sS", "-m", "60", url); got.code != 60 {
		t.Errorf("without trust: %+v", got)
	}
}

// compileJava makes the class Fetch, outside of the tunnel: that takes longer than running it.
func compileJava(t *testing.T, dir string) bool {
	t.Helper()
	javac, err := exec.LookPath("javac")
	if err != nil {
		return false
	}
	source := filepath.Join(dir, "Fetch.java")
	text := `class Fetch { public static void main(String[] a) throws Exception { System.out.print(new String(new java.net.URL(a[0]).openStream().readAllBytes())); } }`
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(javac, "-nowarn", "-d", dir, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return true
}

// TestTrustInTheTunnel: what the command finds; a variable that is set keeps its meaning, and nothing stays behind on the host.
func TestTrustInTheTunnel(t *testing.T) {
	g := startGateway(t)
	ca := g.trusted(t)
	corp, _, _ := testCA(t, "corp")
	mine := filepath.Join(t.TempDir(), "corp.pem")
	if err := os.WriteFile(mine, corp, 0o600); err != nil {
		t.Fatal(err)
	}
	got := g.run(t, Options{Env: untrusting("CURL_CA_BUNDLE="+mine, "GIT_SSL_CAINFO=/nowhere.pem")},
		"sh", "-c", `cat "$CURL_CA_BUNDLE"; echo; cat "$SALLYPORT_CA"; ls -l "$SSL_CERT_FILE"; echo "git $GIT_SSL_CAINFO"`)
	expect(t, got, 0, string(corp)+string(ca)+"\n"+string(ca)+"-rw-r--r--")
	if !strings.Contains(got.out, "git /nowhere.pem") || !strings.Contains(got.out, "sallyport: note: GIT_SSL_CAINFO stays as it is") {
		t.Errorf("%s", got.out)
	}
	if _, err := os.Stat(ownDir); err == nil {
		t.Errorf("%s is there on the host", ownDir)
	}
}

// TestNoCA: a gateway that gives none out changes nothing and says nothing; one that gives out nonsense is noted.
func TestNoCA(t *testing.T) {
	g := startGateway(t)
	const show = `echo "file ${SSL_CERT_FILE-none}"`
	if got := g.run(t, Options{Env: untrusting()}, "sh", "-c", show); got.out != "file none\n" || got.code != 0 {
		t.Errorf("%+v", got)
	}
	g.serveHTTP(t, 80, nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello\n") })
	if got := g.run(t, Options{Env: untrusting()}, "sh", "-c", show); !strings.Contains(got.out, "file none\n") || !strings.Contains(got.out, "do not trust the gateway's CA") {
		t.Errorf("%+v", got)
	}
}
