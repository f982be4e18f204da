package gateway

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

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

// TestParked: nothing is read or written, deadlines count, and an end ends it.
func TestParked(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	server := tls.Server(far, newIssuer(t).server(time.Hour))
	go func() { _, _ = io.Copy(io.Discard, server) }() // until the pipe is closed
	inside, err := layer.Client(wait(t), pipeConn{near}, layer.ClientOptions{Mode: layer.Require, Name: "web.internal"})
	if err != nil {
		t.Fatal(err)
	}
	p := newParked(pipeConn{near}, inside)
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
