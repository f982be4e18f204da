package h2_test

import (
	"os"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/h2/testdata/plain"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// conversationOf plays bytes of both sides by turns: each piece begins with a byte that says whose it is, and how long. The verdicts follow from the actions' numbers.
func conversationOf(guest drygate.Guest, m *abi.Manifest, pieces []byte, cut bool) drygate.Transcript {
	defer guest.Close()
	asked := 0
	cfg := drygate.Config{Guest: guest, Manifest: m, Facts: abi.Facts{Endpoint: "api", Slots: []string{"token"}}, Decide: func(e *drygate.Entry) drygate.Verdict {
		if e.Action.Family.Name == abi.FamilyConnect {
			return drygate.Verdict{}
		}
		asked++
		switch asked % 4 {
		case 1:
			return drygate.Verdict{Outcome: abi.Deny, Reason: "no"}
		case 2:
			return drygate.Verdict{Held: true, Reason: "why"}
		}
		return drygate.Verdict{}
	}}
	if cut {
		cfg.Piece = func(abi.Side, uint64, int) int { return 1 }
	}
	g := drygate.New(cfg)
	g.Open()
	for _, st := range begin() {
		g.Send(st.side, st.from.Bytes())
	}
	for len(pieces) > 0 && !g.Over() {
		head := pieces[0]
		pieces = pieces[1:]
		n := min(int(head&0x3f)*4, len(pieces))
		switch head >> 6 {
		case 0, 1:
			g.Send(abi.Agent, pieces[:n])
		case 2:
			g.Send(abi.Upstream, pieces[:n])
		case 3:
			v := drygate.Verdict{}
			if n > 0 && pieces[0]&1 != 0 {
				v = drygate.Verdict{Outcome: abi.Deny, Reason: "no"}
			}
			g.Decide(v)
			n = min(n, 1)
		}
		pieces = pieces[n:]
	}
	return g.Transcript()
}

// pieces packs what two sides send for the fuzzer.
func pieces(parts ...step) (b []byte) {
	for _, p := range parts {
		switch {
		case p.decide != nil:
			b = append(b, 0xc0|1, byte(p.decide.Outcome))
		default:
			bytes := p.from.Bytes()
			for len(bytes) > 0 {
				n := min(len(bytes)&^3, 60*4)
				if n == 0 { // the rest is filled up with a frame that means nothing
					bytes = append(append([]byte(nil), bytes...), 0, 0, 3, 0xfa, 0, 0, 0, 0, 0, 1, 2, 3)
					for len(bytes)%4 != 0 {
						bytes = append(bytes, 0)
					}
					n = len(bytes)
				}
				b = append(append(b, byte(p.side)<<7|byte(n/4)), bytes[:n]...)
				bytes = bytes[n:]
			}
		}
	}
	return b
}

// FuzzSession: whatever both sides say, the guest breaks no rule of the gate, and where the bytes are cut makes no difference.
func FuzzSession(f *testing.F) {
	a, u := newWire(), newWire()
	f.Add(pieces(agent(a.headers(1, false, request("POST", "/a", "content-length: 3")...).data(1, true, "abc"), ""), agent(newWire().window(0, 10), "")), true)
	a = newWire()
	for i := range 8 {
		a.headers(uint32(2*i+1), i%2 == 0, request("POST", "/a", "x-a: b")...)
		if i%2 == 1 {
			a.data(uint32(2*i+1), false, "0123456789").padded(uint32(2*i+1), true, "xyz", 5)
		}
	}
	u.headers(1, false, ":status: 200").data(1, true, "hello").headers(3, true, ":status: 204").window(0, 100).window(5, 10).ping(false, "abcdefgh")
	f.Add(pieces(agent(a, ""), upstream(u, ""), person(drygate.Verdict{}, ""), agent(newWire().reset(5, 8).ping(true, "abcdefgh"), ""), person(drygate.Verdict{Outcome: abi.Deny}, "")), false)
	f.Add(pieces(agent(a, ""), upstream(newWire().settings().reset(1, 7), "")), true)
	if b, err := os.ReadFile("testdata/malformed-frames.txt"); err == nil {
		f.Add(b[:200], false)
	}
	f.Fuzz(func(t *testing.T, p []byte, inspect bool) {
		if len(p) > 4096 {
			return
		}
		play := func(cut bool) drygate.Transcript {
			plugin := &plain.Plugin{}
			m, err := sdk.ConfigureNative(plugin, map[string]any{"inspect_body": inspect, "body_limit": int64(20), "credential": int64(len("<token>"))})
			if err != nil {
				t.Fatal(err)
			}
			return conversationOf(sdk.NewNative(plugin, companion), m, p, cut)
		}
		whole := play(false)
		if b := whole.Breached(); b != "" {
			t.Fatalf("cut off by the gate: %s\n%s", b, whole)
		}
		if err := whole.Crashed(); err != nil {
			t.Fatal(err)
		}
		if same, x, y := drygate.Transcript.Equal(drygate.BeforeRace(whole, play(true))); !same {
			t.Fatalf("cut: %s\nwhole: %s", y, x)
		}
	})
}
