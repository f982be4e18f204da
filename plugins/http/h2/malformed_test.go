package h2_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/sallyport-dev/sallyport/plugins/http/h2/testdata/plain"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

func corpus(t testing.TB, file string) (all [][]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bytes := strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00", `\t`, "\t")
	for l := range strings.Lines(string(b)) {
		l = strings.TrimSuffix(l, "\n")
		if l == "" || l[0] == '#' {
			continue
		}
		parts := strings.Split(l, " | ")
		for i := range parts {
			parts[i] = bytes.Replace(parts[i])
		}
		all = append(all, parts)
	}
	return all
}

// TestMalformedRequests: each is answered, and the connection goes on with the next one.
func TestMalformedRequests(t *testing.T) {
	cases := corpus(t, "testdata/malformed-requests.txt")
	if len(cases) < 50 {
		t.Fatal(len(cases))
	}
	for _, c := range cases {
		a := newWire()
		s := &scene{options: map[string]any{"authorities": ""}, steps: append(begin(),
			agent(a.headers(1, true, c[2:]...), ""),
			agent(newWire().raw(again(a, func() { a.headers(3, true, request("GET", "/next")...) })), ""))}
		nativeEach(t, func(tr drygate.Transcript) {
			got := happened(tr, 5)
			if !strings.Contains(got[4], "[:status: "+c[0]) || !strings.Contains(got[4], `\"detail\":\"`+strings.ReplaceAll(c[1], `"`, `\"`)) || strings.Contains(got[4], "upstream:") ||
				strings.Contains(got[4], "ask ") {
				t.Errorf("%q:\n%s", c, got[4])
			}
			if want := "HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /next]"; !strings.Contains(got[5], want) {
				t.Errorf("%q: then\n%s", c, got[5])
			}
		}, s)
	}
	for _, c := range corpus(t, "testdata/valid-requests.txt") {
		s := &scene{options: map[string]any{"authorities": ""}, steps: append(begin(), agent(newWire().headers(1, true, c...), ""))}
		nativeEach(t, func(tr drygate.Transcript) {
			if got := happened(tr, 4)[4]; !strings.Contains(got, "upstream:\nHEADERS 1 end") {
				t.Errorf("%q:\n%s", c, got)
			}
		}, s)
	}
}

// TestSpoiledRequests: a request that turns out to be malformed behind its header is reset at both sides.
func TestSpoiledRequests(t *testing.T) {
	for name, f := range map[string]func(w *wire){
		"longer":         func(w *wire) { w.data(1, false, "abcdef") },
		"shorter":        func(w *wire) { w.data(1, true, "abc") },
		"shorter, late":  func(w *wire) { w.data(1, false, "abc").data(1, true, "") },
		"trailers early": func(w *wire) { w.data(1, false, "abc").headers(1, true, "digest: x") },
		"not the end":    func(w *wire) { w.headers(1, false, "digest: x") },
		"pseudo":         func(w *wire) { w.data(1, false, "abcde").headers(1, true, ":path: /admin") },
		"smuggled":       func(w *wire) { w.data(1, false, "abcde").headers(1, true, "authorization: x") },
		"override":       func(w *wire) { w.data(1, false, "abcde").headers(1, true, "x-http-method-override: DELETE") },
	} {
		w := newWire().headers(1, false, request("POST", "/a", "content-length: 5")...)
		f(w)
		s := &scene{steps: append(begin(), agent(w, ""))}
		nativeEach(t, func(tr drygate.Transcript) {
			got := happened(tr, 4)[4]
			if !strings.Contains(got, "agent:\nRST_STREAM 1 PROTOCOL_ERROR") || !strings.Contains(got, "RST_STREAM 1 CANCEL") || !strings.Contains(got, "note malformed") || strings.Contains(got, " end") {
				t.Errorf("%s:\n%s", name, got)
			}
		}, s)
	}
}

func TestMalformedFrames(t *testing.T) {
	for _, c := range corpus(t, "testdata/malformed-frames.txt") {
		b, err := hex.DecodeString(strings.ReplaceAll(c[2], " ", ""))
		if err != nil {
			t.Fatal(c, err)
		}
		a := newWire()
		s := &scene{steps: append(begin()[:2],
			agent(a.headers(1, false, request("POST", "/a")...).headers(3, true, request("GET", "/b")...).headers(9, true, request("GET", "/c")...), ""),
			upstream(newWire().headers(3, true, ":status: 200"), ""),
			agent(newWire().raw(b), ""))}
		nativeEach(t, func(tr drygate.Transcript) {
			got := happened(tr, 5)[5]
			if !strings.Contains(got, "GOAWAY 9 "+c[0]+" "+c[1]) || !strings.Contains(got, "fail ") || !strings.Contains(got, "upstream:\nGOAWAY 0 NO_ERROR") {
				t.Errorf("%q:\n%s", c, got)
			}
		}, s)
	}
}

// attack sends what f writes, as long as it is let, and returns what came of it.
func attack(t *testing.T, s *scene, rounds int, f func(i int, w *wire)) (string, drygate.Transcript) {
	t.Helper()
	p := &plain.Plugin{}
	m, err := sdk.ConfigureNative(p, s.options)
	if err != nil {
		t.Fatal(err)
	}
	g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, companion), Manifest: m, Facts: abi.Facts{Endpoint: "api"}, Decide: func(e *drygate.Entry) drygate.Verdict {
		if s.decide == nil || e.Action.Family.Name == abi.FamilyConnect {
			return drygate.Verdict{}
		}
		return s.decide(e.Action.Title)
	}})
	g.Open()
	for _, st := range begin() {
		g.Send(st.side, st.from.Bytes())
	}
	w := newWire()
	i := 0
	for ; i < rounds && !g.Over(); i++ {
		w.Reset()
		f(i, w)
		g.Send(abi.Agent, w.Bytes())
	}
	e := g.Transcript().End()
	if e == nil {
		return fmt.Sprintf("%d rounds", i), g.Transcript()
	}
	if e.By != drygate.ByPlugin {
		t.Fatalf("%s", e)
	}
	return fmt.Sprintf("%s after %d rounds", e, i), g.Transcript()
}

// TestFloods: each is cut off, and what an honest client does of the same kind is not.
func TestFloods(t *testing.T) {
	post := func(id uint32, w *wire) *wire { return w.headers(id, false, request("POST", "/a")...) }
	for name, c := range map[string]struct {
		rounds int
		f      func(i int, w *wire)
		want   string // what ends it
	}{
		"rapid reset": {1000, func(i int, w *wire) { post(uint32(2*i+1), w).reset(uint32(2*i+1), http2.ErrCodeCancel) }, "too many frames of no use"},
		"settings": {100, func(i int, w *wire) {
			w.settings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(i)})
		}, "too many SETTINGS"},
		"waiting settings": {5000, func(i int, w *wire) {
			if i == 0 {
				w.settings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 7})
			}
			w.settings()
		}, "too many frames of no use"},
		"empty settings": {5000, func(_ int, w *wire) { w.settings() }, "too many frames of no use"},
		"pings":          {100, func(_ int, w *wire) { w.ping(false, "abcdefgh") }, "too many PINGs"},
		"acks of pings":  {5000, func(_ int, w *wire) { w.ping(true, "abcdefgh") }, "too many frames of no use"},
		"priority": {5000, func(_ int, w *wire) {
			_ = w.f.WritePriority(1, http2.PriorityParam{StreamDep: 3, Weight: 1})
		}, "too many frames of no use"},
		"unknown frames": {5000, func(_ int, w *wire) { _ = w.f.WriteRawFrame(0xfa, 0, 0, []byte("x")) }, "too many frames of no use"},
		"empty data": {5000, func(i int, w *wire) {
			if i == 0 {
				post(1, w)
			}
			w.data(1, false, "")
		}, "too many frames of no use"},
		"padding alone": {5000, func(i int, w *wire) {
			if i == 0 {
				post(1, w)
			}
			w.padded(1, false, "", 1)
		}, "too many frames of no use"},
		"small windows": {5000, func(_ int, w *wire) { w.window(0, 1) }, "too many frames of no use"},
		"resets of nothing": {5000, func(i int, w *wire) {
			if i == 0 {
				post(1, w).reset(1, http2.ErrCodeCancel)
			}
			w.reset(1, http2.ErrCodeCancel)
		}, "too many frames of no use"},
		"malformed requests": {1000, func(i int, w *wire) { w.headers(uint32(2*i+1), true, "x: y") }, "too many frames of no use"},
		"too many streams":   {2000, func(i int, w *wire) { post(uint32(2*i+1), w) }, "too many frames of no use"},
		"continuations": {1, func(_ int, w *wire) {
			_ = w.f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}})
			for range 40 {
				_ = w.f.WriteContinuation(1, false, []byte{0x82})
			}
		}, "a header block is too long"},
		"empty continuations": {1, func(_ int, w *wire) {
			_ = w.f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
			for range 40 {
				_ = w.f.WriteContinuation(1, false, nil)
			}
		}, "a header block is too long"},
		"a long block": {1, func(_ int, w *wire) {
			_ = w.f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
			for range 8 {
				_ = w.f.WriteContinuation(1, false, make([]byte, 16000))
			}
		}, "a header block is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			got, tr := attack(t, &scene{}, c.rounds, c.f)
			if !strings.Contains(got, c.want) || !strings.Contains(got, "fail") {
				t.Errorf("%s", got)
			}
			if n := len(tr.Gets(abi.Upstream)); n > 64<<10 {
				t.Errorf("the upstream gets %d bytes", n)
			}
		})
	}
}

// TestHonest: the benign twins of the floods go on: thousands of requests with a ping, a reset, a priority or a window update now and then.
func TestHonest(t *testing.T) {
	p := &plain.Plugin{}
	m, err := sdk.ConfigureNative(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, companion), Manifest: m, Facts: abi.Facts{Endpoint: "api"}})
	g.Open()
	for _, st := range begin() {
		g.Send(st.side, st.from.Bytes())
	}
	a, u := newWire(), newWire()
	for i := range 5000 {
		a.Reset()
		id := uint32(2*i + 1)
		_ = a.f.WritePriority(id, http2.PriorityParam{Weight: 1})
		a.headers(id, i%3 > 0, request("POST", fmt.Sprintf("/items/%d", i))...)
		if i%3 == 0 {
			a.data(id, true, "body")
		}
		a.ping(false, "abcdefgh").window(0, 5)
		g.Send(abi.Agent, a.Bytes())
		u.Reset()
		u.ping(true, "abcdefgh")
		if i%50 == 49 {
			a.Reset()
			g.Send(abi.Agent, a.reset(id, http2.ErrCodeCancel).Bytes())
		} else {
			u.headers(id, false, ":status: 200").data(id, true, "hello")
		}
		u.window(0, 4)
		g.Send(abi.Upstream, u.Bytes())
		if g.Over() {
			t.Fatalf("round %d: %s", i, g.Transcript().End())
		}
	}
}

// TestHeaderBombs: a list that expands is answered with 431, and the next request's block, which depends on the table, is read right.
func TestHeaderBombs(t *testing.T) {
	a := newWire()
	big := "x-big: " + strings.Repeat("v", 3900)
	many := request("GET", "/")
	for range 3000 {
		many = append(many, big)
	}
	nativeEach(t, func(tr drygate.Transcript) {
		got := happened(tr, 5)
		if !strings.Contains(got[4], ":status: 431") || strings.Contains(got[4], "upstream") || !strings.Contains(got[5], "x-big: 3900 bytes") {
			t.Errorf("%s\n%s", got[4], got[5])
		}
	}, &scene{steps: append(begin(), agent(a.headers(1, true, many...), ""),
		agent(newWire().raw(again(a, func() { a.headers(3, true, request("GET", "/", big)...) })), ""))})
}

// TestHeldBodies: bodies of requests that wait take a bounded amount of memory, and do not keep others from their connection's window.
func TestHeldBodies(t *testing.T) {
	full := strings.Repeat("x", 16384)
	got, tr := attack(t, &scene{decide: holding("wait")}, 90, func(i int, w *wire) {
		id := uint32(2*i + 1)
		w.headers(id, false, request("POST", "/wait")...)
		for range 3 {
			w.data(id, false, full)
		}
	})
	if !strings.Contains(got, "fail \"agent: more data than was granted") { // at last nothing is given back any more
		t.Errorf("%s", got)
	}
	n := 0
	for range tr.Asks() {
		n++
	}
	if n < 4<<20/(3*16384) || len(tr.Gets(abi.Upstream)) > 1000 {
		t.Errorf("%d actions, %d bytes to the upstream", n, len(tr.Gets(abi.Upstream)))
	}
}
