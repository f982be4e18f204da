package main

import (
	"context"
	"os"
	"testing"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// What a program sends on a connection again and again, and what it gets.
const (
	smallRequest = "GET /api/v1/users/1234?fields=name,mail HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: python-requests/2.31.0\r\n" +
		"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
	largeRequest = "GET /api/v1/users/1234?fields=name,mail HTTP/1.1\r\nHost: api.example.com\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,image/svg+xml,*/*;q=0.8\r\n" +
		"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nReferer: https://api.example.com/some/page?with=a&query=string\r\n" +
		"Cookie: session=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef; theme=dark; tracking=GA1.2.1234567890.1234567890\r\n" +
		"Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c\r\n" +
		"Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nPriority: u=0, i\r\n" +
		"If-None-Match: \"0123456789abcdef\"\r\nX-Request-Id: 01234567-89ab-cdef-0123-456789abcdef\r\nConnection: keep-alive\r\n\r\n"
	smallResponse = "HTTP/1.1 200 OK\r\nServer: nginx/1.24.0\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n" +
		"Content-Length: 12\r\nConnection: keep-alive\r\n\r\n{\"id\": 1234}"
)

// caller is a guest, in the sandbox or not.
type caller interface {
	Open(facts []byte) ([]byte, bool, error)
	Event(e []byte) ([]byte, bool, error)
}

func begin(tb testing.TB, g caller, data func(side abi.Side, p []byte)) {
	tb.Helper()
	if _, _, err := g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "api.example.com", Peer: "agent", Profile: "dev"})); err != nil {
		tb.Fatal(err)
	}
	data(abi.Agent, []byte(smallRequest))
	for range 2 { // the connection is allowed, and the request
		if _, _, err := g.Event(nil); err != nil {
			tb.Fatal(err)
		}
	}
	if _, _, err := g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindConnected})); err != nil {
		tb.Fatal(err)
	}
	data(abi.Upstream, []byte(smallResponse))
}

// rounds are requests with their responses.
func rounds(b *testing.B, data func(side abi.Side, p []byte)) {
	for name, text := range map[string]string{"small": smallRequest, "large": largeRequest} {
		b.Run(name, func(b *testing.B) {
			request, response := []byte(text), []byte(smallResponse)
			b.ReportAllocs()
			for b.Loop() {
				data(abi.Agent, request)
				data(abi.Upstream, response)
			}
		})
	}
}

// BenchmarkNative is a request and its response as ordinary Go, for profiles.
func BenchmarkNative(b *testing.B) {
	g := native(b)
	data := func(side abi.Side, p []byte) {
		if list, _, err := g.Data(side, p, 0); err != nil || len(list) == 0 {
			b.Fatalf("%d bytes of commands: %v", len(list), err)
		}
	}
	begin(b, g, data)
	rounds(b, data)
}

func native(tb testing.TB) *sdk.Native {
	tb.Helper()
	p := &session.Plugin{}
	if _, err := sdk.ConfigureNative(p, nil); err != nil {
		tb.Fatal(err)
	}
	return sdk.NewNative(p, nil)
}

// BenchmarkGuest is the same in the sandbox, with fuel.
func BenchmarkGuest(b *testing.B) {
	ctx := context.Background()
	engine, err := guest.NewEngine(ctx, guest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	wasm, err := os.ReadFile(module(b))
	if err != nil {
		b.Fatal(err)
	}
	m, err := engine.Load(ctx, "http", wasm)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	manifest, err := abi.ParseManifest(m.Manifest())
	if err != nil {
		b.Fatal(err)
	}
	options, err := manifest.ResolveOptions(nil)
	if err != nil {
		b.Fatal(err)
	}
	template, err := m.Configure(ctx, options)
	if err != nil {
		b.Fatal(err)
	}
	defer template.Close()
	g, err := template.New(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	data := func(side abi.Side, p []byte) {
		if list, _, err := g.Data(uint32(side), p, 0); err != nil || len(list) == 0 {
			b.Fatalf("%d bytes of commands: %v", len(list), err)
		}
	}
	begin(b, g, data)
	rounds(b, data)
}

// A request and its response leave nothing behind on the heap.
func TestNothingAllocated(t *testing.T) {
	g := native(t)
	data := func(side abi.Side, p []byte) {
		if list, _, err := g.Data(side, p, 0); err != nil || len(list) == 0 {
			t.Fatalf("%d bytes of commands: %v", len(list), err)
		}
	}
	begin(t, g, data)
	for name, text := range map[string]string{"small": smallRequest, "large": largeRequest} {
		request, response := []byte(text), []byte(smallResponse)
		if n := testing.AllocsPerRun(200, func() {
			data(abi.Agent, request)
			data(abi.Upstream, response)
		}); n != 0 {
			t.Errorf("%s: %v allocations for a request", name, n)
		}
	}
}
