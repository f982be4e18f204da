package extism

import (
	"runtime"
	"sync"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestManyGuests: guests of one template live beside each other, and leave nothing behind.
func TestManyGuests(t *testing.T) {
	tmpl := extismTemplate(t, nil)
	round := func(n int) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range n {
					g, err := tmpl.New(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					if _, _, err := g.Open(nil); err != nil {
						t.Error(err)
					}
					if _, _, err := g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1})); err != nil {
						t.Error(err)
					}
					if out, _, err := g.Data(abi.Agent, []byte("get a\n"), 0); err != nil || len(out) == 0 {
						t.Errorf("%d bytes, %v", len(out), err)
					}
					g.Close()
				}
			})
		}
		wg.Wait()
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	round(20)
	before := heap()
	round(100)
	if after := heap(); after > before+4<<20 { // one guest has a megabyte
		t.Errorf("400 guests left %d KiB behind", (after-before)>>10)
	}
	tmpl.mu.Lock()
	defer tmpl.mu.Unlock()
	if tmpl.users != 0 {
		t.Errorf("%d guests are left", tmpl.users)
	}
}
