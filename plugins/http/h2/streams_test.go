package h2

import (
	"math/rand/v2"
	"testing"
)

// TestIndex compares the index with a map: numbers that follow each other, as clients choose them, and such as make for collisions.
func TestIndex(t *testing.T) {
	for name, next := range map[string]func(r *rand.Rand, last uint32) uint32{
		"in order":   func(_ *rand.Rand, last uint32) uint32 { return last + 2 },
		"with gaps":  func(r *rand.Rand, last uint32) uint32 { return last + 2 + 2*r.Uint32N(300) },
		"colliding":  func(r *rand.Rand, last uint32) uint32 { return last + 2*indexSize*(1+r.Uint32N(3)) },
		"mixed":      func(r *rand.Rand, last uint32) uint32 { return last + 2 + 2*(indexSize-1)*r.Uint32N(2) },
		"in bunches": func(r *rand.Rand, last uint32) uint32 { return last + 2 + 2*indexSize*(r.Uint32N(8)/7) },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var x index
			model, ids := map[uint32]uint8{}, []uint32{}
			last := uint32(1)
			for range 200_000 {
				if last > 1<<30 {
					last %= 1001
					last |= 1
					for model[last] != 0 {
						last += 2
					}
				}
				if len(ids) < maxStreams && r.IntN(2) == 0 {
					if _, there := model[last]; !there {
						model[last] = uint8(1 + r.IntN(maxStreams))
						ids = append(ids, last)
						x.put(last, model[last])
					}
					last = next(r, last)
				} else if len(ids) > 0 {
					i := r.IntN(len(ids))
					if r.IntN(2) == 0 {
						i = 0 // the oldest, as it mostly is
					}
					id := ids[i]
					if got := x.remove(id); got != int(model[id]) {
						t.Fatalf("%d is at %d, not %d", id, got, model[id])
					}
					ids = append(ids[:i], ids[i+1:]...)
					delete(model, id)
				}
				probe := last + 2*r.Uint32N(indexSize)
				if len(ids) > 0 && r.IntN(2) == 0 {
					probe = ids[r.IntN(len(ids))]
				}
				if slot, there := model[probe]; there != (x.find(probe) >= 0) || there && x.find(probe) != int(slot) {
					t.Fatalf("%d is found at %d; it is there: %v, at %d", probe, x.find(probe), there, slot)
				}
			}
			astray, used := 0, 0
			for i, id := range x.keys {
				if id != 0 {
					used++
					if home(id) != uint32(i) {
						astray++
					}
				}
			}
			if astray != x.astray || used != len(model) {
				t.Errorf("%d are counted as astray, %d are; %d of %d entries", x.astray, astray, used, len(model))
			}
		})
	}
}
