package extism

import (
	"testing"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// BenchmarkRequest is one request and its answer, as the gate has a guest see them: two deliveries and a verdict, with 5 bytes each, by
// the same plugin in both lanes.
func BenchmarkRequest(b *testing.B) {
	for _, l := range lanes(b, nil) {
		b.Run(l.name, func(b *testing.B) {
			g := opened(b, l)
			b.ReportAllocs()
			for id := uint32(2); b.Loop(); id++ {
				must(b, g, abi.Agent, []byte("get a\n"))
				verdict(b, g, id)
				must(b, g, abi.Upstream, []byte("ok a\n"))
			}
		})
	}
}

// BenchmarkDelivery is 64 KiB of a stream.
func BenchmarkDelivery(b *testing.B) {
	for _, l := range lanes(b, nil) {
		b.Run(l.name, func(b *testing.B) {
			g := opened(b, l)
			must(b, g, abi.Agent, []byte("feed\n"))
			verdict(b, g, 2)
			p := make([]byte, g.InputCapacity())
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				must(b, g, abi.Agent, p)
			}
		})
	}
}

// BenchmarkGuest is the making and the end of a guest.
func BenchmarkGuest(b *testing.B) {
	n, e := nativeTemplate(b, nil), extismTemplate(b, nil)
	b.Run("native", func(b *testing.B) {
		for b.Loop() {
			g, err := n.New(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			g.Close()
		}
	})
	b.Run("extism", func(b *testing.B) {
		for b.Loop() {
			g, err := e.New(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			g.Close()
		}
	})
}

func opened(b *testing.B, l lane) gate.Guest {
	b.Helper()
	g := l.guest(b)
	if _, _, err := g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "e", Peer: "p", Profile: "q"})); err != nil {
		b.Fatal(err)
	}
	verdict(b, g, 1)
	return g
}

func verdict(b *testing.B, g gate.Guest, id uint32) {
	if _, _, err := g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: id})); err != nil {
		b.Fatal(err)
	}
}

func must(b *testing.B, g gate.Guest, side abi.Side, p []byte) {
	if _, _, err := g.Data(side, p, 0); err != nil {
		b.Fatal(err)
	}
}
