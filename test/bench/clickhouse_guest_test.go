package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/plugins"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// BenchmarkClickHouseGuest measures what a query costs inside the sandbox alone, by the calls that the gate makes for it, with its answer in one piece.
func BenchmarkClickHouseGuest(b *testing.B) {
	empty := append(append([]byte{2, 0}, chHead...), 0, 0)
	rows := append(append([]byte{1, 0}, chHead...), "\x01\x01\x011\x05UInt8\x01"...)
	progress := []byte{3, 1, 1, 0}
	profile := []byte{6, 1, 1, 9, 0, 0, 0}
	over := append([]byte{1, 0}, chHead...)
	over = append(over, 0, 0, 5)
	answer := bytes.Join([][]byte{rows, rows, progress, profile, progress, over}, nil)
	for _, c := range []struct {
		name string
		text func(i int) string
	}{
		{"repeated", func(int) string { return "SELECT 1" }},
		{"new", func(i int) string { return fmt.Sprintf("SELECT name, value FROM metrics.points WHERE id = %d", i) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := chGuest(b)
			for i := 0; b.Loop(); i++ {
				_, more, err := g.Data(0, append(chQuery(c.text(i), 0), empty...), 0)
				must(b)(nil, more, err)
				if more {
					must(b)(g.Event(nil))
				}
				must(b)(g.Data(1, answer, 0))
			}
		})
	}
}

// chGuest is a guest past its login.
func chGuest(b *testing.B) *guest.Guest {
	cache, err := os.UserCacheDir()
	if err != nil {
		b.Fatal(err)
	}
	e, err := guest.NewEngine(b.Context(), guest.Options{CacheDir: filepath.Join(cache, "sallyport", "bench")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	wasm, err := plugins.Module("clickhouse")
	if err != nil {
		b.Fatal(err)
	}
	p, err := e.Load(b.Context(), "clickhouse", wasm)
	if err != nil {
		b.Fatal(err)
	}
	t, err := p.Configure(b.Context(), []byte(`{"protocol": "native", "max_query": 262144}`))
	if err != nil {
		b.Fatal(err)
	}
	g, err := t.New(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(g.Close)
	must(b)(g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "e", Peer: "p", Profile: "d"})))
	hello := chString([]byte{0}, "bench")
	hello = append(binary.AppendUvarint(append(hello, 1, 1), chRevision), 0)
	must(b)(g.Data(0, append(chString(hello, "default"), 0), 0))
	must(b)(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1})))
	must(b)(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindConnected})))
	welcome := chString([]byte{0}, "ClickHouse")
	welcome = binary.AppendUvarint(append(welcome, 18, 16), chRevision)
	welcome = append(chString(chString(welcome, "UTC"), "host"), 1)
	must(b)(g.Data(1, welcome, 0))
	return g
}
