//go:build !wasip1

package conversation

import (
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// Cut is a way to cut what a conversation sends into deliveries.
type Cut struct {
	Side  abi.Side
	At    uint64 // one cut, before this byte of the side
	bytes bool
	seed  uint64 // cuts at random places
}

// EachByte delivers byte by byte.
var EachByte = Cut{bytes: true}

// RandomCuts cuts at places that follow from seed.
func RandomCuts(seed uint64) Cut { return Cut{seed: seed | 1} }

func (c Cut) String() string {
	switch {
	case c.bytes:
		return "byte by byte"
	case c.seed != 0:
		return "at random places"
	}
	return fmt.Sprintf("before byte %d of the %v", c.At, c.Side)
}

// piece cuts for a drygate.
func (c Cut) piece(side abi.Side, at uint64, n int) int {
	switch {
	case c.bytes:
		return 1
	case c.seed != 0:
		x := (at + uint64(side) + c.seed) * 0x9e3779b97f4a7c15 // any number that depends on the place
		return 1 + int(x>>33)%max(1, min(n, 64))
	case side == c.Side && c.At > at && c.At < at+uint64(n):
		return int(c.At - at)
	}
	return n
}

// Cuts are all ways to cut the conversation in two inside of a step, at most limit of them, evenly spread; limit 0: all.
func (s *Script) Cuts(limit int) []Cut {
	var all []Cut
	var at [2]uint64
	for i := range s.Steps {
		st := &s.Steps[i]
		switch st.Does {
		case Sends:
			for k := 1; k < len(st.Data); k++ {
				all = append(all, Cut{Side: st.Side, At: at[st.Side] + uint64(k)})
			}
			at[st.Side] += uint64(len(st.Data))
		case Unseen:
			at[st.Side] += st.N
		}
	}
	if limit <= 0 || len(all) <= limit {
		return all
	}
	some := make([]Cut, 0, limit)
	for i := range limit {
		some = append(some, all[i*len(all)/limit])
	}
	return some
}

// Replay plays the steps, cut in this way, without comparing anything, and returns what happened. It closes the guest.
func (s *Script) Replay(guest drygate.Guest, m *abi.Manifest, c Cut) drygate.Transcript {
	defer guest.Close()
	g := s.Gate(guest, m, c.piece)
	for i := range s.Steps {
		if g.Over() {
			break
		}
		s.Steps[i].Do(g)
	}
	return g.Transcript()
}
