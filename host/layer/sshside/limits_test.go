package sshside

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// alone is an agent's side with nobody behind it: the test reads its records itself, or does not. The client is logged in.
func alone(t *testing.T) (*Side, *ssh.Client) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, _ := newKey(t)
	sides := make(chan *Side, 1)
	go func() {
		defer close(sides)
		c, err := l.Accept()
		if err != nil {
			return
		}
		s, _, err := Server(context.Background(), tcp{c.(*net.TCPConn)}, NewLink(), ServerOptions{HostKeys: []ssh.Signer{host}})
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = s.Write(sshwire.AppendEmpty(nil, 0, sshwire.Ready))
		sides <- s
	}()
	client, err := ssh.Dial("tcp", l.Addr().String(), &ssh.ClientConfig{User: "x", HostKeyCallback: ssh.FixedHostKey(host.PublicKey())})
	if err != nil {
		t.Fatal(err)
	}
	s := <-sides
	if s == nil {
		t.FailNow()
	}
	t.Cleanup(func() {
		_ = client.Close()
		_ = s.Close()
	})
	return s, client
}

// records reads whole records until the end, and gives each to f.
func records(s *Side, f func(r []byte)) error {
	for {
		r := make([]byte, sshwire.HeadSize)
		if _, err := io.ReadFull(s, r); err != nil {
			return err
		}
		_, n, _ := sshwire.Head(r)
		r = append(r, make([]byte, n)...)
		if _, err := io.ReadFull(s, r[sshwire.HeadSize:]); err != nil {
			return err
		}
		f(r)
	}
}

// confirm opens channels as they come.
func confirm(s *Side) func(r []byte) {
	return func(r []byte) {
		if stream, _, _ := sshwire.Head(r); r[sshwire.HeadSize] == sshwire.Open {
			_, _ = s.Write(sshwire.AppendEmpty(nil, stream, sshwire.OpenConfirm))
		}
	}
}

// TestTooManyRequests: 256 requests may wait for their answers, on a channel and on the connection; with one more the connection ends.
func TestTooManyRequests(t *testing.T) {
	for name, send := range map[string]func(c *ssh.Client, ch ssh.Channel) error{
		"of a channel":    func(_ *ssh.Client, ch ssh.Channel) error { return ignore(ch.SendRequest("x", true, nil)) },
		"of a connection": func(c *ssh.Client, _ ssh.Channel) error { _, _, err := c.SendRequest("x", true, nil); return err },
	} {
		for _, n := range []int{maxPending, maxPending + 1} {
			s, client := alone(t)
			var mu sync.Mutex
			var streams []uint32
			came := make(chan struct{}, maxPending+2)
			ended := make(chan error, 1)
			go func() {
				ended <- records(s, func(r []byte) {
					confirm(s)(r)
					if k := r[sshwire.HeadSize]; k == sshwire.ChannelRequest || k == sshwire.GlobalRequest {
						stream, _, _ := sshwire.Head(r)
						mu.Lock()
						streams = append(streams, stream)
						mu.Unlock()
						came <- struct{}{}
					}
				})
			}()
			ch, requests, err := client.OpenChannel("session", nil)
			if err != nil {
				t.Fatal(err)
			}
			go ssh.DiscardRequests(requests)
			if name == "of a connection" { // the library has one of them under way at a time
				for range n {
					s.global(&ssh.Request{Type: "x", WantReply: true})
				}
			} else {
				for range n {
					s.link.find(agent, 1).request(&ssh.Request{Type: "x", WantReply: true})
				}
			}
			if n > maxPending {
				select {
				case err := <-ended:
					if err == nil || !strings.Contains(err.Error(), "too many requests without an answer") {
						t.Errorf("%d %s: %v", n, name, err)
					}
				case <-time.After(patience):
					t.Errorf("%d %s: the connection goes on", n, name)
				}
				if err := send(client, ch); err == nil {
					t.Errorf("%d %s: and another one is answered", n, name)
				}
				continue
			}
			for range n {
				<-came
			}
			mu.Lock()
			if len(streams) != n {
				t.Errorf("%d of %d requests %s", len(streams), n, name)
			}
			mu.Unlock()
			_ = client.Close()
			<-ended
		}
	}
}

func ignore(_ bool, err error) error { return err }

// TestTooManyChannels: 600 channels may be open on a side, more are refused, and one that closes makes room.
func TestTooManyChannels(t *testing.T) {
	s, client := alone(t)
	ended := make(chan error, 1)
	go func() { ended <- records(s, confirm(s)) }()
	var open []ssh.Channel
	refused := 0
	for range maxChannels + 50 {
		ch, requests, err := client.OpenChannel("session", nil)
		var why *ssh.OpenChannelError
		switch {
		case errors.As(err, &why) && why.Reason == ssh.ResourceShortage:
			refused++
		case err != nil:
			t.Fatal(err)
		default:
			go ssh.DiscardRequests(requests)
			open = append(open, ch)
		}
	}
	if len(open) != maxChannels || refused != 50 {
		t.Errorf("%d are open, %d refused", len(open), refused)
	}
	_ = client.Close()
	<-ended
	if len(s.channels()) > 0 || len(s.link.streams) > 0 {
		for _, c := range s.channels() {
			c.forget()
		}
	}
}

// TestQueue: what nobody reads has its sender wait, at 2 MiB and the record that reaches it, and is all there when it is read. A million requests are sent, fewer under the race detector.
func TestQueue(t *testing.T) {
	s, client := alone(t)
	go func() {
		buf := make([]byte, 1<<16)
		n, _ := s.Read(buf) // the channel
		confirm(s)(buf[:n])
	}()
	ch, requests, err := client.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go ssh.DiscardRequests(requests)
	sent := make(chan error, 1)
	go func() {
		for range manyRequests {
			if _, err := ch.SendRequest(resizeRequest, false, make([]byte, 16)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	queued := func() int {
		s.queue.mu.Lock()
		defer s.queue.mu.Unlock()
		return s.queue.queued
	}
	for end := time.Now().Add(patience); queued() < maxQueued && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-sent:
		t.Fatalf("all is sent although nobody reads: %v", err)
	default:
	}
	if n := queued(); n < maxQueued || n > maxQueued+sshwire.MaxMessage {
		t.Errorf("%d bytes are queued", n)
	}
	came := 0
	done := make(chan error, 1)
	go func() {
		done <- records(s, func(r []byte) {
			if r[sshwire.HeadSize] == sshwire.ChannelRequest {
				came++
			}
		})
	}()
	if err := <-sent; err != nil {
		t.Error(err)
	}
	_ = client.Close()
	<-done
	if came != manyRequests {
		t.Errorf("%d came", came)
	}
}

// TestManyResizes: sizes of a terminal that come faster than they can be told are told by the newest.
func TestManyResizes(t *testing.T) {
	c := newChannel(newSide(upstream, NewLink(), nil), 1)
	c.telling = true // nobody takes them
	size := func(n byte) []byte {
		return append(append(sshwire.AppendString(nil, resizeRequest), 0), bytes.Repeat([]byte{n}, 16)...)
	}
	for i := range 10_000 {
		if err := c.tell(size(byte(i))); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.told) != 1 || c.toldAll != 1 || !bytes.Equal(c.told[0], size(byte(9999&0xff))) {
		t.Errorf("%d wait: %x", len(c.told), c.told)
	}
	other := append(sshwire.AppendString(nil, "signal"), 0)
	var err error
	for range maxPending {
		if err = c.tell(other); err != nil {
			break
		}
	}
	if err == nil || len(c.told) != maxPending {
		t.Errorf("%d wait, %v", len(c.told), err)
	}
}

// TestNothingIsKept: connections that are over leave no memory and no goroutine behind (goleak looks at the latter).
func TestNothingIsKept(t *testing.T) {
	b := startBetween(t, startSSHD(t), nil)
	heap := func() uint64 {
		var m runtime.MemStats
		for range 3 {
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	round := func(n int) {
		for range n {
			c := b.dial(t)
			for range 3 {
				if s, err := c.NewSession(); err == nil { // a command would have a shell read its files
					_ = s.RequestSubsystem("sftp")
				}
			}
			_ = c.Close()
		}
	}
	round(3)
	before := heap()
	round(20)
	after := heap()
	for end := time.Now().Add(patience); after > before+4<<20 && time.Now().Before(end); after = heap() { // the last ones are ending
		time.Sleep(50 * time.Millisecond)
	}
	if after > before+4<<20 { // what each of them takes while it is there is many times 200 KiB
		t.Errorf("%d KiB, then %d KiB", before>>10, after>>10)
	}
}
