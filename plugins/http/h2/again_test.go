package h2_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	reference "golang.org/x/net/http2/hpack"

	"github.com/sallyport-dev/sallyport/plugins/http/h2/testdata/plain"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// speller writes header blocks without a table, so that the same fields have the same bytes. One that varies writes values plain and with
// Huffman coding by turns, so that no block is like the one before it and means the same all the same.
type speller struct {
	varies bool
	blocks [2]int
}

func (s *speller) block(side abi.Side, fields []string) (b []byte) {
	s.blocks[side]++
	for _, f := range fields {
		i := strings.Index(f[1:], ": ") + 1
		name, value := f[:i], f[i+2:]
		b = hpack.AppendName(b, 0, name, name == "authorization")
		if s.varies && s.blocks[side]%2 == 0 {
			b = hpack.AppendInteger(b, 0x80, 7, int(reference.HuffmanEncodeLength(value)))
			b = reference.AppendHuffmanString(b, value)
		} else {
			b = hpack.AppendString(b, value)
		}
	}
	return b
}

// twin is one of two connections on which the same happens.
type twin struct {
	g      *drygate.Gate
	spell  speller
	sides  [2]reading
	seen   int // of the transcript
	opened []uint32
}

func newTwin(t testing.TB, options map[string]any, answers, varies bool) *twin {
	p := &plain.Plugin{}
	m, err := sdk.ConfigureNative(p, options)
	if err != nil {
		t.Fatal(err)
	}
	w := &twin{spell: speller{varies: varies}}
	w.g = drygate.New(drygate.Config{Guest: sdk.NewNative(p, companion), Manifest: m, Facts: abi.Facts{Endpoint: "api", Slots: []string{"token"}, Inspect: answers},
		Decide: func(e *drygate.Entry) drygate.Verdict {
			switch {
			case e.Response != nil:
				return drygate.Verdict{}
			case strings.Contains(e.Action.Title, "/deny"):
				return drygate.Verdict{Outcome: abi.Deny, Reason: "no"}
			case strings.Contains(e.Action.Title, "/wait"):
				return drygate.Verdict{Held: true, Reason: "why"}
			case answers && strings.Contains(e.Action.Title, "/look"):
				return drygate.Verdict{Inspect: 100}
			}
			return drygate.Verdict{}
		}})
	w.g.Open()
	for _, st := range begin() {
		w.g.Send(st.side, st.from.Bytes())
	}
	return w
}

// headers sends a header block of one side.
func (w *twin) headers(side abi.Side, id uint32, end bool, fields []string) {
	var b bytes.Buffer
	_ = http2.NewFramer(&b, nil).WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: w.spell.block(side, fields), EndStream: end, EndHeaders: true})
	w.g.Send(side, b.Bytes())
}

// happened is what has come of it since the last call, and notes which streams begin at the upstream.
func (w *twin) happened() string {
	var b strings.Builder
	var gets [2][]byte
	all := w.g.Transcript()
	for ; w.seen < len(all); w.seen++ {
		switch e := &all[w.seen]; e.Kind {
		case drygate.Gets:
			gets[e.Side] = append(gets[e.Side], e.Bytes...)
		case drygate.Ask, drygate.Note, drygate.Close, drygate.Withdraw:
			fmt.Fprintf(&b, "%s\n", e)
		}
	}
	for side, p := range gets {
		s := w.sides[side].frames(p)
		for l := range strings.Lines(s) {
			var id uint32
			if n, _ := fmt.Sscanf(l, "HEADERS %d", &id); n == 1 && abi.Side(side) == abi.Upstream && strings.Contains(l, ":method") {
				w.opened = append(w.opened, id)
			}
		}
		fmt.Fprintf(&b, "%v:\n%s", abi.Side(side), s)
	}
	return b.String()
}

// The requests and the responses that come again and again.
var (
	requestsAgain = []struct {
		fields []string
		body   string
		more   []string
	}{
		{request("GET", "/a", "user-agent: x", "accept: text/plain"), "", nil},
		{request("GET", "/a?b=1", "user-agent: x", "authorization: Bearer of-the-agent", "x-token: mine"), "", nil},
		{request("HEAD", "/a", "user-agent: x"), "", nil},
		{request("POST", "/a", "content-length: 3", "content-type: application/json"), "[1]", nil},
		{request("POST", "/a", "content-type: application/json"), `{"a":"b"}`, []string{"digest: d"}},
		{request("POST", "/a", "expect: 100-continue"), "", nil},
		{request("POST", "/a", "expect: 100-continue"), "abc", nil},
		{request("POST", "/deny", "content-length: 3"), "abc", nil},
		{request("GET", "/deny", "user-agent: x"), "", nil},
		{request("GET", "/wait", "user-agent: x"), "", nil},
		{request("GET", "/look", "user-agent: x", "accept-encoding: gzip"), "", nil},
		{request("GET", "/a", "x-http-method-override: DELETE"), "", nil},
		{request("GET", "/bad", "connection: close"), "", nil},
		{request("GET", "/bad", "content-length: 7"), "", nil},
		{[]string{":method: GET", ":scheme: https", ":authority: api", ":path: /b"}, "", nil},
		{[]string{"digest: d"}, "", nil}, // as trailers of others
	}
	responsesAgain = []struct {
		fields []string
		body   string
		more   []string
	}{
		{[]string{":status: 200", "content-length: 5", "server: s"}, "hello", nil},
		{[]string{":status: 200", "content-length: 5", "server: s"}, "", nil},
		{[]string{":status: 200", "server: s"}, "some text", nil},
		{[]string{":status: 200", "server: s"}, "", nil},
		{[]string{":status: 200", "server: s"}, "text", []string{":status: 200", "server: s"}},
		{[]string{":status: 200", "server: s", "keep-alive: 5"}, "", nil},
		{[]string{":status: 204", "server: s"}, "", nil},
		{[]string{":status: 304", "content-length: 5", "server: s"}, "", nil},
		{[]string{":status: 401", "content-length: 5"}, "hello", nil},
		{[]string{":status: 103", "link: x"}, "", []string{":status: 200", "server: s"}},
		{[]string{":status: 200", "content-type: application/grpc"}, "12345", []string{"grpc-status: 0"}},
		{[]string{":status: 200", "content-length: 4", "server: s"}, "hello", nil},
		{[]string{":status: 99"}, "", nil},
	}
)

// TestAgain: what a block means does not depend on whether the one before it was the same. Two connections have the same requests and responses; on one of
// them they are written alike each time and are not read again, on the other each block is written in another way than the one before.
func TestAgain(t *testing.T) {
	const rounds = 400
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		options := map[string]any{"inspect_body": seed%2 == 0, "credential": int64(seed % 3 * 4), "parameter": int64(seed / 3 % 2 * 5)}
		answers := seed%4 < 2
		w := [2]*twin{newTwin(t, options, answers, false), newTwin(t, options, answers, true)}
		var unsent []func(w *twin)          // bodies
		next, few := uint32(1), 1+r.IntN(4) // kinds of requests in this run, so that the same come behind each other
		from := r.IntN(len(requestsAgain))
		for step := 0; step < 120 && !w[0].g.Over(); step++ {
			do := func(f func(w *twin)) {
				for _, w := range w {
					f(w)
				}
			}
			switch kind := r.IntN(10); {
			case kind < 5:
				q := requestsAgain[(from+r.IntN(few))%len(requestsAgain)]
				id := next
				next += 2
				if len(q.fields) == 1 {
					id = max(next-4, 1)
				}
				do(func(w *twin) { w.headers(abi.Agent, id, q.body == "", q.fields) })
				body := func(w *twin) {
					w.g.Send(abi.Agent, newWire().data(id, q.more == nil, q.body).Bytes())
					if q.more != nil {
						w.headers(abi.Agent, id, true, q.more)
					}
				}
				switch {
				case q.body == "":
				case r.IntN(3) == 0:
					unsent = append(unsent, body)
				default:
					do(body)
				}
			case kind < 6:
				if len(unsent) > 0 {
					do(unsent[0])
					unsent = unsent[1:]
				}
			case kind < 9:
				if len(w[0].opened) == 0 {
					continue
				}
				i := r.IntN(len(w[0].opened))
				id := w[0].opened[i]
				a := responsesAgain[r.IntN(1+r.IntN(len(responsesAgain)))]
				do(func(w *twin) {
					w.opened = append(w.opened[:i:i], w.opened[i+1:]...)
					interim := a.fields[0] == ":status: 103"
					w.headers(abi.Upstream, id, a.body == "" && !interim, a.fields)
					if a.body != "" {
						w.g.Send(abi.Upstream, newWire().data(id, a.more == nil, a.body).Bytes())
					}
					if a.more != nil {
						w.headers(abi.Upstream, id, a.body != "text", a.more)
					}
				})
			default:
				v := drygate.Verdict{}
				if r.IntN(2) == 0 {
					v = drygate.Verdict{Outcome: abi.Deny, Reason: "not today"}
				}
				do(func(w *twin) { w.g.Decide(v) })
			}
			got, want := w[0].happened(), w[1].happened()
			if got != want {
				t.Fatalf("seed %d, step %d: where blocks are the same again\n%s\nwhere they are not\n%s", seed, step, got, want)
			}
		}
	}
}
