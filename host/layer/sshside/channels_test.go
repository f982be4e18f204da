package sshside

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// dial is a client of x/crypto/ssh, through the gateway.
func (b *between) dial(t *testing.T) *ssh.Client {
	t.Helper()
	k, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	conn, channels, requests, err := ssh.NewClientConn(newWatched(k, nil), b.address, &ssh.ClientConfig{User: "somebody", HostKeyCallback: ssh.FixedHostKey(b.host.PublicKey())})
	if err != nil {
		t.Fatal(err)
	}
	c := ssh.NewClient(conn, channels, requests)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestUnreadChannel: one channel that is not read, and whose command never stops writing, stops no other.
func TestUnreadChannel(t *testing.T) {
	both(t, startSSHD(t), func(t *testing.T, b *between) {
		client := b.dial(t)
		unread, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unread.StdoutPipe(); err != nil {
			t.Fatal(err)
		}
		if err := unread.Start("cat /dev/zero"); err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 1<<20)
		_, _ = rand.Read(text)
		var wg sync.WaitGroup
		for range 9 {
			wg.Go(func() {
				s, err := client.NewSession()
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				s.Stdin = bytes.NewReader(text)
				if out, err := s.Output("cat"); err != nil || !bytes.Equal(out, text) {
					t.Errorf("%d bytes of %d, %v", len(out), len(text), err)
				}
			})
		}
		wg.Wait()
		_ = unread.Close()
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if out, err := s.Output("echo still here"); err != nil || string(out) != "still here\n" {
			t.Errorf("%q %v", out, err)
		}
	})
}

// TestForwards: connections that the agent opens to the upstream's network, and those that come back.
func TestForwards(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	both(t, startSSHD(t), func(t *testing.T, b *between) {
		client := b.dial(t)
		talk := func(c net.Conn, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			if h, ok := c.(interface{ CloseWrite() error }); ok {
				_ = h.CloseWrite()
			}
			if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
				t.Errorf("%q %v", got, err)
			}
		}
		talk(client.Dial("tcp", echo.Addr().String()))
		l, err := client.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err == nil {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}
		}()
		talk(net.Dial("tcp", l.Addr().String()))
		_ = l.Close()
		if _, err := client.Dial("tcp", "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("a port where nobody listens: %v", err)
		}
	})
}

// TestAbruptEnds: whoever vanishes in the middle, everything of the connection ends.
func TestAbruptEnds(t *testing.T) {
	s := startSSHD(t)
	both(t, s, func(t *testing.T, b *between) {
		client := b.dial(t)
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out, _ := session.StdoutPipe()
		if err := session.Start("cat /dev/zero"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		_ = client.Close() // the test ends when the gateway has let go

		client = b.dial(t)
		if session, err = client.NewSession(); err != nil {
			t.Fatal(err)
		}
		var missing *ssh.ExitMissingError
		if _, err := session.Output("kill -9 $PPID; sleep 100"); !errors.As(err, &missing) {
			t.Errorf("the server's process was killed, and the session ends with %v", err)
		}
		done := make(chan struct{})
		go func() {
			_ = client.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("the agent's connection goes on")
		}
	})
}

// TestWrongRecords: what no plugin may write is an error, not a panic, and nothing goes on.
func TestWrongRecords(t *testing.T) {
	s := startSSHD(t)
	for name, r := range map[string][]byte{
		"no message":          {0, 0, 0, 1, 0, 0, 0, 0},
		"too long":            {0, 0, 0, 1, 1, 0, 0, 0, 94},
		"unknown message":     sshwire.AppendEmpty(nil, 1, 77),
		"unknown global":      sshwire.AppendEmpty(nil, 0, 77),
		"cut data":            sshwire.End(append(sshwire.Begin(nil, 1, sshwire.Data), 0, 0, 0, 9, 'x'), 0),
		"answer to nothing":   sshwire.AppendEmpty(nil, 0, sshwire.RequestSuccess),
		"login":               sshwire.AppendEmpty(nil, 0, sshwire.Ready),
		"too many handles":    sshwire.AppendTransfers(nil, 1, make([]string, sshwire.MaxHandles+1)),
		"a cut handle":        sshwire.End(append(sshwire.Begin(nil, 1, sshwire.Transfers), 0, 0, 0, 9, 'x'), 0),
		"channel without one": sshwire.AppendEmpty(nil, 99, sshwire.Open),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Fatal(err)
			}
			u, err := Client(t.Context(), tcp{c.(*net.TCPConn)}, NewLink(), ClientOptions{User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(s.login)}, HostKey: ssh.FixedHostKey(s.host.PublicKey())})
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			for i := range r { // in pieces
				if _, err = u.Write(r[i : i+1]); err != nil {
					break
				}
			}
			if err == nil {
				t.Error("it is taken")
			}
		})
	}
}

// TestUpstreamRefuses: another key than the one that is known, and a login that the server does not take.
func TestUpstreamRefuses(t *testing.T) {
	s := startSSHD(t)
	other, _ := newKey(t)
	for name, c := range map[string]struct {
		change func(*ClientOptions)
		say    string
	}{
		"host key": {func(o *ClientOptions) { o.HostKey = ssh.FixedHostKey(other.PublicKey()) }, "host key is not one that the gateway knows"},
		"login":    {func(o *ClientOptions) { o.Auth = []ssh.AuthMethod{ssh.PublicKeys(other)} }, "does not accept the gateway's login"},
	} {
		b := startBetween(t, s, func(b *between) { c.change(&b.options) })
		out, err := b.ssh(deadline(t), t, "ssh", "echo reached").CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.say) || strings.Contains(string(out), "reached") {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}

// TestEndsWhileOpening: connections that end while channels are being opened let go of everything; the test ends when they have.
func TestEndsWhileOpening(t *testing.T) {
	b := startBetween(t, startSSHD(t), nil)
	for range 20 {
		client := b.dial(t)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if s, err := client.NewSession(); err == nil {
					_ = s.Start("cat")
				}
			})
		}
		_ = client.Close()
		wg.Wait()
	}
}
