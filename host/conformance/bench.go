package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
)

// Speed is what a plugin takes for one fixture, on one processor.
type Speed struct {
	Fixture     string        `json:"fixture"`
	Connections int           `json:"connections"`
	New         time.Duration `json:"new_guest_ns"`      // median
	Deliveries  int           `json:"deliveries"`        // of all connections
	P50         time.Duration `json:"delivery_p50_ns"`   // what follows from a delivery belongs to it
	P99         time.Duration `json:"delivery_p99_ns"`   //
	PerSecond   float64       `json:"bytes_per_second"`  // that the guest was shown, by the time it took
	Bytes       int64         `json:"bytes_shown"`       //
	Actions     int           `json:"actions_each"`      // of one connection
	PerAction   time.Duration `json:"per_action_ns"`     // guest's time of all deliveries by actions
	Connection  time.Duration `json:"per_connection_ns"` // median of guest's time
	Failed      string        `json:"failed,omitempty"`  // the plugin failed
}

// Bench lives through each fixture again and again, for about the given time in all.
func Bench(ctx context.Context, m *Module, fixtures []*Fixture, d time.Duration) ([]Speed, error) {
	if len(fixtures) == 0 {
		fixtures = generic()
	}
	var all []Speed
	for _, f := range fixtures {
		s, err := bench(ctx, m, f, d/time.Duration(len(fixtures)))
		if err != nil {
			return nil, err
		}
		all = append(all, *s)
	}
	return all, nil
}

func bench(ctx context.Context, m *Module, f *Fixture, d time.Duration) (*Speed, error) {
	e, err := m.Configure(ctx, f.Script.Options)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	s := &Speed{Fixture: f.Name}
	var fresh, deliveries, whole []time.Duration
	for begin := time.Now(); s.Connections == 0 || time.Since(begin) < d; s.Connections++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		start := time.Now()
		g, err := e.Guest(ctx)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, time.Since(start))
		t := newTap(g)
		got := f.Script.Replay(t, m.Manifest, conversation.Cut{})
		if err := got.Crashed(); err != nil {
			s.Failed = err.Error()
			return s, nil
		}
		s.Actions = len(got.Asks())
		var sum time.Duration
		for _, x := range t.samples {
			deliveries = append(deliveries, x.took)
			sum += x.took
			s.Bytes += int64(x.bytes)
		}
		whole = append(whole, sum)
	}
	slices.Sort(fresh)
	slices.Sort(whole)
	slices.Sort(deliveries)
	s.New, s.Connection = quantile(fresh, 50), quantile(whole, 50)
	if len(deliveries) == 0 {
		return s, nil
	}
	s.Deliveries, s.P50, s.P99 = len(deliveries), quantile(deliveries, 50), quantile(deliveries, 99)
	var total time.Duration
	for _, x := range whole {
		total += x
	}
	s.PerSecond = float64(s.Bytes) / max(total.Seconds(), 1e-9)
	if s.Actions > 0 {
		s.PerAction = total / time.Duration(s.Actions*s.Connections)
	}
	return s, nil
}
