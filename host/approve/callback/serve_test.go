package callback

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve/webhook"
)

func TestUse(t *testing.T) {
	s := serverOf(t, &book{})
	err := s.Use([]*webhook.Approver{hook(t, "a", opsSecret), hook(t, "b", dbaNew, opsSecret)}, nil)
	if err == nil || strings.Contains(err.Error(), opsSecret) {
		t.Errorf("two with the same secret: %v", err)
	}
	// Those before are still there.
	if code, _ := serve(s, request(keysOf(t, dbaOld), "h7", "msg_1", time.Now(), goodBody)); code != 200 {
		t.Error(code)
	}
	if err := s.Use(nil, nil); err != nil {
		t.Error(err)
	}
	if code, _ := serve(s, request(keysOf(t, dbaOld), "h7", "msg_2", time.Now(), goodBody)); code != 401 {
		t.Errorf("an approver that is gone decides: %d", code)
	}
}

// running is a server on a listener.
type running struct {
	addr string
	stop func()
}

func run(t *testing.T, s *Server) running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	var once sync.Once
	r := running{l.Addr().String(), func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("Serve: %v", err)
				}
			case <-time.After(generous):
				t.Error("Serve does not return")
			}
		})
	}}
	t.Cleanup(r.stop)
	return r
}

func TestServe(t *testing.T) {
	b := &book{}
	s := serverOf(t, b)
	r := run(t, s)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequest("POST", "http://"+r.addr+"/v1/holds/h7/decision", strings.NewReader(goodBody))
	if err != nil {
		t.Fatal(err)
	}
	keysOf(t, opsSecret).Sign(req.Header, "msg_1", time.Now(), []byte(goodBody))
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || b.count() != 1 {
		t.Errorf("%d, %d votes", resp.StatusCode, b.count())
	}
	// One who sends nothing does not keep it from ending.
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST /v1/holds/h7/decision HTTP/1.1\r\nHost: x\r\nContent-Le"); err != nil {
		t.Fatal(err)
	}
	r.stop()
	if code, _ := serve(s, request(keysOf(t, opsSecret), "h7", "msg_2", time.Now(), goodBody)); code != 503 {
		t.Errorf("after its end it answers %d", code)
	}
}

// TestConnections: connections above the limit wait until others end.
func TestConnections(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limit(inner, 2)
	var accepted atomic.Int64
	conns := make(chan net.Conn, 10)
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			conns <- c
		}
	})
	for range 3 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first := <-conns
	<-conns
	if n := accepted.Load(); n != 2 {
		t.Errorf("%d accepted", n)
	}
	first.Close()
	first.Close() // a second time frees nothing
	third := <-conns
	if n := accepted.Load(); n != 3 {
		t.Errorf("%d accepted", n)
	}
	defer third.Close()
	l.Close()
	done.Wait()
}

// pair writes a certificate for 127.0.0.1 and its key.
func pair(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "approvers"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "a.pem"), filepath.Join(dir, "a.key")
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(c)
	return cert, key, pool
}

func TestTLS(t *testing.T) {
	cert, key, pool := pair(t)
	b := &book{}
	s, err := New(Options{Vote: b.vote, Certificate: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, s)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	resp, err := client.Post("https://"+r.addr+"/v1/holds/h7/decision", "application/json", strings.NewReader(goodBody))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("%d", resp.StatusCode)
	}
	if _, err := New(Options{Vote: b.vote, Certificate: cert, Key: cert}); err == nil {
		t.Error("a certificate passes for a key")
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Vote: b.vote, Certificate: cert, Key: key}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that everybody can read: %v", err)
	}
}

// TestOnlyLoopbackWithoutTLS: a listener that others could hear is refused and closed.
func TestOnlyLoopbackWithoutTLS(t *testing.T) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := serverOf(t, &book{}).Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "needs certificate") {
		t.Errorf("%v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it still listens: %v", err)
	}
}
