package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// sockets is a server that sends every message back, and knows how each connection ended.
type sockets struct {
	mu    sync.Mutex
	ended []websocket.StatusCode
	got   []string
}

func (s *sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1})
	if err != nil {
		return
	}
	defer k.CloseNow()
	k.SetReadLimit(1 << 20)
	for {
		kind, p, err := k.Read(r.Context())
		s.mu.Lock()
		if err != nil {
			s.ended = append(s.ended, websocket.CloseStatus(err))
			s.mu.Unlock()
			return
		}
		s.got = append(s.got, string(p[:min(len(p), 100)]))
		s.mu.Unlock()
		if k.Write(r.Context(), kind, p) != nil {
			return
		}
	}
}

func (s *sockets) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.got {
		if strings.Contains(g, text) {
			return true
		}
	}
	return false
}

func connect(ctx context.Context, t *testing.T, g *gateway) *websocket.Conn {
	t.Helper()
	k, _, err := websocket.Dial(ctx, g.url("/chat"), &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	k.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = k.CloseNow() })
	return k
}

// TestSockets: messages of a real client reach a real server one by one, a denied one ends the WebSocket at both ends with the reason, and never arrives.
func TestSockets(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, inspect := range []bool{true, false} {
		s := &sockets{}
		who := person{verdict: make(chan gate.Verdict, 1)}
		waiting := make(chan struct{}, 1)
		g := newGateway(t, s, map[string]any{"inspect_websocket": inspect}, func(a *abi.Action) gate.Verdict {
			for i := range a.Values {
				switch text := a.Values[i].Str; {
				case a.Family.Name != "websocket":
				case strings.Contains(text, "drop"):
					return gate.Verdict{Outcome: abi.Deny, Reason: "nothing is dropped", Rule: "no drops"}
				case strings.Contains(text, "ask"):
					waiting <- struct{}{}
					return gate.Verdict{Pending: who}
				}
			}
			return gate.Verdict{}
		})
		k := connect(ctx, t, g)
		for _, text := range []string{"hello", "", `{"a":1}`, strings.Repeat("long ", 40_000)} {
			if err := k.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if _, p, err := k.Read(ctx); err != nil || string(p) != text {
				t.Fatalf("read %.100q, %v, want %.100q", p, err, text)
			}
		}
		// In pieces, and what is no text.
		w, err := k.Writer(ctx, websocket.MessageBinary)
		for range 3 {
			if err == nil {
				_, err = w.Write(bytes.Repeat([]byte{0, 0xff}, 3000))
			}
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		if kind, p, err := k.Read(ctx); err != nil || kind != websocket.MessageBinary || len(p) != 18_000 {
			t.Fatalf("read %v of %d bytes, %v", kind, len(p), err)
		}
		// A ping is answered while the reader reads.
		reading := k.CloseRead(ctx)
		if err := k.Ping(ctx); err != nil {
			t.Errorf("a ping: %v", err)
		}
		_ = k.CloseNow()
		<-reading.Done()
		if !inspect {
			continue
		}
		k = connect(ctx, t, g)
		if err := k.Write(ctx, websocket.MessageText, []byte("ask a person")); err != nil {
			t.Fatal(err)
		}
		<-waiting
		if s.has("ask a person") {
			t.Error("a message arrived before anybody decided")
		}
		who.verdict <- gate.Verdict{Outcome: abi.Allow}
		if _, p, err := k.Read(ctx); err != nil || string(p) != "ask a person" {
			t.Errorf("read %q, %v", p, err)
		}
		if err := k.Write(ctx, websocket.MessageText, []byte("drop it")); err != nil {
			t.Fatal(err)
		}
		_, _, err = k.Read(ctx)
		var end websocket.CloseError
		if !errors.As(err, &end) || end.Code != websocket.StatusPolicyViolation || end.Reason != "nothing is dropped (rule no drops)" {
			t.Errorf("the end is %v", err)
		}
		eventually(t, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.ended) == 2
		})
		if s.has("drop it") {
			t.Error("a denied message arrived")
		}
		s.mu.Lock()
		if !slices.Contains(s.ended, websocket.StatusPolicyViolation) {
			t.Errorf("the server was told %v", s.ended)
		}
		s.mu.Unlock()
	}
}

// eventually waits for what must become true.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not become so")
		}
	}
}
