// Package retry says how long to wait before something is tried once more.
package retry

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	first = 500 * time.Millisecond
	most  = 30 * time.Second
	// asked bounds what the other side can ask for.
	asked = 5 * time.Minute
)

// Delay returns how long to wait after failure number try, from 1: twice as long each time up to half a minute, less a random part of
// up to a half, so that many that failed together do not come back together. After is what the other side asks for, 0 if it does not.
func Delay(try int, after time.Duration) time.Duration {
	d := most
	if shift := try - 1; shift >= 0 && shift < 6 {
		d = first << shift
	}
	d = min(d, most)
	d -= rand.N(d / 2)
	return max(d, min(after, asked))
}

// After reads the header Retry-After, RFC 9110 section 10.2.3; 0 when there is none.
func After(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// Wait waits, and reports whether ctx is still alive then.
func Wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
