package layer

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// slowTransport writes when it may.
type slowTransport struct {
	Transport
	begun  chan struct{} // of a write
	may    chan error    // what it ends with
	writes chan []byte   // what it was about
	closed chan struct{}
}

func (s *slowTransport) Write(p []byte) (int, error) {
	s.begun <- struct{}{}
	err := <-s.may
	s.writes <- bytes.Clone(p)
	return len(p), err
}

func (s *slowTransport) Close() error {
	close(s.closed)
	return nil
}

func newSlow() *slowTransport {
	return &slowTransport{begun: make(chan struct{}, 9), may: make(chan error, 9), writes: make(chan []byte, 9), closed: make(chan struct{})}
}

// TestGather: what comes while a write is carried out goes into the next one, in its order; no more than a bounded amount waits; closing waits for it.
func TestGather(t *testing.T) {
	slow := newSlow()
	var wg sync.WaitGroup
	g := Gather(slow, 0, func(f func()) bool {
		wg.Go(f)
		return true
	})
	say := func(p []byte) {
		t.Helper()
		if n, err := g.Write(p); n != len(p) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	say([]byte("first "))
	<-slow.begun
	want := []byte{}
	for i := range 256 {
		p := bytes.Repeat([]byte{byte(i)}, maxGathered/256)
		say(p)
		want = append(want, p...)
	}
	waits := make(chan struct{})
	go func() {
		defer close(waits)
		_, _ = g.Write([]byte("one too many"))
	}()
	select {
	case <-waits:
		t.Fatal("more waits than may")
	default:
	}
	slow.may <- nil
	if p := <-slow.writes; string(p) != "first " {
		t.Fatalf("%q", p)
	}
	<-slow.begun
	<-waits // there is room again
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = g.Close()
	}()
	slow.may <- nil
	if p := <-slow.writes; !bytes.Equal(p, want) {
		t.Fatalf("%d bytes, not %d", len(p), len(want))
	}
	<-slow.begun
	select {
	case <-slow.closed:
		t.Fatal("closed before everything was written")
	default:
	}
	slow.may <- nil
	if p := <-slow.writes; string(p) != "one too many" {
		t.Fatalf("%q", p)
	}
	<-closed
	<-slow.closed
	wg.Wait()
}

// TestGatherFails: who writes after a write that failed is told, and closing does not wait any more; so is who writes when nothing runs any more.
func TestGatherFails(t *testing.T) {
	slow := newSlow()
	var wg sync.WaitGroup
	g := Gather(slow, 0, func(f func()) bool {
		wg.Go(f)
		return true
	})
	_, _ = g.Write([]byte("a"))
	<-slow.begun
	_, _ = g.Write([]byte("b"))
	broken := errors.New("broken")
	slow.may <- broken
	wg.Wait()
	if _, err := g.Write([]byte("c")); !errors.Is(err, broken) {
		t.Errorf("after a failure: %v", err)
	}
	_ = g.Close()
	<-slow.closed
	over := Gather(newSlow(), 0, func(func()) bool { return false })
	if _, err := over.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("when all is over: %v", err)
	}
}

// TestGatherSmall: a small write is carried out before it returns where nothing waits, and in its turn where something does.
func TestGatherSmall(t *testing.T) {
	slow := newSlow()
	var wg sync.WaitGroup
	g := Gather(slow, 10, func(f func()) bool {
		wg.Go(f)
		return true
	})
	slow.may <- nil
	if _, err := g.Write([]byte("small")); err != nil {
		t.Fatal(err)
	}
	if p := <-slow.writes; string(p) != "small" {
		t.Fatalf("%q", p)
	}
	<-slow.begun
	if _, err := g.Write([]byte("this is a large one")); err != nil {
		t.Fatal(err)
	}
	<-slow.begun
	if _, err := g.Write([]byte("small")); err != nil {
		t.Fatal(err)
	}
	slow.may <- nil
	slow.may <- nil
	if a, b := <-slow.writes, <-slow.writes; string(a) != "this is a large one" || string(b) != "small" {
		t.Fatalf("%q, %q", a, b)
	}
	wg.Wait()
}

// TestGatherPatience: closing gives up on a peer that takes nothing, and closes the transport all the same.
func TestGatherPatience(t *testing.T) {
	slow := newSlow()
	var wg sync.WaitGroup
	g := Gather(slow, 0, func(f func()) bool {
		wg.Go(f)
		return true
	})
	g.patience = time.Millisecond
	if _, err := g.Write([]byte("never taken")); err != nil {
		t.Fatal(err)
	}
	<-slow.begun
	_ = g.Close()
	<-slow.closed
	if _, err := g.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("behind the end: %v", err)
	}
	slow.may <- net.ErrClosed // as the transport does when it is closed
	wg.Wait()
}
