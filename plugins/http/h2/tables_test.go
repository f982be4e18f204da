package h2_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	reference "golang.org/x/net/http2/hpack"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// reader is an end that decodes header blocks as strictly as it may: behind an acknowledgement of a smaller table the next block must begin with an update of its size
// (RFC 9113 section 4.3.1), and no update may be larger than what was allowed.
type reader struct {
	t       *testing.T
	decoder *reference.Decoder
	allowed uint32
	sent    []uint32 // table sizes in SETTINGS that were not acknowledged yet
	due     bool
	fields  []string // of the block read last; "!" behind those that are never to be indexed
	pending []byte   // that came and are no whole frame
}

func newReader(t *testing.T) *reader {
	return &reader{t: t, decoder: reference.NewDecoder(4096, nil), allowed: 4096, sent: []uint32{4096}}
}

func (r *reader) read(p []byte) {
	r.t.Helper()
	r.pending = bytes.TrimPrefix(append(r.pending, p...), []byte(http2.ClientPreface))
	all := bytes.NewReader(r.pending)
	f := http2.NewFramer(nil, all)
	for {
		next, err := f.ReadFrame()
		if err != nil {
			return
		}
		r.pending = r.pending[len(r.pending)-all.Len():]
		switch n := next.(type) {
		case *http2.SettingsFrame:
			if n.IsAck() {
				size := r.sent[0]
				r.sent = r.sent[1:]
				r.due = r.due || size < r.allowed
				r.allowed = size
				r.decoder.SetAllowedMaxDynamicTableSize(size)
			}
		case *http2.HeadersFrame:
			block := n.HeaderBlockFragment()
			if r.due && (len(block) == 0 || block[0]&0xe0 != 0x20) {
				r.t.Fatalf("behind SETTINGS with a smaller table a block begins with % x", block[:min(len(block), 8)])
			}
			r.due = false
			list, err := r.decoder.DecodeFull(block)
			if err != nil {
				r.t.Fatalf("%v in % x", err, block)
			}
			r.fields = r.fields[:0]
			for _, h := range list {
				s := h.Name + ": " + h.Value
				if h.Sensitive {
					s += "!"
				}
				r.fields = append(r.fields, s)
			}
		}
	}
}

// tabled is a connection both ends of which are readers.
type tabled struct {
	*twin
	agent, server *reader
	id            uint32
}

func newTabled(t *testing.T) *tabled {
	w := &tabled{newTwin(t, nil, false, false), newReader(t), newReader(t), 1}
	w.hear()
	return w
}

// hear has both ends read what they got.
func (w *tabled) hear() {
	w.agent.t.Helper()
	for all := w.g.Transcript(); w.seen < len(all); w.seen++ {
		switch e := &all[w.seen]; {
		case e.Kind != drygate.Gets:
		case e.Side == abi.Agent:
			w.agent.read(e.Bytes)
		default:
			w.server.read(e.Bytes)
		}
	}
}

// exchange is a request and its response.
func (w *tabled) exchange(fields ...string) {
	w.agent.t.Helper()
	w.headers(abi.Agent, w.id, true, request("GET", "/a"))
	w.headers(abi.Upstream, w.id, true, fields)
	w.id += 2
	w.hear()
	var want []string
	for _, f := range fields {
		if strings.HasPrefix(f, "authorization: ") {
			f += "!"
		}
		want = append(want, f)
	}
	if !slices.Equal(w.agent.fields, want) {
		w.agent.t.Fatalf("the agent got %q, the server said %q", w.agent.fields, want)
	}
}

func (w *tabled) settings(side abi.Side, size uint32) {
	w.agent.t.Helper()
	r := [2]*reader{w.agent, w.server}[side]
	r.sent = append(r.sent, size)
	w.g.Send(side, newWire().settings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: size}).Bytes())
	w.hear()
}

// TestAgentTable: an agent that makes its table smaller in the middle of a connection is told so in the next block.
func TestAgentTable(t *testing.T) {
	for _, size := range []uint32{0, 100, 4095} {
		w := newTabled(t)
		for range 3 {
			w.exchange(":status: 200", "server: s")
		}
		w.settings(abi.Agent, size)
		if !w.agent.due {
			t.Fatal("the SETTINGS are not acknowledged")
		}
		for range 3 {
			w.exchange(":status: 200", "server: s")
		}
		if w.agent.due {
			t.Error("the agent was not told")
		}
	}
}

// TestUpstreamTable: an upstream that makes its table smaller is told so in the next block, be it of a request or of trailers; a block of neither uses a table.
func TestUpstreamTable(t *testing.T) {
	for _, trailers := range []bool{false, true} {
		w := newTabled(t)
		w.exchange(":status: 200")
		w.headers(abi.Agent, w.id, false, request("POST", "/a", "te: trailers"))
		w.settings(abi.Upstream, 0)
		if !w.server.due {
			t.Fatal("the SETTINGS are not acknowledged")
		}
		if trailers {
			w.headers(abi.Agent, w.id, true, []string{"digest: d"})
		} else {
			w.headers(abi.Agent, w.id+2, true, request("GET", "/b"))
		}
		w.hear()
		last := w.server.fields[len(w.server.fields)-1]
		if w.server.due || trailers != (last == "digest: d") {
			t.Errorf("trailers %v: the upstream got %q", trailers, w.server.fields)
		}
	}
}

// TestTableModel: whatever comes in whatever order, a strict agent reads what the server said.
func TestTableModel(t *testing.T) {
	all := [][]string{
		{":status: 200", "server: s", "content-type: text/plain"},
		{":status: 200", "server: s", "content-type: text/html"},
		{":status: 201", "server: s", "authorization: Bearer x", "x-long: " + strings.Repeat("x", 100)},
		{":status: 404"},
		{":status: 204", "x: " + strings.Repeat("y", 4000)},
		{":status: 200", "x: " + strings.Repeat("y", 5000)},
	}
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := newTabled(t)
		next := all[0]
		for range 100 {
			if r.IntN(3) == 0 {
				next = all[r.IntN(len(all))]
			}
			if r.IntN(10) == 0 {
				w.settings(abi.Side(r.IntN(2)), []uint32{0, 60, 100, 300, 4096, 1 << 20}[r.IntN(6)])
			}
			w.exchange(next...)
		}
	}
}
