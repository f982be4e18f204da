package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
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
