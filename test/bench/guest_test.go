package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/plugins"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// BenchmarkGuest measures what a statement costs inside the sandbox alone, by the calls that the gate makes for it: no tunnel, no
// decision, no receipt. A question that is allowed has no event of its own.
func BenchmarkGuest(b *testing.B) {
	results := message(nil, 'D', make([]byte, 8)...)
	results = message(results, 'C', []byte("SELECT 1\x00")...)
	results = message(results, 'Z', 'I')
	rows := append(message(nil, 'T', make([]byte, 27)...), results...)
	bound := append(message(nil, '2'), results...)
	for _, c := range []struct {
		name   string
		query  func(i int) []byte
		answer []byte
	}{
		{"repeated", func(int) []byte { return query("SELECT abalance FROM pgbench_accounts WHERE aid = 17;") }, rows},
		{"new", func(i int) []byte {
			return query(fmt.Sprintf("SELECT abalance FROM pgbench_accounts WHERE aid = %d;", i))
		}, rows},
		{"prepared", func(i int) []byte {
			value := strconv.Itoa(i)
			m := message(nil, 'B', []byte("\x00s\x00\x00\x00\x00\x01\x00\x00\x00"+string(rune(len(value)))+value+"\x00\x00")...)
			m = message(m, 'E', 0, 0, 0, 0, 0)
			return message(m, 'S')
		}, bound},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := benchGuest(b)
			login(b, g, 1)
			prepare := message(nil, 'P', []byte("s\x00SELECT abalance FROM pgbench_accounts WHERE aid = $1\x00\x00\x00")...)
			must(b)(g.Data(0, message(prepare, 'S'), 0))
			must(b)(g.Event(nil))
			must(b)(g.Data(1, message(message(nil, '1'), 'Z', 'I'), 0))
			before := residentMemory(b)
			for i := 0; b.Loop(); i++ {
				_, more, err := g.Data(0, c.query(i), 0)
				must(b)(nil, more, err)
				if more {
					must(b)(g.Event(nil))
				}
				must(b)(g.Data(1, c.answer, 0))
			}
			b.StopTimer()
			b.ReportMetric(residentMemory(b)-before, "KiB")
		})
	}
}

// residentMemory is what the process alone holds, in KiB: guests, and little else that grows here.
func residentMemory(b *testing.B) float64 {
	runtime.GC()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); f[0] == "Private_Dirty:" {
			n, _ := strconv.ParseFloat(f[1], 64)
			return n
		}
	}
	return 0
}

func must(b *testing.B) func([]byte, bool, error) {
	return func(_ []byte, _ bool, err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
}

func benchGuest(b *testing.B) *guest.Guest {
	cache, err := os.UserCacheDir()
	if err != nil {
		b.Fatal(err)
	}
	cache = filepath.Join(cache, "sallyport")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		b.Fatal(err)
	}
	e, err := guest.NewEngine(b.Context(), guest.Options{CacheDir: filepath.Join(cache, "bench")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	wasm, err := plugins.Module("postgres")
	if err != nil {
		b.Fatal(err)
	}
	p, err := e.Load(b.Context(), "postgres", wasm)
	if err != nil {
		b.Fatal(err)
	}
	t, err := p.Configure(b.Context(), []byte(`{"max_message": 1048576}`))
	if err != nil {
		b.Fatal(err)
	}
	g, err := t.New(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(g.Close)
	return g
}

// login brings the guest to the first ReadyForQuery.
func login(b *testing.B, g *guest.Guest, id uint32) {
	startup := append([]byte{0, 0, 0, 0, 0, 3, 0, 0}, "user\x00bench\x00\x00"...)
	startup[3] = byte(len(startup))
	must(b)(g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "e", Peer: "p", Profile: "d"})))
	must(b)(g.Data(0, startup, 0))
	must(b)(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: id})))
	must(b)(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindConnected})))
	hello := message(nil, 'R', 0, 0, 0, 0)
	hello = message(hello, 'S', []byte("client_encoding\x00UTF8\x00")...)
	hello = message(hello, 'S', []byte("standard_conforming_strings\x00on\x00")...)
	hello = message(hello, 'K', make([]byte, 8)...)
	hello = message(hello, 'Z', 'I')
	must(b)(g.Data(1, hello, 0))
}

func query(text string) []byte { return message(nil, 'Q', append([]byte(text), 0)...) }

func message(b []byte, typ byte, body ...byte) []byte {
	n := len(body) + 4
	b = append(b, typ, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	return append(b, body...)
}
