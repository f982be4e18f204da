package receipt

import (
	"path/filepath"
	"testing"
)

func BenchmarkAppend(b *testing.B) {
	r := decision("SELECT u.id, u.name, o.total FROM public.users u JOIN public.orders o ON o.user_id = u.id WHERE u.id = $1")
	b.Run("one", func(b *testing.B) {
		l := open(b, filepath.Join(b.TempDir(), "r"), Options{})
		b.ReportAllocs()
		for b.Loop() {
			appendTo(b, l, r)
		}
	})
	b.Run("as a gateway has it", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "r")
		l := open(b, path, Options{KeyFile: path + ".key", RotateSize: 256 << 20, KeepSize: 1 << 30})
		b.ReportAllocs()
		for b.Loop() {
			appendTo(b, l, r)
		}
	})
	b.Run("many", func(b *testing.B) {
		l := open(b, filepath.Join(b.TempDir(), "r"), Options{})
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				appendTo(b, l, r)
			}
		})
	})
}

// BenchmarkLine is the part without the file.
func BenchmarkLine(b *testing.B) {
	r := decision("SELECT u.id, u.name, o.total FROM public.users u JOIN public.orders o ON o.user_id = u.id WHERE u.id = $1")
	e := encoder{tag: "abcde", maxField: MaxField}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _, _ = e.line(buf[:0], r, &tip{})
	}
	b.SetBytes(int64(len(buf)))
}
