package sshside

import (
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// quickEnd is the end of a channel whose server has answered a command, ended it and closed the channel in one go; of the answer nobody has heard yet.
type quickEnd struct {
	ssh.Channel
	heard chan struct{}
}

func (quickEnd) Read([]byte) (int, error) { return 0, io.EOF }

func (quickEnd) Stderr() io.ReadWriter { return ended{} }

func (quickEnd) Close() error { return nil }

func (q quickEnd) SendRequest(string, bool, []byte) (bool, error) {
	<-q.heard
	return true, nil
}

type ended struct{}

func (ended) Read([]byte) (int, error) { return 0, io.EOF }

func (ended) Write(p []byte) (int, error) { return len(p), nil }

// TestQuickCommands: the answer to a command is shown before the end of its channel, however late it is heard.
func TestQuickCommands(t *testing.T) {
	s := newSide(upstream, NewLink(), nil)
	c := newChannel(s, 1)
	q := quickEnd{heard: make(chan struct{})}
	c.ch = q
	if err := c.tell(append(sshwire.AppendString(nil, "exec"), 1, 0, 0, 0, 1, 'x')); err != nil {
		t.Fatal(err)
	}
	requests := make(chan *ssh.Request)
	close(requests)
	over := make(chan struct{})
	go func() {
		defer close(over)
		c.run(q, requests)
	}()
	next := func(limit time.Duration) (byte, error) {
		s.SetReadDeadline(time.Now().Add(limit))
		p := make([]byte, sshwire.HeadSize+1)
		_, err := io.ReadFull(s, p)
		return p[sshwire.HeadSize], err
	}
	if n, err := next(patience); n != sshwire.EOF || err != nil {
		t.Fatalf("message %d, %v, in place of the end of data", n, err)
	}
	// Whoever does not wait for the answer shows CLOSE at once.
	if n, err := next(200 * time.Millisecond); err != os.ErrDeadlineExceeded {
		t.Errorf("message %d, %v, before the answer", n, err)
	}
	close(q.heard)
	for _, want := range []byte{sshwire.ChannelSuccess, sshwire.Close} {
		if n, err := next(patience); n != want || err != nil {
			t.Errorf("message %d, %v, in place of %d", n, err, want)
		}
	}
	c.close()
	<-over
	s.wg.Wait()
}

// TestQuickEnd: the end of data is shown behind the requests that were sent before it, also where nobody reads for a while. A server that is told of the end first may
// take the channel for one that is over.
func TestQuickEnd(t *testing.T) {
	for i := range 20 {
		s := newSide(agent, NewLink(), nil)
		c := newChannel(s, 1)
		s.put(make([]byte, maxQueued)) // nothing can be shown before this is read
		requests := make(chan *ssh.Request, 2)
		requests <- &ssh.Request{Type: "env"}
		requests <- &ssh.Request{Type: "exec"}
		over := make(chan struct{})
		go func() {
			defer close(over)
			c.run(quickEnd{}, requests)
		}()
		time.Sleep(5 * time.Millisecond) // a test of something wrong needs this, and one of what is right does not
		s.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadFull(s, make([]byte, maxQueued)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []byte{sshwire.ChannelRequest, sshwire.ChannelRequest, sshwire.EOF} {
			head := make([]byte, sshwire.HeadSize)
			if _, err := io.ReadFull(s, head); err != nil {
				t.Fatal(err)
			}
			_, size, _ := sshwire.Head(head)
			body := make([]byte, size)
			if _, err := io.ReadFull(s, body); err != nil || body[0] != want {
				t.Fatalf("round %d: message %d, %v, in place of %d", i, body[0], err, want)
			}
		}
		close(requests)
		c.close()
		<-over
		s.wg.Wait()
	}
}
