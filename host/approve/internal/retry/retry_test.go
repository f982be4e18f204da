package retry

import (
	"context"
	"net/http"
	"testing"
	"time"
)

func TestDelay(t *testing.T) {
	for try, full := range map[int]time.Duration{1: first, 2: 2 * first, 3: 4 * first, 6: 16 * time.Second, 7: most, 100: most, 1 << 40: most} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := Delay(try, 0)
			if d > full || d < full/2 {
				t.Fatalf("after failure %d: %s, want %s to %s", try, d, full/2, full)
			}
			seen[d] = true
		}
		if len(seen) < 2 {
			t.Errorf("after failure %d always the same", try)
		}
	}
	if d := Delay(1, time.Minute); d != time.Minute {
		t.Errorf("asked for a minute: %s", d)
	}
	if d := Delay(1, 100*time.Hour); d != asked {
		t.Errorf("asked for 100 hours: %s", d)
	}
}

func TestAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "1.5": 0, "x": 0, "99999999999999": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0,
	} {
		if got := After(http.Header{"Retry-After": {v}}, now); got != want {
			t.Errorf("%q: %s, want %s", v, got, want)
		}
	}
}

func TestWait(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	if !Wait(ctx, 0) {
		t.Error("nothing to wait for, and the context is said to have ended")
	}
	cancel()
	if Wait(ctx, time.Hour) {
		t.Error("the context has ended")
	}
}
