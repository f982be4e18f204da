package sshside

import (
	"context"
	"io"
	"net"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// waiting is an agent's side whose agent waits to be let in.
type waiting struct {
	side   *Side
	who    Agent
	client net.Conn
	logged <-chan *early
	open   []byte // has the side open a channel of the upstream's
}

func startWaiting(t *testing.T) *waiting {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	host, _ := newKey(t)
	logged := make(chan *early, 1)
	go func() {
		e := &early{}
		_, e.channels, e.requests, e.err = ssh.NewClientConn(client, "", &ssh.ClientConfig{User: "x", HostKeyCallback: ssh.FixedHostKey(host.PublicKey())})
		logged <- e
	}()
	k, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	link := NewLink()
	s, who, err := Server(context.Background(), tcp{k.(*net.TCPConn)}, link, ServerOptions{HostKeys: []ssh.Signer{host}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close()
		_ = s.Close()
		select {
		case e := <-logged: // nobody has asked
			e.drain()
		default:
		}
	})
	id := link.open(upstream, newChannel(newSide(upstream, link, nil), 0))
	return &waiting{s, who, client, logged, sshwire.End(sshwire.AppendString(sshwire.Begin(nil, id, sshwire.Open), "x@sallyport"), 0)}
}

// early is what a client makes of its login.
type early struct {
	channels <-chan ssh.NewChannel
	requests <-chan *ssh.Request
	err      error
}

// drain ends what the client's connection runs.
func (e *early) drain() {
	if e.err == nil {
		go ssh.DiscardRequests(e.requests)
		for c := range e.channels {
			_ = c.Reject(ssh.Prohibited, "")
		}
	}
}

// TestEarly: an upstream may ask something and open a channel as soon as it has let the gateway in, when the agent is about to hear that it is logged in.
// Both reach the agent.
func TestEarly(t *testing.T) {
	w := startWaiting(t)
	s := w.side
	request := sshwire.End(append(sshwire.AppendString(sshwire.Begin(nil, 0, sshwire.GlobalRequest), "y@sallyport"), 0), 0)
	if _, err := s.Write(append(append(sshwire.AppendEmpty(nil, 0, sshwire.Ready), request...), w.open...)); err != nil {
		t.Fatal(err)
	}
	e := <-w.logged
	if e.err != nil {
		t.Fatal(e.err)
	}
	if r := <-e.requests; r == nil || r.Type != "y@sallyport" {
		t.Errorf("the request is %+v", r)
	}
	if c := <-e.channels; c == nil || c.ChannelType() != "x@sallyport" {
		t.Errorf("the channel is %+v", c)
	} else {
		_ = c.Reject(ssh.Prohibited, "")
	}
	_ = s.CloseWrite()
	e.drain()
}

// TestBeforeTheLogin: nobody opens a channel at an agent that is not let in yet.
func TestBeforeTheLogin(t *testing.T) {
	w := startWaiting(t)
	if _, err := w.side.Write(w.open); err == nil {
		t.Error("a channel is opened before the login")
	}
}

// TestEndsWithTheLogin: an upstream that ends the connection when it has let the gateway in ends the agent's, which is logged in.
func TestEndsWithTheLogin(t *testing.T) {
	w := startWaiting(t)
	s := w.side
	if _, err := s.Write(sshwire.AppendEmpty(nil, 0, sshwire.Ready)); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if e := <-w.logged; e.err != nil {
		t.Error(e.err)
	} else {
		e.drain()
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		t.Error(err)
	}
}
