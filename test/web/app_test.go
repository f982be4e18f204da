package web

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// app is a server in Go that says what it was asked.
type app struct {
	listener net.Listener
	server   *http.Server

	mu   sync.Mutex
	seen []string // method and path of each request
}

func newApp(dir string) (*app, error) {
	c, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &app{listener: l}
	mux := http.NewServeMux()
	mux.HandleFunc("/digest", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		fmt.Fprintf(w, "%s %d %s %v\n", r.Method, n, hex.EncodeToString(h.Sum(nil)), err)
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		_ = r.Header.Write(w)
	})
	mux.HandleFunc("/bucket/", object)
	mux.HandleFunc("/stream", stream)
	mux.HandleFunc("/query", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, r.URL.RawQuery) })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("/events", events)
	mux.HandleFunc("/trailers", trailers)
	mux.HandleFunc("/socket", socket)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s\n", r.Method, r.URL.Path, r.Proto)
	})
	a.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.seen = append(a.seen, r.Method+" "+r.URL.Path)
		a.mu.Unlock()
		mux.ServeHTTP(w, r)
	}), TLSConfig: &tls.Config{Certificates: []tls.Certificate{c}}}
	go func() { _ = a.server.ServeTLS(l, "", "") }()
	return a, nil
}

// stream sends as many bytes as it is asked for, the same for everybody.
func stream(w http.ResponseWriter, r *http.Request) {
	var n int64
	if _, err := fmt.Sscan(r.URL.Query().Get("n"), &n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.URL.Query().Has("counted") {
		w.Header().Set("Content-Length", fmt.Sprint(n))
	}
	_, _ = io.CopyN(w, &noise{}, n)
}

// noise are bytes that do not repeat soon.
type noise struct{ state uint64 }

func (x *noise) Read(p []byte) (int, error) {
	for i := range p {
		x.state = x.state*6364136223846793005 + 1442695040888963407
		p[i] = byte(x.state >> 33)
	}
	return len(p), nil
}

// events sends an event, and the second only when the client has read the first: it asks for it by another request.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range 3 {
		fmt.Fprintf(w, "data: %d\n\n", i)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func trailers(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "Checked")
	_, _ = io.Copy(w, r.Body)
	w.Header().Set("Checked", "yes")
}

// socket takes an upgrade and answers each line with itself in upper case.
func socket(w http.ResponseWriter, r *http.Request) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusHTTPVersionNotSupported)
		return
	}
	defer c.Close()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
	_ = rw.Flush()
	for lines := bufio.NewScanner(rw); lines.Scan(); {
		fmt.Fprintf(rw, "%s\n", strings.ToUpper(lines.Text()))
		_ = rw.Flush()
	}
}

func (a *app) port() int { return a.listener.Addr().(*net.TCPAddr).Port }

func (a *app) close() { _ = a.server.Close() }

// asked is how often a request came.
func (a *app) asked(request string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.seen {
		if s == request {
			n++
		}
	}
	return n
}
