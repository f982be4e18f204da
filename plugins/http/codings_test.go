package main

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestHiddenEcho: where a secret is sent the server is asked for bodies as they are, and one that compresses all the same is not passed on; where none is,
// compression is nobody's business.
func TestHiddenEcho(t *testing.T) {
	const token = "tok-5f2e9c1b7a684d30"
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := r.Header.Get("Authorization")
		switch {
		case r.URL.Path == "/always", strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"):
			w.Header().Set("Content-Encoding", "gzip")
			if r.Method != "HEAD" {
				z := gzip.NewWriter(w)
				fmt.Fprint(z, text)
				_ = z.Close()
			}
		case r.URL.Path == "/grpc":
			w.Header().Set("Grpc-Encoding", "gzip")
			fmt.Fprint(w, text)
		case r.URL.Path == "/chunked":
			w.Header().Set("Content-Encoding", "aws-chunked")
			fmt.Fprint(w, text)
		default:
			fmt.Fprintf(w, "%s %s", text, r.Header.Get("Accept-Encoding"))
		}
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	for _, c := range []struct {
		method, path, slot string
		status             int
		body               string
	}{
		{"GET", "/", "bearer", 200, "Bearer " + token + " identity"},
		{"GET", "/always", "bearer", 502, ""},
		{"HEAD", "/always", "bearer", 200, ""},
		{"GET", "/grpc", "bearer", 502, ""},
		{"GET", "/chunked", "bearer", 200, "Bearer " + token},
		{"GET", "/always", "", 200, ""},
		{"GET", "/", "", 200, ""},
		{"GET", "/grpc", "", 200, "mine"},
	} {
		g := gatewayTo(t, s.Listener.Addr().String(), map[string]any{"h2c": true}, nil)
		if c.slot != "" {
			g.has(func(f *abi.Facts) {
				f.Slots, f.Sizes = []string{c.slot}, []uint32{uint32(len("Bearer " + token))}
			}, slots{secret: func(int) ([]byte, error) { return []byte("Bearer " + token), nil }})
		}
		for version, agent := range agents(t) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, g.url(c.path), nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", "gzip, br")
			r.Header.Set("Authorization", "mine")
			status, body := do(t, agent, r)
			if c.path == "/grpc" {
				r.Header.Del("Accept-Encoding")
				r.Header.Set("Accept-Encoding", "identity")
				status, body = do(t, agent, r)
			}
			if status != c.status || c.body != "" && body != c.body {
				t.Errorf("HTTP/%s %s %s with %q: %d %q", version, c.method, c.path, c.slot, status, body)
			}
			if hidden := strings.HasPrefix(body, "\x1f\x8b"); hidden != (c.slot == "" && c.path != "/grpc") {
				t.Errorf("HTTP/%s %s %s with %q: compressed %v", version, c.method, c.path, c.slot, hidden)
			}
		}
	}
}
