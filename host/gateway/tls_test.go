package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

// TestNames: TLS that is for somebody else, or does not say for whom, with a receipt and without an upstream.
func TestNames(t *testing.T) {
	i := newIssuer(t)
	u := newWeb(t, i.server(time.Hour, "h2"))
	at := u.Addr().String()
	w := webs(t, i, webTable("web", at, verified)+webTable("other", at, verified)+webTable("lax", at, verified+"agent_sni = \"optional\"")+allowConnect, speaking("h2"))
	alice := w.alice()
	insecure := func(name string) *tls.Config {
		return &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	}
	for _, c := range []struct {
		to     string
		c      *tls.Config
		reason string
	}{
		{"web", insecure("other"), "another server than this endpoint"},
		{"web", insecure("evil.example"), "another server than this endpoint"},
		{"web", insecure(""), "does not say which server"},
		{"lax", insecure("web"), "another server than this endpoint"},
		{"web", &tls.Config{ServerName: "web", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, "cannot do TLS 1.2"},
	} {
		if _, _, err := browse(t, w, alice, c.to, u, c.c); err == nil {
			t.Errorf("%s as %q", c.to, c.c.ServerName)
		}
		w.find("the refusal of "+c.c.ServerName, func(e *receipt.Entry) bool {
			return e.Kind == receipt.End && e.Endpoint == c.to && strings.Contains(e.Reason, c.reason) && e.Outcome == receipt.OutcomeFailClosed
		})
	}
	if n := u.accepts.Load(); n != 0 {
		t.Errorf("the upstream was reached %d times", n)
	}
	// The twins.
	for _, twin := range []struct{ to, name string }{{"web", "WEB"}, {"web", "web.internal"}, {"lax", ""}} {
		to, name := twin.to, twin.name
		if protocol, line, err := browse(t, w, alice, to, u, insecure(name)); err != nil || protocol != "h2" || line != "proto=h2 client=nobody\n" {
			t.Errorf("%s: %q, %q, %v", to, protocol, line, err)
		}
	}
}

// TestBadWebs: an upstream that cannot be trusted or reached; the agent is told inside of its TLS, in words without names, and the operator all.
func TestBadWebs(t *testing.T) {
	i, rogue := newIssuer(t), newIssuer(t)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	plain := newUpstream(t, nil)
	expired, evil, good := newWeb(t, i.server(-time.Minute, "h2")), newWeb(t, rogue.server(time.Hour, "h2")), newWeb(t, i.server(time.Hour, "h2"))
	leaf, err := x509.ParseCertificate(i.server(time.Hour).Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	wrongPin := fmt.Sprintf("pin = %q\n", layer.PinOf(leaf))
	w := webs(t, i, webTable("expired", expired.Addr().String(), verified)+webTable("evil", evil.Addr().String(), verified)+
		webTable("other-name", good.Addr().String(), "tls = \"verify-full\"\nca = \"ca.pem\"\nserver_name = \"db.internal\"\n")+
		webTable("pinned", good.Addr().String(), verified+wrongPin)+webTable("gone", gone.Addr().String(), verified)+
		webTable("plain", plain.address(), verified)+webTable("good", good.Addr().String(), verified)+allowConnect, speaking("h2", "http/1.1"))
	alice := w.alice()
	for name, c := range map[string]struct {
		u        net.Listener
		told, op string
	}{
		"expired":    {expired, "cannot be trusted: it has expired", "is valid from"},
		"evil":       {evil, "cannot be trusted: it is not from an authority", "give the issuer's certificate in ca"},
		"other-name": {good, "cannot be trusted: it is for another name", "web.internal, not db.internal"},
		"pinned":     {good, "another key than the one that is pinned", "pinned is " + layer.PinOf(leaf).String()},
		"gone":       {gone, "upstream gone refused the connection", gone.Addr().String()},
	} {
		protocol, line, err := browse(t, w, alice, name, c.u, &tls.Config{ServerName: name, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil || !strings.HasPrefix(line, "502 ") || !strings.Contains(line, c.told) || protocol != "h2" || strings.Contains(line, "internal") || strings.Contains(line, "127.0.0.1") {
			t.Errorf("%s: %q, %q, %v", name, protocol, line, err)
		}
		w.find("the end at "+name, func(e *receipt.Entry) bool {
			return e.Kind == receipt.End && e.Endpoint == name && strings.Contains(e.Detail, c.op)
		})
	}
	if _, line, err := browse(t, w, alice, "good", good, &tls.Config{ServerName: "good", NextProtos: []string{"h2"}}); err != nil || line != "proto=h2 client=nobody\n" {
		t.Errorf("the twin: %q, %v", line, err)
	}
	until(t, "the connections to the upstreams have ended", func() bool {
		return evil.accepts.Load() == evil.ended.Load() && good.accepts.Load() == good.ended.Load()
	})
}

// TestAgentLeaves: an upstream that was reached for an agent that leaves is let go.
func TestAgentLeaves(t *testing.T) {
	i := newIssuer(t)
	u := newWeb(t, i.server(time.Hour, "h2"))
	w := webs(t, i, webTable("web", u.Addr().String(), verified)+allowConnect, speaking("h2"))
	alice := w.alice()
	// The agent does not know the CA: it leaves in the middle of its handshake, when the upstream was reached.
	if _, _, err := browse(t, w, alice, "web", u, &tls.Config{ServerName: "web", NextProtos: []string{"h2"}, RootCAs: x509.NewCertPool()}); err == nil {
		t.Error("an agent that trusts nobody")
	}
	w.find("the end", func(e *receipt.Entry) bool {
		return e.Kind == receipt.End && strings.Contains(e.Reason, "the agent refused")
	})
	until(t, "the upstream is let go", func() bool { return u.accepts.Load() == 1 && u.ended.Load() == 1 })
}
