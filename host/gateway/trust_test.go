package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// TestTrust: the CA's certificate can be had inside the tunnel, and nothing else.
func TestTrust(t *testing.T) {
	w := served(t, "")
	for peer, agent := range map[string]interface {
		DialContext(context.Context, string, string) (net.Conn, error)
	}{"alice": w.alice(), "bob": w.bob()} {
		client := &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: agent.DialContext, DisableKeepAlives: true}}
		for url, want := range map[string]int{"http://10.89.0.1/ca.pem": 200, "http://10.89.0.1/": 404, "http://10.89.0.1/../state/ca.key": 404, "http://10.89.0.1/ca.key": 404} {
			a, err := client.Get(url)
			if err != nil {
				t.Fatalf("%s: %s: %v", peer, url, err)
			}
			body, err := io.ReadAll(a.Body)
			a.Body.Close()
			if err != nil || a.StatusCode != want || strings.Contains(string(body), "PRIVATE") {
				t.Errorf("%s: %s: %d, %s, %v", peer, url, a.StatusCode, body, err)
			}
			if want == 200 && !w.roots().Equal(poolOf(body)) {
				t.Errorf("%s got %s", peer, body)
			}
		}
		a, err := client.Post("http://10.89.0.1/ca.pem", "text/plain", strings.NewReader("x"))
		if err != nil || a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST: %v, %v", a, err)
		} else {
			a.Body.Close()
		}
		k, err := agent.DialContext(wait(t), "tcp", "10.89.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		_ = k.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(k, "hello\r\n\r\n")
		if b, err := io.ReadAll(k); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 400 ") {
			t.Errorf("no HTTP: %q, %v", b, err)
		}
		k.Close()
	}
}

func poolOf(text []byte) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(text)
	return p
}

// TestPassthrough: agent and upstream speak TLS with each other, and the name that the agent asks for decides.
func TestPassthrough(t *testing.T) {
	i := newIssuer(t)
	u := newWeb(t, i.server(time.Hour, "h2", "http/1.1"))
	at := u.Addr().String()
	table := func(name, profiles string) string {
		return fmt.Sprintf("[[endpoint]]\nname = %q\naddress = %q\nplugin = \"none\"\nprofiles = [%q]\ntls = \"passthrough\"\nserver_name = \"web.internal\"\n\n", name, at, profiles)
	}
	w := newWorld(t, table("web", "dev")+table("shut", "dev")+
		ruleTable("web", `endpoint.name == "web" && connect.tls_name == "web.internal" && "h2" in connect.tls_protocols && connect.tls_version == "1.3"`, "allow", "")+
		ruleTable("web by its name here", `connect.tls_name == "web"`, "allow", ""))
	w.serve()
	alice := w.alice()
	pool := poolOf(i.ca.PEM)
	protocol, line, err := browse(t, w, alice, "web", u, &tls.Config{ServerName: "web.internal", RootCAs: pool, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil || protocol != "h2" || line != "proto=h2 client=nobody\n" {
		t.Fatalf("the agent's own TLS: %q, %q, %v", protocol, line, err)
	}
	d := w.find("the decision", isDecision("web", "allow"))
	if !bytes.Contains(d.Raw, []byte(`"web.internal"`)) || !bytes.Contains(d.Raw, []byte("uninspected")) {
		t.Errorf("the decision does not say what it is about: %s", d.Raw)
	}
	if _, line, err := browse(t, w, alice, "web", u, &tls.Config{ServerName: "web", InsecureSkipVerify: true}); err != nil || line != "proto= client=nobody\n" {
		t.Errorf("the endpoint's name: %q, %v", line, err)
	}
	reached := u.accepts.Load()
	for _, c := range []struct {
		to     string
		c      *tls.Config
		reason string
	}{
		{"web", &tls.Config{ServerName: "evil.example", InsecureSkipVerify: true}, "another server than this endpoint (SNI): evil.example"},
		{"web", &tls.Config{InsecureSkipVerify: true}, "does not say which server"},
		{"web", &tls.Config{ServerName: "web.internal", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "cannot do TLS 1.2"},
		{"web", &tls.Config{ServerName: "web.internal", RootCAs: pool, NextProtos: []string{"http/1.1"}}, "no rule allows this"},
		{"shut", &tls.Config{ServerName: "web.internal", RootCAs: pool, NextProtos: []string{"h2"}}, "no rule allows this"},
	} {
		if _, _, err := browse(t, w, alice, c.to, u, c.c); err == nil {
			t.Errorf("%s as %q", c.to, c.c.ServerName)
		}
		w.find("the end of "+c.c.ServerName, func(e *receipt.Entry) bool { return e.Kind == receipt.End && strings.Contains(e.Reason, c.reason) })
	}
	for text, reason := range map[string]string{"GET / HTTP/1.1\r\n\r\n": "a record of type 71", "\x16\x03\x01\x00\x05": "before it said what it wants"} {
		k := dial(t, alice, "web:"+port(at))
		if _, err := io.WriteString(k, text); err != nil {
			t.Fatal(err)
		}
		if c, ok := k.Conn.(interface{ CloseWrite() error }); ok {
			_ = c.CloseWrite()
		}
		_, _ = k.rest()
		w.find("the end of "+text, func(e *receipt.Entry) bool { return e.Kind == receipt.End && strings.Contains(e.Reason, reason) })
	}
	if n := u.accepts.Load(); n != reached {
		t.Errorf("the upstream was reached %d times by what was refused", n-reached)
	}
}
