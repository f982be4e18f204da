package head
import "testing"
func BenchmarkParts(b *testing.B) {
	p := []byte(example)
	var r Request
	var s Scanner
	b.Run("scan", func(b *testing.B){ for b.Loop() { s.Reset(); s.End(p) } })
	b.Run("line", func(b *testing.B){ for b.Loop() { r.line(p) } })
	i, _ := r.line(p)
	b.Run("fields", func(b *testing.B){ for b.Loop() { r.Fields.read(p, i) } })
	b.Run("framing", func(b *testing.B){ for b.Loop() { r.Framing.read(p, &r.Fields, true) } })
	b.Run("check", func(b *testing.B){ for b.Loop() { r.check(p) } })
	b.Run("nothing", func(b *testing.B){ for b.Loop() { hostOK(p[:3], false) } })
}
