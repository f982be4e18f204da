package approve

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

// memory is a store without a disk, so that benchmarks measure the book.
type memory struct{ state.Store }

func (memory) Put(context.Context, string, []byte, int64, time.Duration) (int64, error) {
	return 1, nil
}
func (memory) Delete(context.Context, string, int64) error         { return nil }
func (memory) List(context.Context, string) ([]state.Entry, error) { return nil, nil }

// BenchmarkHold opens and ends a hold while 10,000 others are open.
func BenchmarkHold(b *testing.B) {
	for name, disk := range map[string]bool{"memory": false, "disk": true} {
		b.Run(name, func(b *testing.B) {
			o := Options{Store: memory{}, Journal: &quiet{}, Settings: Settings{PerPeer: 100, Total: 20_000}}
			book, err := Open(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			defer book.Close()
			record := func(string, time.Time) (string, error) { return "r", nil }
			r := request()
			r.Detached = true
			for i := range 10_000 {
				r.Peer = fmt.Sprint("peer ", i%200)
				if _, err := book.Hold(b.Context(), r, record); err != nil {
					b.Fatal(err)
				}
			}
			if disk {
				store, err := bolt.Open(filepath.Join(b.TempDir(), "state.db"))
				if err != nil {
					b.Fatal(err)
				}
				defer store.Close()
				defer book.Close()
				book.store = store
			}
			r.Peer = "claude"
			no := Vote{Approver: Console, Digest: r.Digest.String()}
			b.ReportAllocs()
			for b.Loop() {
				h, err := book.Hold(b.Context(), r, record)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := book.Vote(b.Context(), h.ID(), no); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type quiet struct{}

func (*quiet) Ended(context.Context, *Status, Ending) (string, error) { return "r", nil }

// BenchmarkTakeNothing is what a held action costs more because there could be a grant.
func BenchmarkTakeNothing(b *testing.B) {
	store, err := bolt.Open(filepath.Join(b.TempDir(), "state.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	book, err := Open(b.Context(), Options{Store: store, Journal: &quiet{}})
	if err != nil {
		b.Fatal(err)
	}
	defer book.Close()
	for b.Loop() {
		if _, _, ok, err := book.Take(b.Context(), "claude", someDigest, nil); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	s := subject()
	b.ReportAllocs()
	for b.Loop() {
		_ = DigestOf(s)
	}
}

// BenchmarkRestart opens a book in which an earlier run left 1,000 holds open: one write each.
func BenchmarkRestart(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		store, err := bolt.Open(filepath.Join(b.TempDir(), "state.db"))
		if err != nil {
			b.Fatal(err)
		}
		o := Options{Store: store, Journal: &quiet{}, Settings: Settings{PerPeer: 1000}}
		book, err := Open(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		r := request()
		r.Detached = true
		for range 1000 {
			if _, err := book.Hold(b.Context(), r, func(string, time.Time) (string, error) { return "r", nil }); err != nil {
				b.Fatal(err)
			}
		}
		if err := book.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if book, err = Open(b.Context(), o); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := book.Close(); err != nil {
			b.Fatal(err)
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
