package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math"
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

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/test/pgserver"
)

// tlsFirst is a plugin whose connections begin with TLS: it asks for the connection, begins TLS with the agent, dials, begins TLS with
// the upstream and then lets everything pass. What is wrong it tells the agent in a line.
type tlsFirst struct {
	manifest *abi.Manifest
	late     bool // it begins TLS with the agent before it asks
}

func (p *tlsFirst) newGuest(context.Context) (gate.Guest, error) {
	return &tlsFirst{p.manifest, p.late}, nil
}
func (p *tlsFirst) Close()             {}
func (p *tlsFirst) InputCapacity() int { return abi.MinBuffer }

func (p *tlsFirst) Open([]byte) ([]byte, bool, error) {
	if p.late {
		return abi.AppendTLS(nil, abi.Agent), false, nil
	}
	return p.ask(), false, nil
}

func (p *tlsFirst) ask() []byte {
	var family uint16
	for i := range p.manifest.Families {
		if p.manifest.Families[i].Name == abi.FamilyConnect {
			family = uint16(i)
		}
	}
	var a abi.ActionWriter
	a.Begin(nil, family, abi.ClassSession, "connect")
	return abi.AppendAsk(nil, 1, 0, abi.AskStreaming, a.End())
}

func (p *tlsFirst) Data(side abi.Side, _ []byte, flags uint32) ([]byte, bool, error) {
	if flags&abi.DataEnd != 0 {
		return abi.AppendShut(nil, side.Other()), false, nil
	}
	return nil, false, nil
}

func (p *tlsFirst) Event(b []byte) ([]byte, bool, error) {
	e, err := abi.ReadEvent(b)
	if err != nil {
		return nil, false, err
	}
	switch {
	case e.Kind == abi.KindVerdict && e.Outcome != abi.Allow:
		return abi.AppendClose(nil, false, "denied"), false, nil
	case e.Kind == abi.KindVerdict && p.late:
		return abi.AppendDial(nil, 1), false, nil
	case e.Kind == abi.KindSecured && e.Side == abi.Agent && p.late:
		return p.ask(), false, nil
	case e.Kind == abi.KindVerdict:
		return abi.AppendTLS(nil, abi.Agent), false, nil
	case e.Kind == abi.KindSecured && e.Side == abi.Agent:
		return abi.AppendDial(nil, 1), false, nil
	case e.Kind == abi.KindConnected:
		return abi.AppendTLS(nil, abi.Upstream), false, nil
	case e.Kind == abi.KindSecured:
		return abi.AppendPass(abi.AppendPass(nil, abi.Agent, 1, math.MaxInt64), abi.Upstream, 0, math.MaxInt64), false, nil
	case e.Kind == abi.KindRefused:
		return abi.AppendClose(abi.AppendSend(nil, abi.Agent, 0, []byte("502 "+e.Reason+"\n")), false, e.Reason), false, nil
	}
	return nil, false, nil
}

// web is a server with TLS that says which protocol was negotiated and which certificate it was shown, and then echoes.
type web struct {
	net.Listener
	accepts, ended atomic.Int64
	group          sync.WaitGroup
}

func newWeb(t *testing.T, c *tls.Config) *web {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &web{Listener: l}
	w.group.Go(func() {
		for {
			k, err := l.Accept()
			if err != nil {
				return
			}
			w.accepts.Add(1)
			w.group.Go(func() {
				defer w.ended.Add(1)
				defer k.Close()
				s := tls.Server(k, c)
				_ = s.SetDeadline(time.Now().Add(patience))
				if s.Handshake() != nil {
					return
				}
				// The first record comes before the plugin begins TLS: it must wait.
				state := s.ConnectionState()
				shown := "nobody"
				if len(state.PeerCertificates) > 0 {
					shown = state.PeerCertificates[0].Subject.CommonName
				}
				fmt.Fprintf(s, "proto=%s client=%s\n", state.NegotiatedProtocol, shown)
				_, _ = io.Copy(s, s)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		w.group.Wait()
	})
	return w
}

// issuer makes certificates for tests.
type issuer struct {
	t  *testing.T
	ca *pgserver.Authority
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	ca, err := pgserver.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{t, ca}
}

func (i *issuer) pem(life time.Duration, names ...string) (certificate, key []byte) {
	i.t.Helper()
	certificate, key, err := i.ca.Issue(life, names...)
	if err != nil {
		i.t.Fatal(err)
	}
	return certificate, key
}

func (i *issuer) server(life time.Duration, protocols ...string) *tls.Config {
	i.t.Helper()
	c, err := tls.X509KeyPair(i.pem(life, "web.internal"))
	if err != nil {
		i.t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: protocols}
}

func webTable(name, address, more string) string {
	return fmt.Sprintf("[[endpoint]]\nname = %q\naddress = %q\nplugin = \"postgres\"\nprofiles = [\"dev\"]\n%s\n\n", name, address, more)
}

const verified = "tls = \"verify-full\"\nca = \"ca.pem\"\nserver_name = \"web.internal\"\n"

// speaking has every endpoint speak these protocols, TLS first.
func speaking(protocols ...string) func(*Assembly) {
	return func(a *Assembly) {
		for _, e := range a.endpoints {
			if e.template == nil {
				continue
			}
			e.template = &tlsFirst{manifest: e.manifest}
			e.spoken = spoken{protocols: protocols, first: true}
		}
	}
}

// webs is a world of endpoints with a fake plugin that begins with TLS.
func webs(t *testing.T, i *issuer, tables string, change func(*Assembly)) *world {
	t.Helper()
	w := newWorld(t, "")
	write(t, filepath.Join(w.dir, "ca.pem"), i.ca.PEM)
	w.write("[plugins]\npostgres = \"builtin\"\n\n" + tables)
	w.change = change
	w.serve()
	return w
}

func (w *world) roots() *x509.CertPool {
	w.t.Helper()
	cfg, err := w.load()
	if err != nil {
		w.t.Fatal(err)
	}
	ca, err := CertificateAuthority(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	return pool
}

// browse begins TLS with an endpoint and reads a line.
func browse(t *testing.T, w *world, alice *tunneltest.Agent, to string, u net.Listener, c *tls.Config) (protocol, line string, err error) {
	t.Helper()
	k, err := alice.DialContext(wait(t), "tcp", net.JoinHostPort(to, port(u.Addr().String())))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if c.RootCAs == nil {
		c.RootCAs = w.roots()
	}
	if err := k.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	s := tls.Client(k, c)
	if err := s.Handshake(); err != nil {
		return "", "", err
	}
	line, err = bufio.NewReader(s).ReadString('\n')
	return s.ConnectionState().NegotiatedProtocol, line, err
}

// TestALPN: the agent is answered with what the plugin names and the upstream chose, over one connection to it.
func TestALPN(t *testing.T) {
	i := newIssuer(t)
	upstreams := map[string][]string{"both": {"h2", "http/1.1"}, "old": {"http/1.1"}, "none": nil, "new": {"h2"}, "old-first": {"http/1.1", "h2"}}
	servers := map[string]*web{}
	var tables string
	for name, protocols := range upstreams {
		servers[name] = newWeb(t, i.server(time.Hour, protocols...))
		tables += webTable(name, servers[name].Addr().String(), verified)
	}
	w := webs(t, i, tables+allowConnect, speaking("h2", "http/1.1"))
	alice := w.alice()
	for _, c := range []struct {
		upstream string
		offers   []string
		agent    string // what it is answered with
		server   string // what the upstream's side negotiated
		fails    string
	}{
		{"both", []string{"h2", "http/1.1"}, "h2", "h2", ""},
		{"both", []string{"http/1.1"}, "http/1.1", "http/1.1", ""},
		{"both", nil, "", "", ""},
		{"both", []string{"spdy/3", "http/1.1"}, "http/1.1", "http/1.1", ""},
		{"both", []string{"spdy/3"}, "", "", "no application protocol"},
		{"old", []string{"h2", "http/1.1"}, "http/1.1", "http/1.1", ""},
		{"old-first", []string{"h2", "http/1.1"}, "http/1.1", "http/1.1", ""},
		{"none", []string{"h2", "http/1.1"}, "http/1.1", "", ""},
		{"none", []string{"h2"}, "", "", "no application protocol"},
		{"new", []string{"h2", "http/1.1"}, "h2", "h2", ""},
	} {
		before := servers[c.upstream].accepts.Load()
		protocol, line, err := browse(t, w, alice, c.upstream, servers[c.upstream], &tls.Config{ServerName: c.upstream, NextProtos: c.offers})
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s, %q: %q, %v", c.upstream, c.offers, protocol, err)
			}
			continue
		}
		if err != nil || protocol != c.agent || line != "proto="+c.server+" client=nobody\n" {
			t.Errorf("%s, %q: the agent has %q and reads %q, %v", c.upstream, c.offers, protocol, line, err)
		}
		if n := servers[c.upstream].accepts.Load() - before; n != 1 {
			t.Errorf("%s, %q: %d connections to the upstream", c.upstream, c.offers, n)
		}
	}
	w.find("the refused protocol", func(e *receipt.Entry) bool {
		return e.Kind == receipt.End && strings.Contains(e.Reason, "no protocol that is spoken here") && strings.Contains(e.Detail, "spdy/3")
	})
}

// TestLateConnect: a plugin that asks for its connection behind TLS has the agent answered with what everybody speaks.
func TestLateConnect(t *testing.T) {
	i := newIssuer(t)
	both, old, none := newWeb(t, i.server(time.Hour, "h2", "http/1.1")), newWeb(t, i.server(time.Hour, "http/1.1")), newWeb(t, i.server(time.Hour))
	w := webs(t, i, webTable("both", both.Addr().String(), verified)+webTable("old", old.Addr().String(), verified)+webTable("none", none.Addr().String(), verified)+allowConnect, func(a *Assembly) {
		speaking("h2", "http/1.1")(a)
		for _, e := range a.endpoints {
			e.template = &tlsFirst{e.manifest, true}
		}
	})
	alice := w.alice()
	for _, c := range []struct {
		to          string
		u           *web
		offers      []string
		agent, told string
	}{
		{"both", both, []string{"h2", "http/1.1"}, "http/1.1", "proto=http/1.1 client=nobody\n"},
		{"both", both, []string{"h2"}, "h2", "proto=h2 client=nobody\n"},
		{"both", both, nil, "", "proto= client=nobody\n"},
		{"old", old, []string{"h2", "http/1.1"}, "http/1.1", "proto=http/1.1 client=nobody\n"},
		{"old", old, []string{"h2"}, "h2", "502 the upstream refused the TLS handshake: it speaks none of the protocols that it was offered\n"},
		{"none", none, []string{"h2", "http/1.1"}, "http/1.1", "proto= client=nobody\n"},
		{"none", none, []string{"h2"}, "h2", "502 the upstream does not speak the protocol that the agent uses\n"},
	} {
		if protocol, line, err := browse(t, w, alice, c.to, c.u, &tls.Config{ServerName: c.to, NextProtos: c.offers}); err != nil || protocol != c.agent || line != c.told {
			t.Errorf("%s, %q: %q, %q, %v", c.to, c.offers, protocol, line, err)
		}
	}
}

// TestNoConnectNoUpstream: before the connection is allowed, nothing reaches the upstream, not a hello either.
func TestNoConnectNoUpstream(t *testing.T) {
	i := newIssuer(t)
	u := newWeb(t, i.server(time.Hour, "h2"))
	w := webs(t, i, webTable("web", u.Addr().String(), verified), speaking("h2"))
	alice := w.alice()
	if _, _, err := browse(t, w, alice, "web", u, &tls.Config{ServerName: "web", NextProtos: []string{"h2"}}); err == nil {
		t.Error("a denied connection")
	}
	w.end("alice", "web")
	if n := u.accepts.Load(); n != 0 {
		t.Errorf("the upstream was reached %d times", n)
	}
}

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

// TestParked: nothing is read or written, deadlines count, and an end ends it.
func TestParked(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	p := newParked(pipeConn{near}, &layer.Conn{Conn: tls.Client(near, &tls.Config{InsecureSkipVerify: true})})
	for _, d := range []time.Time{time.Unix(1, 0), time.Now().Add(time.Millisecond)} {
		if err := p.SetReadDeadline(d); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("past the deadline: %v", err)
		}
	}
	if err := p.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("x")); err == nil {
		t.Error("a write in front of TLS")
	}
	done := make(chan error, 1)
	go func() { _, err := p.Read(make([]byte, 1)); done <- err }()
	_ = p.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

type pipeConn struct{ net.Conn }

func (p pipeConn) CloseWrite() error { return p.Close() }
func (p pipeConn) Abort()            { p.Close() }
