package sshside

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestLeaves: an agent that leaves while its login waits, which a person may have to decide about, ends its side.
func TestLeaves(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, _ := newKey(t)
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() {
		_, _, _, err := ssh.NewClientConn(client, "", &ssh.ClientConfig{User: "x", HostKeyCallback: ssh.FixedHostKey(host.PublicKey())})
		over <- err
	}()
	k, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s, who, err := Server(context.Background(), tcp{k.(*net.TCPConn)}, NewLink(), ServerOptions{HostKeys: []ssh.Signer{host}})
	if err != nil || who.User != "x" {
		t.Fatal(err, who)
	}
	defer s.Close()
	_ = client.Close()
	if err := <-over; err == nil {
		t.Error("logged in")
	}
	_ = s.SetReadDeadline(time.Now().Add(patience))
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the agent has left, and its side ends with %v", err)
	}
}
