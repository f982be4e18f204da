package h2_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestHeldOverTheGate: many requests wait for people, with bodies; others go by; then half of those are allowed.
func TestHeldOverTheGate(t *testing.T) {
	const waiting = 20
	var mu sync.Mutex
	holds := map[string]*hold{}
	all := make(chan struct{})
	g := &gateway{t: t, upstream: serve(echo, nil), decide: func(title string, a *abi.Action) gate.Verdict {
		if !strings.Contains(title, "/wait") {
			return gate.Verdict{}
		}
		mu.Lock()
		defer mu.Unlock()
		h := newHold()
		holds[title] = h
		if len(holds) == waiting {
			close(all)
		}
		return h.pending()
	}}
	c, done := g.client()
	body := strings.Repeat("0123456789", 5000)
	var wg sync.WaitGroup
	for i := range waiting {
		wg.Go(func() {
			r, err := c.Post(fmt.Sprintf("http://api/wait/%d", i), "text/plain", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			b, err := io.ReadAll(r.Body)
			want := 200
			if i%2 == 1 {
				want = 403
			}
			if err != nil || r.StatusCode != want || want == 200 && (r.Header.Get("X-Path") != fmt.Sprintf("/wait/%d", i) || !strings.HasPrefix(string(b), "50000 ")) {
				t.Errorf("%d: %d %v %s %v", i, r.StatusCode, r.Header, b, err)
			}
		})
	}
	<-all
	for i := range 20 { // the connection works, with bodies larger than its first window
		r, err := c.Post(fmt.Sprintf("http://api/now/%d", i), "text/plain", bytes.NewReader(make([]byte, 100_000)))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r.Body); err != nil || !strings.HasPrefix(string(b), "100000 ") {
			t.Fatal(string(b), err)
		}
		r.Body.Close()
	}
	mu.Lock()
	for title, h := range holds {
		v := gate.Verdict{}
		if n := title[len(title)-1]; n%2 == 1 {
			v = gate.Verdict{Outcome: abi.Deny, Reason: "no"}
		}
		h.verdict <- v
	}
	mu.Unlock()
	wg.Wait()
	done()
	g.inOrder()
}

// TestStreaming: what gRPC does: both sides speak by turns in one stream, and the response ends with trailers.
func TestStreaming(t *testing.T) {
	g := &gateway{t: t, upstream: serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				break
			}
			fmt.Fprintf(w, "echo %s", line)
			_ = http.NewResponseController(w).Flush()
		}
		w.Header().Set("Grpc-Status", "0")
		w.Header().Set("Grpc-Message", "fine")
	}, nil)}
	c, done := g.client()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			pr, pw := io.Pipe()
			req, _ := http.NewRequest("POST", fmt.Sprintf("http://api/pkg.Service/Method%d", i), pr)
			req.Header.Set("Content-Type", "application/grpc")
			req.Header.Set("TE", "trailers")
			r, err := c.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			out := bufio.NewReader(r.Body)
			for n := range 50 {
				fmt.Fprintf(pw, "message %d of %d\n", n, i)
				if line, err := out.ReadString('\n'); err != nil || line != fmt.Sprintf("echo message %d of %d\n", n, i) {
					t.Error(line, err)
					return
				}
			}
			pw.Close()
			if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 || r.Trailer.Get("Grpc-Status") != "0" || r.Trailer.Get("Grpc-Message") != "fine" {
				t.Error(string(rest), err, r.Trailer)
			}
		})
	}
	wg.Wait()
	done()
	g.inOrder()
}

// TestCancelled: a client that gives up ends the request at the upstream, and one that waits for a person.
func TestCancelled(t *testing.T) {
	started, ended := make(chan struct{}, 10), make(chan error, 10)
	h := newHold()
	asked := make(chan struct{}, 1)
	g := &gateway{t: t, upstream: serve(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quick" {
			return
		}
		started <- struct{}{}
		<-r.Context().Done()
		ended <- r.Context().Err()
	}, nil), decide: func(title string, a *abi.Action) gate.Verdict {
		if strings.Contains(title, "/wait") {
			asked <- struct{}{}
			return h.pending()
		}
		return gate.Verdict{}
	}}
	c, done := g.client()
	for _, path := range []string{"/slow", "/wait"} {
		ctx, cancel := context.WithCancel(context.Background())
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://api"+path, nil)
		result := make(chan error, 1)
		go func() { _, err := c.Do(req); result <- err }()
		if path == "/slow" {
			<-started
		} else {
			<-asked
		}
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if path == "/slow" {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		if status, _, _ := get(t, c, "http://api/quick"); status != 200 {
			t.Error(status)
		}
	}
	done()
	g.inOrder()
}

// TestInspectedOverTheGate: bodies, compressed ones as well, are known before the verdict.
func TestInspectedOverTheGate(t *testing.T) {
	var mu sync.Mutex
	bodies := map[string]string{}
	g := &gateway{t: t, options: map[string]any{"inspect_body": true, "body_limit": int64(20000)}, upstream: serve(echo, nil), decide: func(title string, a *abi.Action) gate.Verdict {
		mu.Lock()
		defer mu.Unlock()
		for i, f := range a.Family.Fields {
			if f.Name == "body" && a.Values[i].Known {
				bodies[title] = strings.Clone(a.Values[i].Str)
			}
		}
		if strings.Contains(bodies[title], "forbidden") {
			return gate.Verdict{Outcome: abi.Deny, Reason: "not that"}
		}
		return gate.Verdict{}
	}}
	c, done := g.client()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, strings.Repeat("a forbidden word ", 100))
	z.Close()
	for _, r := range []struct {
		path, encoding, body string
		status               int
		known                bool
	}{
		{"/plain", "", "hello", 200, true}, {"/bad", "", "a forbidden word", 403, true}, {"/zipped", "gzip", zipped.String(), 403, true},
		{"/unknown", "snappy", "xyz", 200, false}, {"/long", "", strings.Repeat("x", 30000), 200, false}, {"/longer", "", strings.Repeat("x", 300000), 200, false},
		{"/limit", "", strings.Repeat("x", 20000), 200, true}, {"/twice", "gzip, gzip", zipped.String(), 200, false},
	} {
		req, _ := http.NewRequest("POST", "http://api"+r.path, io.NopCloser(strings.NewReader(r.body))) // without Content-Length
		if r.encoding != "" {
			req.Header.Set("Content-Encoding", r.encoding)
		}
		got, err := c.Do(req)
		if err != nil {
			t.Fatal(r.path, err)
		}
		b, err := io.ReadAll(got.Body)
		got.Body.Close()
		_, known := bodies["POST api"+r.path]
		if err != nil || got.StatusCode != r.status || known != r.known || r.status == 200 && !strings.HasPrefix(string(b), fmt.Sprint(len(r.body), " ")) {
			t.Errorf("%s: %d %.60s %v, known %v", r.path, got.StatusCode, b, err, known)
		}
	}
	done()
	g.inOrder()
}

// TestSecret: the upstream gets the gateway's header and not the agent's, whatever its size.
func TestSecret(t *testing.T) {
	for _, n := range []int{1, 126, 127, 128, 8000} {
		secret := strings.Repeat("s", n)
		g := &gateway{t: t, options: map[string]any{"credential": int64(n), "parameter": int64(n)}, secret: secret, upstream: serve(echo, nil)}
		c, done := g.client()
		for range 3 {
			req, _ := http.NewRequest("GET", "http://api/", nil)
			req.Header.Set("X-Token", "mine")
			req.Header.Set("X-Long", strings.Repeat("y", 10000))
			r, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			if got := r.Header.Get("X-Token"); got != secret || r.Header.Get("X-Path") != "/?key="+secret {
				t.Errorf("%d bytes: the upstream got %d, %d", n, len(got), len(r.Header.Get("X-Path")))
			}
		}
		done()
		g.wait()
	}
}

// TestSmallUpstream: an upstream with small windows and few streams.
func TestSmallUpstream(t *testing.T) {
	g := &gateway{t: t, upstream: serve(echo, &http.HTTP2Config{MaxConcurrentStreams: 3, MaxReceiveBufferPerStream: 65535, MaxReceiveBufferPerConnection: 65535})}
	c, done := g.client()
	get(t, c, "http://api/first")
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			r, err := c.Post("http://api/", "text/plain", bytes.NewReader(make([]byte, 300_000)))
			if err != nil {
				t.Error(i, err)
				return
			}
			defer r.Body.Close()
			if b, err := io.ReadAll(r.Body); err != nil || !strings.HasPrefix(string(b), "300000 ") {
				t.Error(string(b), err)
			}
		})
	}
	wg.Wait()
	done()
	g.inOrder()
}

// TestRetiring: an upstream that says GOAWAY in good order loses no request.
func TestRetiring(t *testing.T) {
	var mu sync.Mutex
	served := 0
	g := &gateway{t: t, upstream: serve(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		served++
		last := served%5 == 0
		mu.Unlock()
		if last {
			w.Header().Set("Connection", "close") // Go's server says GOAWAY for this
		}
		fmt.Fprint(w, r.URL.Path)
	}, nil)}
	c, done := g.client()
	for i := range 23 {
		path := fmt.Sprintf("/%d", i)
		if status, body, _ := get(t, c, "http://api"+path); status != 200 || body != path {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	done()
	g.inOrder()
}
