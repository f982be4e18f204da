package gate

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// watched checks at each Read of one side that what was read before has been written.
type watched struct {
	*tcpConn
	to   *tcpConn
	read int64
	room int64 // how many bytes may be under way
	t    testing.TB
}

func (w *watched) Read(p []byte) (int, error) {
	if under := w.read - w.to.wrote.Load(); under > w.room {
		w.t.Errorf("%d bytes are under way when more are read", under)
	}
	n, err := w.tcpConn.Read(p)
	w.read += int64(n)
	return n, err
}

// An agent that does not read stops the reader of the upstream: nothing is read before what was read is written.
func TestBackpressure(t *testing.T) {
	const size = 16 << 20
	lives(t, func(cfg *Config, s *session) {
		agent := cfg.Agent.(*tcpConn)
		s.dial = func(context.Context) (Conn, error) {
			return &watched{tcpConn: s.conn, to: agent, room: 0, t: t}, nil
		}
	}, func(t *testing.T, r *rig) {
		r.talk()
		r.write(r.agent, "get all\n")
		r.read(r.upstream, "get all\n")
		sent := make(chan error)
		go func() {
			_, err := io.Copy(r.upstream, io.MultiReader(strings.NewReader("data 16777216\n"), io.LimitReader(zeros{}, size)))
			_ = r.upstream.CloseWrite()
			sent <- err
		}()
		r.read(r.agent, "data 16777216\n")
		if n, err := io.Copy(io.Discard, r.agent); n != size || err != nil {
			t.Errorf("the agent got %d bytes, %v", n, err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		_ = r.agent.CloseWrite()
		r.readEnd(r.upstream, "")
		r.wait()
	})
}

// An agent that sends and does not read the plugin's answers is read no further.
func TestBackpressureOfAnswers(t *testing.T) {
	const size = 4 << 20
	g := &script{open: one(dialing())}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if end {
			return one(list(nil).close("end"))
		}
		return one(list(nil).drop(uint64(len(p))).send(string(p)))
	}
	r := start(t, g, func(cfg *Config, s *session) {
		agent := cfg.Agent.(*tcpConn)
		cfg.Agent = &watched{tcpConn: agent, to: agent, room: 2*backlog + 2*largeRead, t: t}
	})
	go func() {
		_, _ = io.Copy(r.agent, io.LimitReader(zeros{}, size))
		_ = r.agent.CloseWrite()
	}()
	if n, err := io.Copy(io.Discard, r.agent); n != size || err != nil {
		t.Errorf("the agent got %d bytes, %v", n, err)
	}
	r.wait()
}

// summed is a stream of random bytes whose checksum is known afterwards.
func summed(seed uint64) (io.Reader, hash.Hash) {
	h := sha256.New()
	return io.TeeReader(rand.NewChaCha8([32]byte{byte(seed)}), h), h
}

// An upstream that answers while it is sent to (an echo) gets and returns everything: neither direction waits for the other.
func TestBulkEcho(t *testing.T) {
	const size = 64 << 20
	guest, manifest := guests[0].guest()
	r := start(t, guest, func(cfg *Config, _ *session) { cfg.Manifest = manifest })
	go func() {
		b := make([]byte, 100_000)
		for {
			n, err := r.upstream.Read(b)
			if _, werr := r.upstream.Write(b[:n]); err != nil || werr != nil {
				break
			}
		}
		_ = r.upstream.CloseWrite()
	}()
	source, sent := summed(1)
	done := make(chan error)
	go func() {
		_, err := io.CopyN(r.agent, source, size)
		_ = r.agent.CloseWrite()
		done <- err
	}()
	got := sha256.New()
	if n, err := io.Copy(got, r.agent); n != size || err != nil {
		t.Errorf("the agent got %d bytes, %v", n, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if string(got.Sum(nil)) != string(sent.Sum(nil)) {
		t.Error("what came back is not what was sent")
	}
	if e := r.wait(); e.Read != [2]uint64{size, size} || e.Written != e.Read {
		t.Errorf("ended with %+v", e)
	}
}

// Bytes of their own in both directions at once, with half-closes at different times.
func TestBulkBothWays(t *testing.T) {
	guest, manifest := guests[0].guest()
	r := start(t, guest, func(cfg *Config, _ *session) { cfg.Manifest = manifest })
	send := func(c *net.TCPConn, seed uint64, n int64) chan []byte {
		sum := make(chan []byte, 1)
		go func() {
			source, h := summed(seed)
			_, _ = io.CopyN(c, source, n)
			_ = c.CloseWrite()
			sum <- h.Sum(nil)
		}()
		return sum
	}
	receive := func(c *net.TCPConn) chan []byte {
		sum := make(chan []byte, 1)
		go func() {
			h := sha256.New()
			_, _ = io.Copy(h, c)
			sum <- h.Sum(nil)
		}()
		return sum
	}
	up, down := send(r.agent, 2, 16<<20), send(r.upstream, 3, 8<<20)
	atUpstream, atAgent := receive(r.upstream), receive(r.agent)
	if string(<-up) != string(<-atUpstream) || string(<-down) != string(<-atAgent) {
		t.Error("what came is not what was sent")
	}
	r.wait()
}

// A side that does not read stops what is sent to it, and not what it sends.
func TestDirectionsAreIndependent(t *testing.T) {
	const size, room = 16 << 20, 256 << 10
	for _, deaf := range []abi.Side{abi.Agent, abi.Upstream} {
		t.Run("the "+deaf.String()+" does not read", func(t *testing.T) {
			guest, manifest := guests[0].guest()
			r := start(t, guest, func(cfg *Config, s *session) {
				cfg.Manifest = manifest
				for _, k := range []*tcpConn{cfg.Agent.(*tcpConn), s.conn} {
					_ = k.SetWriteBuffer(room)
					_ = k.SetReadBuffer(room)
				}
			})
			from, to := r.agent, r.upstream
			if deaf == abi.Agent {
				from, to = to, from
			}
			_ = to.SetReadBuffer(room)
			_ = from.SetWriteBuffer(room)
			r.write(from, "x")
			r.read(to, "x")
			sent := make(chan error)
			go func() { // more than fits on the way, before to reads
				_, err := io.CopyN(from, zeros{}, size)
				_ = from.CloseWrite()
				sent <- err
			}()
			got := make(chan int64)
			go func() {
				n, _ := io.Copy(io.Discard, from)
				got <- n
			}()
			if _, err := io.CopyN(to, zeros{}, size); err != nil {
				t.Error(err)
			}
			_ = to.CloseWrite()
			if n := <-got; n != size {
				t.Errorf("%d bytes of %d came from the side that does not read", n, size)
			}
			if n, err := io.Copy(io.Discard, to); n != size || err != nil {
				t.Errorf("%d bytes of %d came to it in the end, %v", n, size, err)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
			r.wait()
		})
	}
}
