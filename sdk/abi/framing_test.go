package abi

import (
	"math"
	"testing"
)

func TestFrameSize(t *testing.T) {
	postgres := Framing{Head: 5, LengthAt: 1, LengthWidth: 4, BigEndian: true, Adjust: 1, Max: 1 << 30}
	with := func(change func(f *Framing)) Framing { f := postgres; change(&f); return f }
	wide := with(func(f *Framing) { f.Head, f.LengthAt, f.LengthWidth, f.Max = 9, 1, 8, math.MaxUint64 })
	for _, c := range []struct {
		name string
		f    Framing
		head string
		size uint64
		ok   bool
	}{
		{"smallest", postgres, "D\x00\x00\x00\x04", 5, true},
		{"ordinary", postgres, "D\x00\x00\x01\x00", 257, true},
		{"less than the head", postgres, "D\x00\x00\x00\x03", 4, false},
		{"zero", postgres, "D\x00\x00\x00\x00", 1, false},
		{"largest", postgres, "D\x3f\xff\xff\xff", 1 << 30, true},
		{"too large", postgres, "D\x40\x00\x00\x00", 1<<30 + 1, false},
		{"2^31-1", postgres, "D\x7f\xff\xff\xff", 1 << 31, false},
		{"-1", postgres, "D\xff\xff\xff\xff", 1 << 32, false},
		{"little endian", with(func(f *Framing) { f.BigEndian = false }), "D\x07\x01\x00\x00", 264, true},
		{"one byte", with(func(f *Framing) { f.LengthWidth = 1 }), "D\xff\x00\x00\x00", 256, true},
		{"two bytes in the middle", with(func(f *Framing) { f.LengthAt, f.LengthWidth = 2, 2 }), "D\xff\x01\x00\xff", 257, true},
		{"2^63", wide, "D\x80\x00\x00\x00\x00\x00\x00\x00", 1<<63 + 1, true},
		{"2^64-2", wide, "D\xff\xff\xff\xff\xff\xff\xff\xfe", math.MaxUint64, true},
		{"a sum that overflows", wide, "D\xff\xff\xff\xff\xff\xff\xff\xff", 0, false},
		{"a sum far past the end", with(func(f *Framing) { *f = wide; f.Adjust = math.MaxInt32 }), "D\xff\xff\xff\xff\xff\xff\xff\xff", 0, false},
		{"a difference below zero", with(func(f *Framing) { *f = wide; f.Adjust = -1 }), "D\x00\x00\x00\x00\x00\x00\x00\x00", 0, false},
		{"far below zero", with(func(f *Framing) { f.Adjust, f.Max = math.MinInt32, math.MaxUint64 }), "D\x7f\xff\xff\xff", 0, false},
		{"a large adjustment", with(func(f *Framing) { f.Adjust, f.Max = math.MinInt32, math.MaxUint64 }), "D\x80\x00\x00\x05", 5, true},
	} {
		size, ok := c.f.Size([]byte(c.head))
		if ok != c.ok || ok && size != c.size {
			t.Errorf("%s: %d %v, want %d %v", c.name, size, ok, c.size, c.ok)
		}
	}
}

func TestTypeSet(t *testing.T) {
	s := Types('d', 0, 255)
	for v := range 256 {
		if s.Has(byte(v)) != (v == 'd' || v == 0 || v == 255) {
			t.Errorf("type %d: %v", v, s.Has(byte(v)))
		}
	}
}

func TestFactsByName(t *testing.T) {
	f := Facts{Slots: []string{"password"}, Attributes: []Attribute{{"user", ""}}}
	if v, ok := f.Attribute("user"); v != "" || !ok || !f.Filled("password") {
		t.Error("what is there")
	}
	if _, ok := f.Attribute("password"); ok || f.Filled("user") {
		t.Error("what is not there")
	}
}
