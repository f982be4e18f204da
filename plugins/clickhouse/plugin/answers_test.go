package plugin

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// lookingGate is a dry gate around a session that is ready, where the answers to statements about "looked" are looked at, up to 600 bytes: those
// with "secret" are withheld, "mask" is masked, what is longer passes when the statement is about "long".
func lookingGate(t testing.TB, chunks string, piece int) *drygate.Gate {
	t.Helper()
	p := &Plugin{}
	m, err := sdk.ConfigureNative(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	long := map[uint32]bool{}
	cfg := drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Facts: abi.Facts{Endpoint: "ch", Inspect: true},
		Decide: func(e *drygate.Entry) (v drygate.Verdict) {
			switch r := e.Response; {
			case r == nil && strings.Contains(e.Action.Title, "looked"):
				v.Inspect = 600
				long[e.ID] = strings.Contains(e.Action.Title, "long")
			case r == nil:
			default:
				text := e.Action.Values[abi.ResponseText]
				if !text.Known || strings.Contains(text.Str, "secret") || r.Truncated && !long[r.Parent] {
					v.Outcome, v.Reason = abi.Deny, "no secrets"
				}
				if i := bytes.Index(r.Kept, []byte("mask")); i >= 0 {
					copy(r.Kept[i:], "****")
				}
			}
			return v
		}}
	if piece > 0 {
		cfg.Piece = func(abi.Side, uint64, int) int { return piece }
	}
	g := drygate.New(cfg)
	g.Open()
	g.Send(abi.Agent, proto.AppendString(proto.AppendHello(nil, &proto.Hello{Name: []byte("c")}, proto.Newest, "", "u"), "p"))
	g.Send(abi.Upstream, serverHello())
	addendum := proto.AppendString(nil, "")
	addendum = proto.AppendString(addendum, chunks)
	addendum = proto.AppendString(addendum, chunks)
	g.Send(abi.Agent, append(addendum, 7))
	if g.Over() {
		t.Fatal(g.Transcript().End())
	}
	return g
}

// query is a Query packet of the newest revision, with the end of its data.
func query(text string) []byte {
	b := []byte{proto.ClientQuery, 0, 0, 0, 0, 0, 2, 0}
	b = proto.AppendString(b, text)
	return append(b, "\x00\x02\x00\x01\x00\x02\xff\xff\xff\xff\x00\x00\x00"...)
}

// packet is one of rows of one column s String.
func packet(code byte, values ...string) []byte {
	b := append([]byte{code}, "\x00\x01\x00\x02\xff\xff\xff\xff\x00\x01"...)
	b = append(binary.AppendUvarint(b, uint64(len(values))), "\x01s\x06String\x00"...)
	for _, v := range values {
		b = proto.AppendString(b, v)
	}
	return b
}

const (
	progress = "\x03\x01\x02\x03\x04\x05\x06\x07"
	theEnd   = "\x05"
)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// play has the agent and the server speak in turns, whole and in pieces, and returns what the agent got behind the login.
func play(t *testing.T, chunks string, says ...[]byte) (got []byte, asked []*drygate.Entry, over bool) {
	t.Helper()
	var first drygate.Transcript
	for _, piece := range []int{0, 1, 3, 64} {
		g := lookingGate(t, chunks, piece)
		for i, p := range says {
			g.Send(abi.Side(i%2), p)
		}
		log := g.Transcript()
		if log.Breached() != "" || log.Crashed() != nil {
			t.Fatalf("in pieces of %d: %q %v", piece, log.Breached(), log.Crashed())
		}
		if piece == 0 {
			first, over = append(first, log...), g.Over()
			got = log.Gets(abi.Agent)[len(serverHello()):]
			for _, e := range log.Asks() {
				if e.Response != nil {
					asked = append(asked, e)
				}
			}
			continue
		}
		if same, ours, theirs := first.Equal(log); !same {
			t.Errorf("in pieces of %d: %s, and %s", piece, ours, theirs)
		}
	}
	return got, asked, over
}

// messages are packets, each in a message of its own of several chunks.
func messages(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		for len(p) > 0 {
			n := min(len(p), 20)
			b = append(binary.LittleEndian.AppendUint32(b, uint32(n)), p[:n]...)
			p = p[n:]
		}
		b = append(b, 0, 0, 0, 0)
	}
	return b
}

// unchunked is what chunks hold.
func unchunked(t *testing.T, p []byte) (b []byte) {
	for len(p) > 0 {
		n := int(binary.LittleEndian.Uint32(p))
		if n > len(p)-4 {
			t.Fatal("chunks that are not framed as they should be")
		}
		b, p = append(b, p[4:4+n]...), p[4+n:]
	}
	return b
}

// TestAnswers has answers looked at, in every piece and in chunks.
func TestAnswers(t *testing.T) {
	header, end := packet(proto.ServerData), []byte(theEnd)
	exception := func(text string) []byte { return proto.AppendException(nil, 60, text) }
	withheld := proto.AppendException(nil, 497, "the statement ran, and its result is withheld: no secrets")
	events := packet(proto.ServerProfileEvents, "an event")
	long := strings.Repeat("0123456789", 20)
	strange := func(word string) []byte {
		return []byte("\x01\x00\x01\x00\x02\xff\xff\xff\xff\x00\x01\x01\x01s\x12AggregateFunction(\x00?" + word)
	}
	for _, c := range []struct {
		name, text string
		server     [][]byte
		want       [][]byte
		asked      string // text of the answer
		over       bool
	}{
		{"rows", "looked", [][]byte{header, packet(1, "a", "bc"), end}, nil, "a\nbc", false},
		{"no rows", "looked", [][]byte{header, end}, nil, "", false},
		{"nothing", "looked", [][]byte{end}, nil, "", false},
		{"an exception", "looked", [][]byte{exception("it failed")}, nil, "DB::Exception\nDB::Exception: it failed", false},
		{"totals, extremes, log", "looked", [][]byte{header, packet(10, "log"), packet(1, "a"), packet(7, "t"), packet(8, "e1", "e2"), end}, nil, "log\na\nt\ne1\ne2", false},
		{"a secret", "looked", [][]byte{header, packet(1, "x", "a secret"), end}, [][]byte{withheld}, "x\na secret", false},
		{"a secret in totals", "looked", [][]byte{header, packet(1, "x"), packet(7, "secret"), end}, [][]byte{withheld}, "x\nsecret", false},
		{"a secret in a log line", "looked", [][]byte{packet(10, "secret"), header, end}, [][]byte{withheld}, "secret", false},
		{"a secret in an exception", "looked", [][]byte{header, exception("secret")}, [][]byte{withheld}, "DB::Exception\nDB::Exception: secret", false},
		{"masked", "looked", [][]byte{header, packet(1, "a mask and more"), end}, [][]byte{header, packet(1, "a **** and more"), end}, "a mask and more", false},
		{"how far it is", "looked", [][]byte{[]byte(progress), header, []byte(progress), events, packet(1, "a secret"), []byte(progress), end},
			[][]byte{[]byte(progress), []byte(progress), events, []byte(progress), withheld}, "a secret", false},
		{"long", "looked", [][]byte{header, packet(1, long, long), packet(1, long, long), packet(1, "secret"), end}, [][]byte{withheld}, "", false},
		{"long, and it passes", "looked_long", [][]byte{header, packet(1, long, long), packet(1, long, long), packet(1, "secret"), end}, nil, "", false},
		{"a secret in front of a long one", "looked_long", [][]byte{header, packet(1, "secret", long), packet(1, long, long, long), end}, [][]byte{withheld}, "", false},
		{"a strange column", "looked", [][]byte{header, strange("x"), end}, [][]byte{withheld}, "", true},
		{"not looked at", "other", [][]byte{header, packet(1, "a secret"), end}, nil, "", false},
		{"strange, and not looked at", "other", [][]byte{header, strange("secret"), end}, nil, "", false},
		{"an unknown packet", "looked", [][]byte{{77, 1, 2, 3}}, [][]byte{withheld}, "", true},
	} {
		for _, chunks := range []string{"notchunked", "chunked"} {
			t.Run(c.name+", "+chunks, func(t *testing.T) {
				wire, wants := join, c.want
				if wants == nil {
					wants = c.server
				}
				if chunks == "chunked" {
					wire = messages
				}
				server := wire(c.server...)
				got, asked, over := play(t, chunks, wire(query("SELECT 1 FROM "+c.text)), server)
				if chunks == "chunked" {
					if c.want == nil && !bytes.Equal(got, server) {
						t.Errorf("the agent got %q, want %q", got, server)
					}
					got = unchunked(t, got)
				}
				if want := join(wants...); !bytes.Equal(got, want) || over != c.over {
					t.Errorf("the agent got %q, want %q; %v", got, want, over)
				}
				if looked := strings.HasPrefix(c.text, "looked"); looked != (len(asked) == 1) || looked && c.asked != "" && asked[0].Action.Values[abi.ResponseText].Str != c.asked {
					t.Fatalf("asked: %+v", asked)
				}
				if c.over || c.name == "strange, and not looked at" {
					return
				}
				// The connection goes on, and the next answer is looked at.
				got, _, _ = play(t, chunks, wire(query("SELECT 1 FROM "+c.text)), server, wire(query("SELECT 1 FROM looked")), wire(header, packet(1, "secret"), end))
				if chunks == "chunked" {
					got = unchunked(t, got)
				}
				if want := join(join(wants...), withheld); !bytes.Equal(got, want) {
					t.Errorf("behind it the agent got %q, want %q", got, want)
				}
			})
		}
	}
}

// FuzzAnswers has a server say anything where answers are looked at: the plugin keeps the law, and a cut makes no difference that matters.
func FuzzAnswers(f *testing.F) {
	f.Add(join(packet(1), packet(1, "a", "secret"), []byte(theEnd)), uint8(3), uint8(0))
	f.Add(join([]byte(progress), packet(1), packet(14, "event"), packet(1, strings.Repeat("x", 700)), []byte(theEnd)), uint8(50), uint8(1))
	f.Add(messages([]byte(progress), packet(1), packet(7, "mask"), []byte(theEnd)), uint8(0), uint8(2))
	f.Add(join(proto.AppendException(nil, 1, "mask"), packet(1, "x")), uint8(200), uint8(3))
	f.Fuzz(func(t *testing.T, server []byte, piece, how uint8) {
		chunks, wire := "notchunked", join
		if how&2 != 0 {
			chunks, wire = "chunked", messages
		}
		text := "SELECT 1 FROM looked"
		if how&1 != 0 {
			text = "SELECT 1 FROM looked_long"
		}
		g := lookingGate(t, chunks, int(piece)+1)
		g.Send(abi.Agent, wire(query(text), query("SELECT 2 FROM looked"), query("SELECT 3")))
		g.Send(abi.Upstream, server)
		g.Send(abi.Upstream, server)
		g.End(abi.Upstream)
		if log := g.Transcript(); log.Breached() != "" || log.Crashed() != nil {
			t.Errorf("%q %v", log.Breached(), log.Crashed())
		}
	})
}

// TestRefusedLogin has a server refuse the gateway's login: the operator hears why, and the agent that it was so. What else it says, the agent is told.
func TestRefusedLogin(t *testing.T) {
	for _, c := range []struct {
		code    int32
		slots   []string
		refused bool
	}{{193, []string{"password"}, true}, {516, []string{"password"}, true}, {81, []string{"password"}, false}, {516, nil, false}} {
		p := &Plugin{}
		m, err := sdk.ConfigureNative(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Facts: abi.Facts{Endpoint: "ch", Slots: c.slots}, Piece: func(abi.Side, uint64, int) int { return 5 }})
		g.Open()
		g.Send(abi.Agent, proto.AppendString(proto.AppendHello(nil, &proto.Hello{Name: []byte("c")}, proto.Newest, "", "u"), "p"))
		g.Send(abi.Upstream, proto.AppendException(nil, c.code, "Wrong password for user u"))
		log, told := g.Transcript(), ""
		for _, e := range log {
			if e.Kind == drygate.Relogin {
				told = string(e.Bytes)
			}
		}
		got := string(log.Gets(abi.Agent))
		if log.Breached() != "" || log.Crashed() != nil || c.refused != strings.Contains(told, "Wrong password") || c.refused == strings.Contains(got, "Wrong password") ||
			c.refused != strings.Contains(got, "could not log in at endpoint ch: the upstream refuses the gateway's login") {
			t.Errorf("%d: the operator is told %q, the agent %q; %q", c.code, told, got, log.Breached())
		}
	}
}
