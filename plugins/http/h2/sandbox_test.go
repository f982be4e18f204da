package h2_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/plugins/http/h2/testdata/plain"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// TestSandbox: as a module the plugin does the same as natively, to the byte.
func TestSandbox(t *testing.T) {
	a, u := newWire(), newWire()
	scenes := map[string]*scene{
		"held": {decide: holding("wait"), steps: append(begin(),
			agent(a.headers(1, false, request("POST", "/wait/1")...).data(1, false, "abc").headers(3, true, request("GET", "/now")...), ""),
			upstream(u.headers(1, false, ":status: 200").data(1, true, "hello"), ""),
			person(drygate.Verdict{}, ""),
			agent(newWire().raw(again(a, func() { a.data(1, false, "def").headers(1, true, "digest: x") })), ""),
			upstream(newWire().raw(again(u, func() { u.headers(3, true, ":status: 201") })), ""))},
		"inspected": {options: map[string]any{"inspect_body": true, "body_limit": int64(10), "credential": int64(7)}, decide: deny("secret"), steps: append(begin(),
			agent(newWire().headers(1, false, request("POST", "/a", "x-token: mine")...).data(1, true, `{"a":1}`).headers(3, false, request("POST", "/secret")...).data(3, false, "abc").data(3, false, "more than ten"), ""))},
	}
	for _, c := range []struct{ name, coding, body string }{{"gzip", "gzip", zipped(t, []byte(`{"a":1}`))}, {"br", "br", "\x0b\x03\x80{\"a\":1}\x03"}, {"zstd", "zstd", "\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00{\"a\":1}"}, {"bomb", "gzip", bomb(t)}} {
		scenes[c.name] = &scene{options: map[string]any{"inspect_body": true, "body_limit": int64(2000)}, steps: append(begin(),
			agent(newWire().headers(1, false, request("POST", "/a", "content-encoding: "+c.coding)...).data(1, true, c.body), ""))}
	}
	s := suite
	s.Module = packed(t)
	var native map[string]drygate.Transcript
	testkit.Each(t, s, func(t *testing.T, p *testkit.Plugin) {
		got := map[string]drygate.Transcript{}
		for name, s := range scenes {
			for _, cut := range []func(abi.Side, uint64, int) int{nil, func(abi.Side, uint64, int) int { return 1 }} {
				tr := s.play(p, t, cut)
				if e := tr.End(); e != nil {
					t.Fatalf("%s: %s", name, e)
				}
				if before, ok := got[name]; ok {
					if same, x, y := before.Equal(tr); !same {
						t.Errorf("%s: cut: %s, whole: %s", name, y, x)
					}
				}
				got[name] = tr
			}
			if ask := tr(got, name); name == "bomb" && strings.Contains(ask, " body=") || s.options != nil && s.decide == nil && name != "bomb" && !strings.Contains(ask, `body="{\"a\":1}"`) {
				t.Errorf("%s: %s", name, ask)
			}
			if native != nil {
				if same, x, y := native[name].Equal(got[name]); !same {
					t.Errorf("%s: %s, natively %s", name, y, x)
				}
			}
		}
		native = got
	})
}

// tr is the last action of a transcript.
func tr(all map[string]drygate.Transcript, name string) string {
	asks := all[name].Asks()
	return asks[len(asks)-1].String()
}

// bomb is a megabyte in a thousand bytes.
func bomb(t testing.TB) string { return zipped(t, make([]byte, 1<<20)) }

func zipped(t testing.TB, p []byte) string {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	if _, err := z.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// exchange is a request as it comes again and again, and its response.
type exchange struct {
	g          drygate.Guest
	agent, up  *wire
	id, number uint32
	verdict    []byte
	action     uint32
	varies     bool // another path each time
}

// steady begins a connection on a guest and lets it get past its first requests.
func steady(tb testing.TB, g drygate.Guest) *exchange {
	x := &exchange{g: g, agent: newWire(), up: newWire(), id: 1, number: 1, action: 2}
	g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "api"}))
	g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1}))
	g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindConnected}))
	for _, st := range begin() {
		g.Data(st.side, st.from.Bytes(), 0)
	}
	g.Data(abi.Agent, newWire().window(0, 1<<30).Bytes(), 0)
	for range 10 {
		x.once(tb)
	}
	return x
}

// prepare makes the bytes of the next exchange.
func (x *exchange) prepare() (request, response []byte) {
	path := ":path: /v1/items/17?full=1"
	if x.varies {
		path = fmt.Sprintf(":path: /v1/items/%d?full=1", x.id)
	}
	x.agent.Reset()
	x.agent.headers(x.id, true, ":method: GET", ":scheme: http", ":authority: api", path, "user-agent: agent/1.0", "accept: application/json",
		"accept-encoding: gzip", "authorization: Bearer 0123456789abcdef0123456789abcdef", "x-request-id: 4bf92f3577b34da6a3ce929d0e0e4736")
	x.up.Reset()
	x.up.headers(x.number, false, ":status: 200", "content-type: application/json", "content-length: 100", "date: Mon, 21 Oct 2013 20:13:21 GMT", "server: nginx", "etag: \"5f3c\"").
		data(x.number, true, hundred)
	x.verdict = abi.AppendEvent(x.verdict[:0], &abi.Event{Kind: abi.KindVerdict, ID: x.action})
	x.id += 2
	x.number += 2
	x.action++
	return x.agent.Bytes(), x.up.Bytes()
}

var hundred = string(make([]byte, 100))

func (x *exchange) once(tb testing.TB) {
	request, response := x.prepare()
	x.carry(tb, request, response)
}

func (x *exchange) carry(tb testing.TB, request, response []byte) {
	_, _, err := x.g.Data(abi.Agent, request, 0)
	list, _, err2 := x.g.Event(x.verdict)
	if err != nil || err2 != nil || len(list) < 100 {
		tb.Fatal(err, err2, list)
	}
	list, _, err = x.g.Data(abi.Upstream, response, 0)
	if err != nil || len(list) < 100 {
		tb.Fatal(err, list)
	}
}

// TestNothingAllocated: a request and its response allocate nothing in the guest.
func TestNothingAllocated(t *testing.T) {
	p := &plain.Plugin{}
	if _, err := sdk.ConfigureNative(p, nil); err != nil {
		t.Fatal(err)
	}
	x := steady(t, sdk.NewNative(p, nil))
	var all [][2][]byte
	var verdicts [][]byte
	for range 301 {
		a, b := x.prepare()
		all = append(all, [2][]byte{append([]byte(nil), a...), append([]byte(nil), b...)})
		verdicts = append(verdicts, append([]byte(nil), x.verdict...))
	}
	i := 0
	if n := testing.AllocsPerRun(300, func() {
		x.verdict = verdicts[i]
		x.carry(t, all[i][0], all[i][1])
		i++
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkExchange is a request decoded, asked about and written anew, and its response passed: all that a guest does for it. The same request again and again, and
// one with another path each time.
func BenchmarkExchange(b *testing.B) {
	b.Run("again", func(b *testing.B) { benchmarkExchange(b, false) })
	b.Run("another", func(b *testing.B) { benchmarkExchange(b, true) })
}

func benchmarkExchange(b *testing.B, varies bool) {
	b.Run("native", func(b *testing.B) {
		p := &plain.Plugin{}
		if _, err := sdk.ConfigureNative(p, nil); err != nil {
			b.Fatal(err)
		}
		measure(b, sdk.NewNative(p, nil), varies)
	})
	b.Run("guest", func(b *testing.B) {
		wasm, err := os.ReadFile(packed(b))
		if err != nil {
			b.Fatal(err)
		}
		ctx := context.Background()
		engine, err := guest.NewEngine(ctx, guest.Options{Fuel: guest.Fuel{Cap: 1 << 40, Base: 1 << 39}})
		if err != nil {
			b.Fatal(err)
		}
		defer engine.Close()
		module, err := engine.Load(ctx, "plugin", wasm)
		if err != nil {
			b.Fatal(err)
		}
		defer module.Close()
		m, err := abi.ParseManifest(module.Manifest())
		if err != nil {
			b.Fatal(err)
		}
		options, err := m.ResolveOptions(nil)
		if err != nil {
			b.Fatal(err)
		}
		template, err := module.Configure(ctx, options)
		if err != nil {
			b.Fatal(err)
		}
		defer template.Close()
		g, err := template.New(ctx)
		if err != nil {
			b.Fatal(err)
		}
		defer g.Close()
		measure(b, sandboxed{g}, varies)
		b.ReportMetric(float64(g.FuelSpent())/float64(b.N), "fuel/op")
	})
}

func measure(b *testing.B, g drygate.Guest, varies bool) {
	x := steady(b, g)
	x.varies = varies
	const batch = 256
	var all [batch][2][]byte
	var verdicts [batch][]byte
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		b.StopTimer()
		for i := range all {
			r, s := x.prepare()
			all[i][0], all[i][1] = append(all[i][0][:0], r...), append(all[i][1][:0], s...)
			verdicts[i] = append(verdicts[i][:0], x.verdict...)
		}
		b.StartTimer()
		for i := range min(batch, b.N-n) {
			x.verdict = verdicts[i]
			x.carry(b, all[i][0], all[i][1])
		}
		if b.N-n < batch {
			return
		}
	}
}

// sandboxed is a guest as drygate sees it.
type sandboxed struct{ *guest.Guest }

// Data delivers bytes of a side.
func (g sandboxed) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	return g.Guest.Data(uint32(side), p, flags)
}
