package gate

import (
	"context"
	"io"
	"runtime"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// BenchmarkRelay moves bytes from the upstream to the agent, unseen, over loopback.
func BenchmarkRelay(b *testing.B) {
	const size = 1 << 20
	r := start(b, NewRelay(), func(cfg *Config, _ *session) { cfg.Manifest = RelayManifest() })
	b.SetBytes(size)
	go func() {
		_, _ = io.Copy(r.upstream, io.LimitReader(zeros{}, int64(b.N)*size))
		_ = r.upstream.CloseWrite()
	}()
	if n, err := io.Copy(io.Discard, struct{ io.Reader }{r.agent}); err != nil || n != int64(b.N)*size {
		b.Fatal(n, err)
	}
	_ = r.agent.CloseWrite()
	r.wait()
}

// BenchmarkRequest has a small request asked about and answered, over loopback.
func BenchmarkRequest(b *testing.B) {
	for _, g := range guests {
		b.Run(g.name, func(b *testing.B) {
			guest, manifest := g.guest()
			r := start(b, guest, func(cfg *Config, s *session) {
				cfg.Manifest, cfg.Session = manifest, allowing{s}
			})
			request, answer := []byte("get key\n"), []byte("value\n")
			in, out := make([]byte, len(request)), make([]byte, len(answer))
			b.ReportAllocs()
			for b.Loop() {
				_, e1 := r.agent.Write(request)
				_, e2 := io.ReadFull(r.upstream, in)
				_, e3 := r.upstream.Write(answer)
				_, e4 := io.ReadFull(r.agent, out)
				if e1 != nil || e2 != nil || e3 != nil || e4 != nil {
					b.Fatal(e1, e2, e3, e4)
				}
			}
			r.stop()
			r.wait()
		})
	}
}

// allowing is a session that remembers nothing.
type allowing struct{ *session }

// Settle has nothing to wait for.
func (allowing) Settle() error { return nil }

func (allowing) Decide(context.Context, *Question) Verdict { return Verdict{Outcome: abi.Allow} }
func (allowing) Note(uint32, []string)                     {}

// BenchmarkIdle reports what a connection takes that has talked once and waits, with the test's own two ends in it.
func BenchmarkIdle(b *testing.B) {
	const connections = 200
	for _, g := range guests {
		b.Run(g.name, func(b *testing.B) {
			for b.Loop() {
				before := inUse()
				var rigs []*rig
				for range connections {
					guest, manifest := g.guest()
					r := start(b, guest, func(cfg *Config, _ *session) { cfg.Manifest = manifest })
					r.talk()
					rigs = append(rigs, r)
				}
				b.ReportMetric(float64(inUse()-before)/connections, "B/conn")
				for _, r := range rigs {
					r.stop()
					r.wait()
				}
			}
		})
	}
}

// inUse is the memory of heap and stacks after a collection, in bytes.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
