package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// client is a client that keeps connections until the test is over.
func client(t testing.TB) *http.Client {
	tr := &http.Transport{ExpectContinueTimeout: patience, MaxIdleConnsPerHost: 8}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: patience}
}

// echo answers with what it is sent, in the way that the query says.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("X-Sum", fmt.Sprintf("%x", sha256.Sum256(body)))
	switch r.URL.Query().Get("as") {
	case "length":
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	case "close":
		w.Header().Set("Connection", "close")
		w.Header().Set("Transfer-Encoding", "identity")
	case "chunks":
		for len(body) > 0 {
			n := min(len(body), 7000)
			w.Write(body[:n])
			w.(http.Flusher).Flush()
			body = body[n:]
		}
	}
	w.Write(body)
})

// What comes through is what went in, in every framing, on connections that are kept.
func TestBodies(t *testing.T) {
	g := newGateway(t, echo, nil, nil)
	c := client(t)
	var wg sync.WaitGroup
	for worker := range 3 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for i, size := range []int{0, 1, 100, 4 << 10, 64<<10 - 1, 70_000, 300_000, 0, 3 << 20, 17} {
				body := make([]byte, size)
				for j := range body {
					body[j] = byte(random.Uint32())
				}
				for _, as := range []string{"length", "chunks", "close"} {
					var in io.Reader = bytes.NewReader(body)
					if (i+worker)%2 == 0 {
						in = io.MultiReader(in) // of no known length: in chunks
					}
					r, err := c.Post(g.url("/echo?as="+as), "application/octet-stream", in)
					if err != nil {
						t.Errorf("%d bytes, %s: %v", size, as, err)
						return
					}
					got, err := io.ReadAll(r.Body)
					r.Body.Close()
					if err != nil || !bytes.Equal(got, body) || r.Header.Get("X-Sum") != fmt.Sprintf("%x", sha256.Sum256(body)) {
						t.Errorf("%d bytes, %s: %d came back, %v", size, as, len(got), err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// A denial leaves the connection as good as it was.
func TestDeniedOnKeptConnection(t *testing.T) {
	g := newGateway(t, echo, nil, func(a *abi.Action) gate.Verdict {
		if a.Class == abi.ClassDelete {
			return gate.Verdict{Outcome: abi.Deny, Reason: "not that", Rule: "no deletes", Receipt: "r1"}
		}
		return gate.Verdict{}
	})
	c := client(t)
	for i := range 6 {
		method, want := "POST", 200
		if i%2 == 1 {
			method, want = "DELETE", 403
		}
		q, _ := http.NewRequest(method, g.url("/x"), strings.NewReader(strings.Repeat("x", i*20_000)))
		reused := false
		q = q.WithContext(httptrace.WithClientTrace(q.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }}))
		r, err := c.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != want || i == 1 && !reused {
			t.Errorf("%s: %d (%v), connection kept %v", method, r.StatusCode, err, reused)
		}
		if want != 403 {
			continue
		}
		var p map[string]any
		if err := json.Unmarshal(body, &p); err != nil || p["detail"] != "not that" || p["rule"] != "no deletes" || p["receipt"] != "r1" ||
			r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A client that waits for 100 gets it from the server, or the final answer, before it sends its body.
func TestExpect(t *testing.T) {
	for _, inspect := range []bool{false, true} {
		g := newGateway(t, echo, map[string]any{"inspect_body": inspect}, func(a *abi.Action) gate.Verdict {
			if strings.HasSuffix(a.Title, "/no") {
				return gate.Verdict{Outcome: abi.Deny, Reason: "no"}
			}
			return gate.Verdict{}
		})
		c := client(t)
		for _, path := range []string{"/yes", "/no", "/yes"} {
			q, _ := http.NewRequest("POST", g.url(path), strings.NewReader("hello"))
			q.Header.Set("Expect", "100-continue")
			continued := false
			q = q.WithContext(httptrace.WithClientTrace(q.Context(), &httptrace.ClientTrace{Got100Continue: func() { continued = true }}))
			r, err := c.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(r.Body)
			r.Body.Close()
			if path == "/yes" && (!continued || string(body) != "hello") || path == "/no" && (r.StatusCode != 403 || continued != inspect) {
				t.Errorf("inspect %v, %s: %d %q, continued %v", inspect, path, r.StatusCode, body, continued)
			}
		}
	}
}

// Each event of a stream comes at once: the server sends the next one when the client has the one before.
func TestEventsWithoutDelay(t *testing.T) {
	seen := make(chan int)
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 20 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-seen:
			case <-r.Context().Done():
				return
			}
		}
	}), nil, nil)
	r, err := client(t).Get(g.url("/events"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	s := bufio.NewScanner(r.Body)
	n := 0
	for s.Scan() {
		if s.Text() == fmt.Sprintf("data: %d", n) {
			n++
			seen <- n
		}
	}
	if n != 20 || s.Err() != nil {
		t.Errorf("%d events, %v", n, s.Err())
	}
}

// Both ends of a request's body and its response at once.
func TestBothWaysAtOnce(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		for s := bufio.NewScanner(r.Body); s.Scan(); {
			fmt.Fprintf(w, "%s!\n", s.Text())
			w.(http.Flusher).Flush()
		}
	}), nil, nil)
	in, out := io.Pipe()
	go fmt.Fprintln(out, "0")
	r, err := client(t).Post(g.url("/talk"), "text/plain", in)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	s := bufio.NewScanner(r.Body)
	n := 0
	for s.Scan() {
		if s.Text() != fmt.Sprintf("%d!", n) {
			t.Fatalf("%q", s.Text())
		}
		if n++; n == 20 {
			out.Close()
			continue
		}
		fmt.Fprintln(out, n)
	}
	if n != 20 || s.Err() != nil {
		t.Errorf("%d lines, %v", n, s.Err())
	}
}

// A connection that goes on with another protocol is left alone.
func TestUpgrade(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer k.Close()
		fmt.Fprint(k, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		io.Copy(k, b)
	}), nil, nil)
	k := g.dial(t)
	fmt.Fprint(k, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	b := bufio.NewReader(k)
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = b.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	body := bytes.Repeat([]byte("GET / HTTP/1.1\r\n\r\n"), 20_000)
	go func() {
		k.Write(body)
		k.CloseWrite()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d of %d bytes came back: %v", len(got), len(body), err)
	}
}

func (g *gateway) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	k, err := net.Dial("tcp", g.l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	_ = k.SetDeadline(time.Now().Add(patience))
	return k.(*net.TCPConn)
}

// A person is asked while the client waits, and what it sends meanwhile keeps its place.
func TestHeld(t *testing.T) {
	asked := person{make(chan gate.Verdict, 1)}
	waiting := make(chan struct{}, 8)
	g := newGateway(t, echo, nil, func(a *abi.Action) gate.Verdict {
		if a.Class != abi.ClassWrite {
			return gate.Verdict{}
		}
		waiting <- struct{}{}
		return gate.Verdict{Pending: asked, Hold: "h1", Reason: "ask a person"}
	})
	c := client(t)
	for i, v := range []gate.Verdict{{}, {Outcome: abi.Deny, Reason: "not now", Hold: "h1"}, {}} {
		go func() {
			<-waiting
			asked.verdict <- v
		}()
		q, _ := http.NewRequest("POST", g.url("/x"), strings.NewReader(strings.Repeat("x", 100_000)))
		q.Header.Set("User-Agent", "curl/8")
		r, err := c.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if v.Outcome == abi.Allow && len(body) != 100_000 || v.Outcome != abi.Allow && (r.StatusCode != 403 || !strings.Contains(string(body), `"hold":"h1"`)) {
			t.Errorf("%d: %d %.200s", i, r.StatusCode, body)
		}
	}
}

// Attempts at smuggling: whatever the gate's own parser takes for one request, the server gets one request, or none.
func TestSmuggling(t *testing.T) {
	var mu sync.Mutex
	var reached []string
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		mu.Lock()
		reached = append(reached, r.URL.Path)
		mu.Unlock()
	}), nil, func(a *abi.Action) gate.Verdict {
		if strings.Contains(a.Title, "/admin") {
			return gate.Verdict{Outcome: abi.Deny, Reason: "no"}
		}
		return gate.Verdict{}
	})
	const hidden = "GET /admin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	for name, text := range map[string]string{
		"CL.TE":           "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 45\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"TE.CL":           "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n28\r\n" + hidden + "\r\n0\r\n\r\n",
		"TE.TE":           "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n0\r\n\r\n" + hidden,
		"pipelined":       "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + hidden,
		"a body":          fmt.Sprintf("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n", len(hidden)) + hidden,
		"behind close":    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" + hidden,
		"in a chunk":      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n", len(hidden)) + hidden + "\r\n0\r\n\r\n",
		"behind chunks":   "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"in trailers":     "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + hidden,
		"behind LF":       "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: y\n\n" + hidden,
		"behind CR":       "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: y\r\r" + hidden,
		"refused Upgrade": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + hidden,
		"h2c":             "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n" + hidden,
		"Connection":      "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close, Content-Length\r\nContent-Length: 40\r\n\r\n" + hidden,
	} {
		k := g.dial(t)
		fmt.Fprint(k, text)
		_ = k.CloseWrite()
		if _, err := io.Copy(io.Discard, k); err != nil {
			t.Logf("%s: %v", name, err) // a reset is an answer too
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, path := range reached {
		if path != "/" {
			t.Errorf("the server got a request for %s", path)
		}
	}
	if len(reached) == 0 {
		t.Error("not even the benign ones came through")
	}
}
