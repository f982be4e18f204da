package plugin

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// said is what an agent asks for, and how often: what follows from a query is kept while the same one comes again.
var said = []string{
	"SELECT 1", "SELECT 1", "SELECT 1", "SELECT 2", "SELECT 1",
	"SET max_threads = 1", "SET max_threads = 1", "SELECT 1", "SELECT 1",
	"INSERT INTO t VALUES", "INSERT INTO t VALUES", "SELECT 1",
	"DROP TABLE t", "DROP TABLE t", "SELECT 1", "SELECT 1",
	"BEGIN TRANSACTION", "SELECT 1", "SELECT 1", "COMMIT", "SELECT 1", "SELECT 1",
	"no statement", "no statement", "SELECT 1",
	"SET max_memory_usage = 1", "SELECT 1", "SELECT 1",
}

// talk has an agent ask for texts and a server answer, and returns what was asked about and the bytes that the server got.
func talk(t *testing.T, chunked bool, piece int, texts []string) (asks []*drygate.Entry, got []byte) {
	t.Helper()
	p := &Plugin{}
	m, err := sdk.ConfigureNative(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Facts: abi.Facts{Endpoint: "ch"}, Decide: func(e *drygate.Entry) (v drygate.Verdict) {
		if strings.HasPrefix(e.Action.Title, "drop") {
			v.Outcome, v.Reason = abi.Deny, "tables stay"
		}
		return v
	}}
	if piece > 0 {
		cfg.Piece = func(abi.Side, uint64, int) int { return piece }
	}
	word, framed := "notchunked", func(p []byte) []byte { return p }
	if chunked {
		word, framed = "chunked", func(p []byte) []byte { return proto.AppendChunked(nil, p) }
	}
	g := drygate.New(cfg)
	g.Open()
	g.Send(abi.Agent, proto.AppendString(proto.AppendHello(nil, &proto.Hello{Name: []byte("c")}, proto.Newest, "", "u"), "p"))
	g.Send(abi.Upstream, serverHello())
	g.Send(abi.Agent, append(proto.AppendString(proto.AppendString(proto.AppendString(nil, ""), word), word), 7))
	for i, text := range texts {
		q := query(text)
		q = append(proto.AppendString(q[:1:1], fmt.Sprint("id ", i)), q[2:]...) // as clients do, each has another one
		if at := len(q) - len(proto.EmptyData); chunked {
			g.Send(abi.Agent, append(framed(q[:at]), framed(q[at:])...))
		} else {
			g.Send(abi.Agent, q)
		}
		if strings.HasPrefix(text, "INSERT") {
			g.Send(abi.Upstream, framed(packet(proto.ServerData)))
			g.Send(abi.Agent, append(framed(packet(proto.ClientData, "a", "b")), framed(proto.EmptyData)...))
		}
		if !strings.HasPrefix(text, "DROP") {
			g.Send(abi.Upstream, framed([]byte(theEnd)))
		} else if !chunked {
			g.Send(abi.Upstream, []byte{proto.ServerPong})
		} else {
			g.Send(abi.Upstream, framed([]byte{proto.ServerPong}))
		}
		if g.Over() {
			t.Fatalf("%q, query %d: %v", text, i, g.Transcript().End())
		}
	}
	return g.Transcript().Asks()[1:], g.Transcript().Gets(abi.Upstream)
}

// TestSameQueryAgain asks the same things with and without another query between each two: the same is asked about.
func TestSameQueryAgain(t *testing.T) {
	var mixed []string
	for _, text := range said {
		mixed = append(mixed, "SELECT 'between'", text)
	}
	for _, chunked := range []bool{false, true} {
		for _, piece := range []int{0, 1, 9} {
			asks, got := talk(t, chunked, piece, said)
			others, _ := talk(t, chunked, 0, mixed)
			if len(asks) != len(said) || len(others) != len(mixed) {
				t.Fatalf("chunked %v, pieces of %d: %d and %d questions, not %d and %d", chunked, piece, len(asks), len(others), len(said), len(mixed))
			}
			for i, e := range asks {
				if a, b := e.Encoded, others[2*i+1].Encoded; !bytes.Equal(a, b) {
					t.Errorf("chunked %v, pieces of %d, %q (%d):\n%q\nand behind another query:\n%q", chunked, piece, said[i], i, a, b)
				}
				if id, denied := fmt.Sprint("id ", i), strings.HasPrefix(said[i], "DROP"); bytes.Contains(got, append([]byte{byte(len(id))}, id...)) == denied {
					t.Errorf("chunked %v, pieces of %d: the server has query %d: %v", chunked, piece, i, !denied)
				}
			}
		}
	}
}

// TestRepeatIsExact has queries that are nearly the one before: each is read for itself.
func TestRepeatIsExact(t *testing.T) {
	for _, pair := range [][2]string{{"SELECT 1", "SELECT 12"}, {"SELECT 12", "SELECT 1"}, {"SELECT 1", "SELECT 2"}, {"SELECT a FROM t", "SELECT a FROM u"}} {
		asks, _ := talk(t, false, 0, pair[:])
		alone, _ := talk(t, false, 0, pair[1:])
		if a, b := asks[1].Encoded, alone[0].Encoded; !bytes.Equal(a, b) {
			t.Errorf("%q behind %q:\n%q\nalone:\n%q", pair[1], pair[0], a, b)
		}
	}
}
