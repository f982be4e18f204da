package webhook

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestHoldEnds: a receiver that never answers is left when the hold is over, also while waiting.
func TestHoldEnds(t *testing.T) {
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	a := ask(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// Read, so that the server notices when the client leaves.
		io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}), nil)
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	a.announce(t, ctx, held())
	if len(a.votes) != 0 || !strings.Contains(a.log.String(), "was over before") {
		t.Errorf("%d votes, log: %s", len(a.votes), a.log)
	}
}

// TestAttempt: one try is bounded, and another follows.
func TestAttempt(t *testing.T) {
	var requests atomic.Int64
	release := make(chan struct{})
	a := ask(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if requests.Add(1) == 1 {
			<-release
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}), func(o *Options) { o.Attempt = 2 * time.Second })
	defer close(release)
	a.announce(t, t.Context(), held())
	if n := requests.Load(); n < 2 {
		t.Errorf("%d requests", n)
	}
}

// TestSlowReceiver: a receiver that hangs has a bounded number of requests under way, and others are not delayed by it.
func TestSlowReceiver(t *testing.T) {
	const parallel, holds = 2, 6
	var now, most atomic.Int64
	arrived, release := make(chan struct{}, holds), make(chan struct{})
	slow := ask(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		arrived <- struct{}{}
		<-release
		w.WriteHeader(http.StatusAccepted)
	}), func(o *Options) { o.Parallel = parallel })
	fast := ask(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"decision":"approve"}`) }), nil)
	var all sync.WaitGroup
	for range holds {
		all.Go(func() { slow.announce(t, t.Context(), held()) })
	}
	for range parallel {
		<-arrived
	}
	fast.announce(t, t.Context(), held())
	if len(fast.votes) != 1 {
		t.Error("the fast receiver was not asked")
	}
	close(release)
	all.Wait()
	if n := most.Load(); n > parallel {
		t.Errorf("%d requests at a time", n)
	}
}
