package zstd_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	kp "github.com/klauspost/compress/zstd"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd/zstdtest"
)

func pack(t testing.TB, p []byte, options ...kp.EOption) []byte {
	t.Helper()
	w, err := kp.NewWriter(nil, append(options, kp.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(p, nil)
}

// packStream has no size in its head.
func packStream(t testing.TB, p []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := kp.NewWriter(&b, kp.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	for len(p) > 0 {
		n := min(len(p), 70_000)
		if _, err := w.Write(p[:n]); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func undo(c zstd.Caller, frame []byte, size int) ([]byte, error) {
	out := make([]byte, size)
	err := zstd.Undo(c, 0, out, append(make([]byte, zstd.HeadSize), frame...))
	return out, err
}

// samples are data of many kinds.
func samples() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise, skewed, ids := make([]byte, 70_000), make([]byte, 70_000), []byte(nil)
	for i := range noise {
		noise[i] = byte(random.Uint32())
		skewed[i] = byte(random.ExpFloat64() * 9)
	}
	var texts strings.Builder
	for i := range 9_000 {
		fmt.Fprintf(&texts, "\x15text number %d", i*7919)
		ids = binary.LittleEndian.AppendUint64(ids, uint64(i)*0x9E3779B97F4A7C15>>20)
	}
	return map[string][]byte{
		"one byte": {7}, "short": []byte("hello, hello, hello"), "zeros": make([]byte, 300_000), "noise": noise, "skewed": skewed,
		"texts": []byte(texts.String()), "ids": ids, "far": append(append(bytes.Clone(noise), ids...), noise...),
	}
}

// TestUndo undoes what an encoder of others makes of data of many kinds.
func TestUndo(t *testing.T) {
	c := zstdtest.New(t)
	for name, want := range samples() {
		for way, frame := range map[string][]byte{
			"fastest": pack(t, want, kp.WithEncoderLevel(kp.SpeedFastest)), "default": pack(t, want), "best": pack(t, want, kp.WithEncoderLevel(kp.SpeedBestCompression), kp.WithWindowSize(8<<20)),
			"no checksum": pack(t, want, kp.WithEncoderCRC(false)), "stream": packStream(t, want), "single segment": pack(t, want, kp.WithSingleSegment(true)),
		} {
			for caller, c := range map[string]zstd.Caller{"module": c, "twin": zstdtest.Twin{}} {
				if got, err := undo(c, frame, len(want)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s, %s, %s: %v", name, way, caller, err)
				}
				if way != "default" && way != "stream" { // with a size in its head, and without
					continue
				}
				for _, size := range []int{len(want) - 1, len(want) + 1} {
					if _, err := undo(c, frame, size); err == nil {
						t.Errorf("%s, %s, %s: %d bytes become %d", name, way, caller, len(want), size)
					}
				}
			}
		}
	}
}

// TestRefused has what ZSTD_decompress would take, or what other decoders do, and what is broken; each stands beside what is taken.
func TestRefused(t *testing.T) {
	c := zstdtest.New(t)
	want := []byte(strings.Repeat("what comes, goes. ", 100))
	frame := pack(t, want)
	skip := []byte("\x50\x2a\x4d\x18\x03\x00\x00\x00abc")
	empty := []byte("\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00")
	cut := func(p []byte, n int) []byte { return p[:len(p)-n] }
	changed := func(p []byte, at int, b byte) []byte {
		p = bytes.Clone(p)
		p[at] ^= b
		return p
	}
	large := []byte("\x28\xb5\x2f\xfd\x80\x58\xff\xff\xff\xff\x01\x00\x00") // says that it becomes 4 GiB
	for name, bad := range map[string]struct {
		frame []byte
		says  string
	}{
		"nothing":                  {nil, "no frame"},
		"something behind":         {append(bytes.Clone(frame), 0), "more than one frame"},
		"a frame behind":           {append(bytes.Clone(frame), empty...), "more than one frame"},
		"a skipped frame behind":   {append(bytes.Clone(frame), skip...), "more than one frame"},
		"a skipped frame before":   {append(bytes.Clone(skip), frame...), "no frame"},
		"a skipped frame":          {skip, "no frame"},
		"its last byte missing":    {cut(frame, 1), ""},
		"its checksum missing":     {cut(frame, 4), ""},
		"half of it":               {cut(frame, len(frame)/2), ""},
		"its head alone":           {frame[:5], ""},
		"another magic number":     {changed(frame, 0, 1), "Unknown frame descriptor"},
		"zstd 0.7":                 {changed(frame, 0, 0x28^0x27), "Unknown frame descriptor"},
		"a reserved bit":           {changed(frame, 4, 8), "Unsupported"},
		"another checksum":         {changed(frame, len(frame)-1, 1), "checksum"},
		"a dictionary":             {[]byte("\x28\xb5\x2f\xfd\x21\x05\x13\x01\x00\x00"), "dictionary"},
		"a window that is too far": {[]byte("\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00"), "too much memory"},
		"a size that lies":         {large, "another size"},
		"an empty frame":           {empty, "another size"},
	} {
		for i, c := range []zstd.Caller{c, zstdtest.Twin{}} {
			_, err := undo(c, bad.frame, len(want))
			if err == nil || i == 0 && (!strings.Contains(err.Error(), bad.says) || strings.Contains(err.Error(), "trapped")) {
				t.Errorf("%s (%d): %v", name, i, err)
			}
			if got, err := undo(c, frame, len(want)); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("behind %s (%d): %v", name, i, err)
			}
		}
	}
	if _, err := undo(c, frame, zstd.MaxSize+1); err == nil {
		t.Error("more than the bound is taken")
	}
	if got, err := undo(c, empty, 0); err != nil || len(got) != 0 {
		t.Errorf("an empty frame that becomes nothing: %v", err)
	}
}

// TestLargest undoes as much as is taken: of nearly nothing, and of as many bytes.
func TestLargest(t *testing.T) {
	c := zstdtest.New(t)
	want := make([]byte, zstd.MaxSize)
	if got, err := undo(c, pack(t, want), len(want)); err != nil || !bytes.Equal(got, want) {
		t.Error(err)
	}
	want = want[:zstd.MaxSize-1<<10]
	random := rand.NewChaCha8([32]byte{})
	random.Read(want)
	if got, err := undo(c, pack(t, want, kp.WithEncoderLevel(kp.SpeedFastest)), len(want)); err != nil || !bytes.Equal(got, want) {
		t.Error(err)
	}
}

// differ has both decoders undo a frame: they say the same.
func differ(t *testing.T, c zstd.Caller, frame []byte, size int) (ok bool) {
	t.Helper()
	got, err := undo(c, frame, size)
	twin, wrong := undo(zstdtest.Twin{}, frame, size)
	switch {
	case err != nil && strings.Contains(err.Error(), "trapped"):
		t.Fatalf("%x to %d bytes: %v", frame, size, err)
	case (err == nil) != (wrong == nil):
		t.Errorf("%.20x to %d bytes: the module says %v, its twin %v", frame, size, err, wrong)
		return false
	case err == nil && !bytes.Equal(got, twin):
		t.Fatalf("%x to %d bytes: the module and its twin differ", frame, size)
	}
	return err == nil
}

// TestDamaged changes frames without checksums: what one decoder takes, the other one takes, for the same bytes.
func TestDamaged(t *testing.T) {
	c := zstdtest.New(t)
	random := rand.New(rand.NewPCG(3, 4))
	whole, all := 0, 0
	for _, want := range samples() {
		want = want[:min(len(want), 6000)]
		for _, level := range []kp.EncoderLevel{kp.SpeedFastest, kp.SpeedBestCompression} {
			frame := pack(t, want, kp.WithEncoderLevel(level), kp.WithEncoderCRC(false))
			for range 40 {
				bad := bytes.Clone(frame)
				for range 1 + random.IntN(3) {
					bad[4+random.IntN(len(bad)-4)] = byte(random.IntN(256))
				}
				all++
				if differ(t, c, bad, len(want)) {
					whole++
				}
			}
		}
	}
	if whole == 0 || whole == all {
		t.Errorf("%d of %d are taken", whole, all)
	}
}

// FuzzUndo does the same with anything.
func FuzzUndo(f *testing.F) {
	for _, want := range samples() {
		want = want[:min(len(want), 3000)]
		f.Add(pack(f, want, kp.WithEncoderCRC(false)), uint16(len(want)))
		f.Add(pack(f, want, kp.WithEncoderCRC(false), kp.WithEncoderLevel(kp.SpeedBestCompression)), uint16(len(want)))
		f.Add(packStream(f, want), uint16(len(want)))
	}
	f.Add([]byte("\x50\x2a\x4d\x18\x03\x00\x00\x00abc"), uint16(0))
	c := zstdtest.New(f)
	f.Fuzz(func(t *testing.T, frame []byte, size uint16) { differ(t, c, frame, int(size)) })
}

func BenchmarkUndo(b *testing.B) {
	c := zstdtest.New(b)
	for name, want := range samples() {
		frame := pack(b, want)
		b.Run(name, func(b *testing.B) {
			in, out := append(make([]byte, zstd.HeadSize), frame...), make([]byte, len(want))
			b.SetBytes(int64(len(want)))
			for b.Loop() {
				if err := zstd.Undo(c, 0, out, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
