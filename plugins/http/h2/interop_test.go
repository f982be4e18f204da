package h2_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// serve serves a handler on the upstream's connections by Go's HTTP/2; nil: with its defaults.
func serve(h http.HandlerFunc, config *http.HTTP2Config) func(net.Conn) {
	return func(c net.Conn) {
		l := &one{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
		l.conn <- c
		s := &http.Server{Handler: h, Protocols: new(http.Protocols), HTTP2: config, ConnState: func(_ net.Conn, st http.ConnState) {
			if st == http.StateClosed {
				_ = l.Close()
			}
		}}
		s.Protocols.SetUnencryptedHTTP2(true)
		_ = s.Serve(l)
	}
}

// one is a listener of one connection.
type one struct {
	conn   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *one) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *one) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *one) Addr() net.Addr { return &net.TCPAddr{} }

// client is Go's HTTP/2 client through the gateway.
func (g *gateway) client() (*http.Client, func()) {
	tr := &http.Transport{Protocols: new(http.Protocols), DialContext: func(context.Context, string, string) (net.Conn, error) {
		if c := g.dial(); c != nil {
			return c, nil
		}
		return nil, net.ErrClosed // it dials a spare one
	}}
	tr.Protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: tr}, tr.CloseIdleConnections
}

// echo answers with what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	n, err := io.Copy(h, r.Body)
	w.Header().Set("X-Method", r.Method)
	w.Header().Set("X-Path", r.URL.RequestURI())
	w.Header().Set("X-Host", r.Host)
	w.Header().Set("X-Agent", r.UserAgent())
	w.Header().Set("X-Token", strings.Join(r.Header["X-Token"], ","))
	fmt.Fprintf(w, "%d %x %v", n, h.Sum(nil), err)
}

func get(t testing.TB, c *http.Client, url string) (int, string, http.Header) {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b), r.Header
}

func TestInterop(t *testing.T) {
	g := &gateway{t: t, upstream: serve(echo, nil)}
	c, done := g.client()
	for i := range 50 {
		path := fmt.Sprintf("/items/%d?x=%d", i, i)
		status, _, h := get(t, c, "http://api"+path)
		if status != 200 || h.Get("X-Path") != path || h.Get("X-Host") != "api" || h.Get("X-Method") != "GET" {
			t.Fatalf("%d %v", status, h)
		}
	}
	for _, size := range []int{0, 1, 100, 16384, 16385, 65535, 65536, 1 << 20, 3 << 20} {
		body := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		r, err := c.Post("http://api/upload", "text/plain", bytes.NewReader(body))
		if err != nil {
			t.Fatal(size, err)
		}
		got, err := io.ReadAll(r.Body)
		r.Body.Close()
		if want := fmt.Sprintf("%d %x <nil>", size, sha256.Sum256(body)); err != nil || string(got) != want {
			t.Fatalf("%d bytes: %s %v, want %s", size, got, err, want)
		}
	}
	done()
	g.inOrder()
	if len(g.asked) != 60 {
		t.Errorf("%d actions", len(g.asked))
	}
}

// TestDownloads: large responses arrive whole, many at once.
func TestDownloads(t *testing.T) {
	const size = 1<<20 + 17
	g := &gateway{t: t, upstream: serve(func(w http.ResponseWriter, r *http.Request) {
		chunk := bytes.Repeat([]byte(r.URL.Path[1:]), 1000)
		for n := 0; n < size; n += len(chunk) {
			if n+len(chunk) > size {
				chunk = chunk[:size-n]
			}
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}, nil)}
	c, done := g.client()
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			text := string(rune('a' + i))
			status, body, _ := get(t, c, "http://api/"+text)
			if status != 200 || body != strings.Repeat(text, size) {
				t.Errorf("%s: %d, %d bytes", text, status, len(body))
			}
		})
	}
	wg.Wait()
	done()
	g.inOrder()
}

// TestDenied: one request of many is denied; the others, and the connection, live on.
func TestDenied(t *testing.T) {
	g := &gateway{t: t, upstream: serve(echo, nil), decide: func(title string, a *abi.Action) gate.Verdict {
		if strings.Contains(title, "secret") {
			return gate.Verdict{Outcome: abi.Deny, Reason: "not that", Rule: "no secrets", Receipt: "r1"}
		}
		return gate.Verdict{}
	}}
	c, done := g.client()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			if i%3 > 0 {
				status, _, h := get(t, c, fmt.Sprintf("http://api/items/%d", i))
				if status != 200 || h.Get("X-Path") != fmt.Sprintf("/items/%d", i) {
					t.Errorf("%d %v", status, h)
				}
				return
			}
			r, err := c.Post("http://api/secret", "text/plain", strings.NewReader(strings.Repeat("x", i*5000)))
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			b, err := io.ReadAll(r.Body)
			if want := `{"type":"about:blank","title":"Forbidden","status":403,"detail":"not that","rule":"no secrets","receipt":"r1"}` + "\n"; err != nil || r.StatusCode != 403 ||
				string(b) != want || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s %v %v", r.StatusCode, b, r.Header, err)
			}
		})
	}
	wg.Wait()
	done()
	g.inOrder()
}
