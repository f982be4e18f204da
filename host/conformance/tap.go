package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// tap is a guest that is watched: what it answers is hashed, what it spends and how long it takes is measured.
type tap struct {
	drygate.Guest
	outputs hash.Hash
	full    int64 // units in the account when a delivery begins; 0: not measured
	samples []sample
}

// sample is one delivery of bytes.
type sample struct {
	bytes int
	fuel  int64
	took  time.Duration
}

// fueled is a guest whose account can be read.
type fueled interface{ FuelLeft() int64 }

func newTap(g drygate.Guest) *tap { return &tap{Guest: g, outputs: sha256.New()} }

// digest is the hash of everything that the guest has answered.
func (t *tap) digest() string { return hex.EncodeToString(t.outputs.Sum(nil)) }

func (t *tap) saw(commands []byte, more bool, err error) ([]byte, bool, error) {
	t.outputs.Write(commands)
	mark := byte(0)
	if more {
		mark |= 1
	}
	if err != nil {
		mark |= 2
	}
	t.outputs.Write([]byte{0xff, mark})
	return commands, more, err
}

func (t *tap) Open(facts []byte) ([]byte, bool, error) { return t.saw(t.Guest.Open(facts)) }

func (t *tap) Event(e []byte) ([]byte, bool, error) {
	n := len(t.samples) - 1
	if n < 0 || len(e) > 0 && e[0] != byte(abi.KindVerdict) {
		return t.saw(t.Guest.Event(e))
	}
	// What a verdict leads to belongs to the delivery that was asked about.
	start := time.Now()
	defer func() { t.measure(&t.samples[n], start) }()
	return t.saw(t.Guest.Event(e))
}

func (t *tap) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	if len(p) == 0 {
		return t.saw(t.Guest.Data(side, p, flags))
	}
	t.samples = append(t.samples, sample{bytes: len(p)})
	start := time.Now()
	defer func() { t.measure(&t.samples[len(t.samples)-1], start) }()
	return t.saw(t.Guest.Data(side, p, flags))
}

func (t *tap) measure(s *sample, start time.Time) {
	s.took += time.Since(start)
	if f, ok := t.Guest.(fueled); ok && t.full > 0 {
		s.fuel += t.full - f.FuelLeft()
	}
}
