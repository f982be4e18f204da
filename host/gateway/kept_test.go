package gateway

import (
	"fmt"
	"testing"
)

// A note finds the receipt of each of the last 64 decisions, of no other, and a relay's session keeps room for its one.
func TestReceiptsForNotes(t *testing.T) {
	var s session
	for _, action := range []uint32{0, 1, 70} {
		if id := s.kept(action); id != "" {
			t.Errorf("action %d, never decided: %q", action, id)
		}
	}
	s.keep(1, "first")
	if id := s.kept(1); id != "first" || len(s.receipts) > 2 {
		t.Errorf("%q, room for %d", id, len(s.receipts))
	}
	for action := uint32(1); action <= 200; action++ {
		s.keep(action, fmt.Sprint(action))
	}
	for action := uint32(0); action <= 264; action++ {
		want := ""
		if action > 200-keptReceipts && action <= 200 {
			want = fmt.Sprint(action)
		}
		if id := s.kept(action); id != want {
			t.Errorf("action %d: %q, not %q", action, id, want)
		}
	}
	if n := len(s.receipts); n != keptReceipts {
		t.Errorf("room for %d", n)
	}
}
