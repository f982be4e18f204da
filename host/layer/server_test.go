package layer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func openCA(t *testing.T) *CA {
	t.Helper()
	ca, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func (ca *CA) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(ca.PEM())
	return p
}

// secured is an agent and the gateway's side of it.
func secured(t *testing.T, ca *CA, o ServerOptions, c *tls.Config) (agent *tls.Conn, gateway *Conn, err error) {
	t.Helper()
	near, far := pair(t)
	o.CA = ca
	agent = tls.Client(near, c)
	done := make(chan error, 1)
	go func() { done <- agent.Handshake() }()
	gateway, err = Server(wait(t), far, o)
	if err != nil {
		far.Abort()
		<-done
		return nil, nil, err
	}
	if err := <-done; err != nil {
		far.Abort()
		return nil, nil, err
	}
	return agent, gateway, nil
}

func TestServer(t *testing.T) {
	ca := openCA(t)
	names := []string{"prod-db", "10.89.128.7"}
	for _, c := range []struct {
		what   string
		o      ServerOptions
		agent  *tls.Config
		err    string
		expect Info
	}{
		{"the name", ServerOptions{Names: names}, &tls.Config{ServerName: "Prod-DB"}, "", Info{Version: "1.3", Name: "prod-db"}},
		{"the address", ServerOptions{Names: names}, &tls.Config{ServerName: "10.89.128.7"}, "", Info{Version: "1.3"}},
		{"TLS 1.2", ServerOptions{Names: names}, &tls.Config{ServerName: "prod-db", MaxVersion: tls.VersionTLS12}, "", Info{Version: "1.2", Name: "prod-db"}},
		{"another name, unverified", ServerOptions{Names: names}, &tls.Config{ServerName: "db", InsecureSkipVerify: true}, "for another server", Info{}},
		{"another name", ServerOptions{Names: names}, &tls.Config{ServerName: "db"}, "it asks for \"db\"", Info{}},
		{"the beginning of the name", ServerOptions{Names: names}, &tls.Config{ServerName: "prod-db.evil"}, "for another server", Info{}},
		{"no name", ServerOptions{Names: names}, &tls.Config{InsecureSkipVerify: true}, "", Info{Version: "1.3"}},
		{"no name where one is needed", ServerOptions{Names: names, NeedName: true}, &tls.Config{InsecureSkipVerify: true}, "does not say which server", Info{}},
		{"an address where a name is needed", ServerOptions{Names: names, NeedName: true}, &tls.Config{ServerName: "10.89.128.7"}, "does not say which server", Info{}},
		{"the name where one is needed", ServerOptions{Names: names, NeedName: true}, &tls.Config{ServerName: "prod-db"}, "", Info{Version: "1.3", Name: "prod-db"}},
		{"another of its names", ServerOptions{Names: names, Others: []string{"db.internal"}}, &tls.Config{ServerName: "DB.internal"}, "", Info{Version: "1.3", Name: "db.internal"}},
		{"none of its other names", ServerOptions{Names: names, Others: []string{"db.internal"}}, &tls.Config{ServerName: "db"}, "for another server", Info{}},
		{"another CA", ServerOptions{Names: names}, &tls.Config{ServerName: "prod-db", RootCAs: openCA(t).pool()}, "certificate", Info{}},
		{"TLS 1.1", ServerOptions{Names: names}, &tls.Config{ServerName: "prod-db", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "cannot do TLS 1.2", Info{}},
		{"a protocol", ServerOptions{Names: names, Choose: OneOf("h2", "http/1.1")}, &tls.Config{ServerName: "prod-db", NextProtos: []string{"http/1.1"}}, "", Info{Version: "1.3", Name: "prod-db", Protocol: "http/1.1"}},
		{"no such protocol", ServerOptions{Names: names, Choose: OneOf("h2")}, &tls.Config{ServerName: "prod-db", NextProtos: []string{"smtp"}}, "it offers \"smtp\"", Info{}},
		{"h2 only, and the agent has none", ServerOptions{Names: names, Choose: OneOf("h2")}, &tls.Config{ServerName: "prod-db", NextProtos: []string{"http/1.1"}}, "no protocol that is spoken here", Info{}},
		{"no protocol wanted", ServerOptions{Names: names, Choose: OneOf("h2")}, &tls.Config{ServerName: "prod-db"}, "", Info{Version: "1.3", Name: "prod-db"}},
		{"a protocol that nobody offered", ServerOptions{Names: names, Choose: func(context.Context, []string) (string, error) { return "h3", nil }}, &tls.Config{ServerName: "prod-db", NextProtos: []string{"h2"}}, "no protocol that is spoken here", Info{}},
		{"none is chosen", ServerOptions{Names: names, Choose: func(context.Context, []string) (string, error) { return "", nil }}, &tls.Config{ServerName: "prod-db", NextProtos: []string{"h2"}}, "", Info{Version: "1.3", Name: "prod-db"}},
		{"an error", ServerOptions{Names: names, Choose: func(context.Context, []string) (string, error) { return "", io.ErrNoProgress }}, &tls.Config{ServerName: "prod-db"}, "Read calls", Info{}},
		{"any protocol", ServerOptions{Names: names}, &tls.Config{ServerName: "prod-db", NextProtos: []string{"postgresql"}}, "", Info{Version: "1.3", Name: "prod-db", Protocol: "postgresql"}},
		{"any protocol, none", ServerOptions{Names: names}, &tls.Config{ServerName: "prod-db"}, "", Info{Version: "1.3", Name: "prod-db"}},
	} {
		if c.agent.RootCAs == nil {
			c.agent.RootCAs = ca.pool()
		}
		agent, gateway, err := secured(t, ca, c.o, c.agent)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", c.what, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if gateway.Info() != c.expect || gateway.Binding() != nil {
			t.Errorf("%s: %+v", c.what, gateway.Info())
		}
		done := make(chan error, 1)
		go func() { _, err := io.Copy(gateway, gateway); done <- err }()
		echoes(t, agent, "hello")
		if err := agent.CloseWrite(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestBadAgents: the handshake fails, and in time.
func TestBadAgents(t *testing.T) {
	ca := openCA(t)
	for _, c := range []struct {
		what, want string
		limit      time.Duration
		agent      func(tcp)
	}{
		{"plaintext", "sent something that is no TLS", 0, func(k tcp) { _, _ = k.Write([]byte("GET / HTTP/1.1\r\n\r\n")) }},
		{"silence", "took too long", 50 * time.Millisecond, func(tcp) {}},
		{"a piece", "took too long", 50 * time.Millisecond, func(k tcp) { _, _ = k.Write([]byte{22, 3, 1, 2, 0, 1}) }},
		{"an end", "ended the connection", 0, func(k tcp) { k.CloseWrite() }},
		{"an end in the middle", "ended the connection", 0, func(k tcp) { _, _ = k.Write([]byte{22, 3, 1, 2, 0, 1}); k.CloseWrite() }},
		{"a reset", "failed", 0, func(k tcp) { k.Abort() }},
	} {
		near, far := pair(t)
		c.agent(near)
		_, err := Server(wait(t), far, ServerOptions{CA: ca, Names: []string{"prod-db"}, Timeout: c.limit})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
		far.Abort()
	}
	near, far := pair(t)
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	if _, err := Server(ctx, far, ServerOptions{CA: ca, Names: []string{"prod-db"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	near.Close()
	if _, err := Server(wait(t), far, ServerOptions{Names: []string{"prod-db"}}); err == nil {
		t.Error("without a CA")
	}
}

// TestHalfClose: each direction ends by itself, properly.
func TestHalfClose(t *testing.T) {
	ca := openCA(t)
	agent, gateway, err := secured(t, ca, ServerOptions{Names: []string{"prod-db"}}, &tls.Config{ServerName: "prod-db", RootCAs: ca.pool()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(gateway, "last words"); err != nil {
		t.Fatal(err)
	}
	if err := gateway.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(agent); string(b) != "last words" || err != nil {
		t.Errorf("the agent read %q, %v", b, err)
	}
	// close_notify was followed by the end of the transport.
	if n, err := agent.NetConn().Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("behind close_notify: %d, %v", n, err)
	}
	// The other direction goes on.
	if _, err := io.WriteString(agent, "and mine"); err != nil {
		t.Fatal(err)
	}
	if err := agent.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(gateway); string(b) != "and mine" || err != nil {
		t.Errorf("the gateway read %q, %v", b, err)
	}
	if err := gateway.Close(); err != nil {
		t.Error(err)
	}
}

// TestAbort: nothing that looks like a proper end, and a Read that waits returns.
func TestAbort(t *testing.T) {
	ca := openCA(t)
	agent, gateway, err := secured(t, ca, ServerOptions{Names: []string{"prod-db"}}, &tls.Config{ServerName: "prod-db", RootCAs: ca.pool()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := gateway.Read(make([]byte, 1)); done <- err }()
	gateway.Abort()
	if err := <-done; err == nil {
		t.Error("a read after the end")
	}
	if _, err := agent.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the agent saw %v", err)
	}
}

// TestDeadline: a read that runs out of time can be tried again.
func TestDeadline(t *testing.T) {
	ca := openCA(t)
	agent, gateway, err := secured(t, ca, ServerOptions{Names: []string{"prod-db"}}, &tls.Config{ServerName: "prod-db", RootCAs: ca.pool()})
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	if err := gateway.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(agent, "x"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2)
	if n, err := gateway.Read(b); n != 1 || err != nil {
		t.Errorf("after it: %d, %v", n, err)
	}
	// An agent that vanishes between two records is at its end, one in the middle of a record is not.
	if _, err := agent.NetConn().Write([]byte{23, 3, 3, 0, 64, 1}); err != nil {
		t.Fatal(err)
	}
	if err := agent.NetConn().Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Read(b); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a record: %v", err)
	}
}

// TestEverythingIsWritten: what was written before an end arrives, however slow the agent is, and the end behind it.
func TestEverythingIsWritten(t *testing.T) {
	ca := openCA(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 512<<10)
	for name, end := range map[string]func(*Conn) error{"CloseWrite": (*Conn).CloseWrite, "Close": (*Conn).Close} {
		t.Run(name, func(t *testing.T) {
			agent, gateway, err := secured(t, ca, ServerOptions{Names: []string{"prod-db"}}, &tls.Config{ServerName: "prod-db", RootCAs: ca.pool()})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := gateway.Write(big)
				done <- errors.Join(err, end(gateway))
			}()
			got, err := io.ReadAll(agent)
			if err != nil || !bytes.Equal(got, big) {
				t.Errorf("the agent read %d bytes of %d, %v", len(got), len(big), err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			gateway.Abort()
		})
	}
}
