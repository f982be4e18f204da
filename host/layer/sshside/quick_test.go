package sshside

import (
	"net"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestQuickCommands: a server that answers a command, ends it, and closes its channel in one go; the agent hears all of it, in this order.
func TestQuickCommands(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	host, _ := newKey(t)
	login, _ := newKey(t)
	wg.Go(func() { answerCommands(l, host, &wg) })
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	both(t, &sshd{address: l.Addr().String(), host: host, login: login}, func(t *testing.T, b *between) {
		client := b.dial(t)
		for i := range 300 {
			s, err := client.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			if out, err := s.Output("x"); err != nil || string(out) != "done\n" {
				t.Fatalf("command %d: %q, %v", i, out, err)
			}
		}
		_ = client.Close()
	})
}

func answerCommands(l net.Listener, host ssh.Signer, wg *sync.WaitGroup) {
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(host)
	for {
		k, err := l.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer k.Close()
			_, channels, requests, err := ssh.NewServerConn(k, config)
			if err != nil {
				return
			}
			wg.Go(func() { ssh.DiscardRequests(requests) })
			for n := range channels {
				ch, requests, err := n.Accept()
				if err != nil {
					return
				}
				wg.Go(func() {
					for r := range requests {
						_ = r.Reply(r.Type == "exec", nil)
						if r.Type == "exec" {
							_, _ = ch.Write([]byte("done\n"))
							_, _ = ch.SendRequest("exit-status", false, []byte{0, 0, 0, 0})
							_ = ch.Close()
						}
					}
				})
			}
		})
	}
}
