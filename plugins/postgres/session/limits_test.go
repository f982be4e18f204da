package session

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestRepeated reads a text once, however often it comes.
func TestRepeated(t *testing.T) {
	reads := 0
	g := opened(t, wordsPlugin(&reads), nil, allowAll)
	for range 100 {
		g.agent(encoded(query("select")))
		g.server(encoded(complete("SELECT 0"), ready))
		g.agent(encoded(parse("", "select"), bind("", ""), execute(""), sync1))
		g.server(encoded(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, complete("SELECT 0"), ready))
	}
	if g.check(t); reads != 1 || len(g.asks) != 201 || g.closed {
		t.Errorf("%d reads, %d asks, %s", reads, len(g.asks), g.reason)
	}
	for i := range 1000 { // the cache stays small
		g.agent(encoded(query(fmt.Sprintf("prepare n%d select", i))))
		g.server(encoded(complete("PREPARE"), ready))
	}
	if g.check(t); reads != 1001 {
		t.Errorf("%d reads", reads)
	}
}

// lists gives facts with long lists.
type lists struct{ columns int }

func (l lists) Read([]byte) (*sqlfacts.Facts, error) {
	f := &sqlfacts.Facts{Class: abi.ClassRead, Verbs: []string{"select"}, Statements: 1, Each: []sqlfacts.Statement{{Kind: sqlfacts.KindSelect}}}
	for i := range l.columns {
		f.Columns = append(f.Columns, fmt.Sprintf("column%06d", i))
	}
	return f, nil
}

// TestUnknown gives what does not fit into an action as unknown, never cut.
func TestUnknown(t *testing.T) {
	for _, c := range []struct {
		columns, text  int
		columnsKnown   bool
		textKnown      bool
		everythingElse bool
	}{
		{10, 100, true, true, true},
		{10000, 100, false, true, true},
		{10, maxText + 1, true, false, true},
		{2800, maxText, true, false, true}, // either fits, both do not
	} {
		plugin := &Plugin{NewReader: func(*sdk.Conn) Reader { return lists{c.columns} }}
		g := opened(t, plugin, nil, allowAll)
		g.agent(encoded(query(strings.Repeat("x", c.text))))
		g.check(t)
		a := g.asks[len(g.asks)-1]
		if a.value("columns").Known != c.columnsKnown || a.value("text").Known != c.textKnown || !a.value("verbs").Known || !a.value("bounded").Known {
			t.Errorf("%+v: columns %v, text %v", c, a.value("columns").Known, a.value("text").Known)
		}
		if a.value("columns").Known && len(a.value("columns").List) != c.columns {
			t.Errorf("%+v: %d columns", c, len(a.value("columns").List))
		}
	}
	g := opened(t, wordsPlugin(nil), nil, allowAll)
	g.agent(encoded(query("nonsense")))
	a := g.asks[len(g.asks)-1]
	if a.Class != abi.ClassOpaque || a.value("verbs").Known || a.value("bounded").Known || a.text() != "nonsense" {
		t.Errorf("%+v", a)
	}
}

// TestPipelineBound sends a pipeline without end, of which only so much goes on before the server answers.
func TestPipelineBound(t *testing.T) {
	g := opened(t, wordsPlugin(nil), nil, allowAll)
	g.agent(encoded(parse("s", "select"), sync1))
	g.server(encoded(&pgproto3.ParseComplete{}, ready))
	g.taken(abi.Upstream)
	pair := encoded(bind("", "s"), execute(""))
	const pairs = 5000
	g.agent(bytes.Repeat(pair, pairs))
	sent := 0
	for {
		g.check(t)
		n := len(g.taken(abi.Upstream)) / len(pair)
		if n > maxQueue/2 {
			t.Fatalf("%d statements wait for answers", n)
		}
		if sent += n; n == 0 {
			break
		}
		g.server(bytes.Repeat(encoded(&pgproto3.BindComplete{}, complete("SELECT 0")), n))
	}
	if sent != pairs || g.closed {
		t.Errorf("%d of %d statements, %s", sent, pairs, g.reason)
	}
}

// TestManyHeld describes without end: what is held is bounded, and all of it is answered.
func TestManyHeld(t *testing.T) {
	g := opened(t, wordsPlugin(nil), nil, allowAll)
	const n = 3 * maxQueue
	describe := encoded(&pgproto3.Describe{ObjectType: 'S', Name: "s"})
	g.agent(encoded(parse("s", "select"), sync1))
	g.server(encoded(&pgproto3.ParseComplete{}, ready))
	g.taken(abi.Upstream)
	g.agent(bytes.Repeat(describe, n), encoded(sync1))
	sent := 0
	for {
		g.check(t)
		p := g.taken(abi.Upstream)
		k := len(p) / len(describe)
		if sent += k; len(p) == 0 {
			break
		}
		g.server(bytes.Repeat(encoded(&pgproto3.ParameterDescription{}, &pgproto3.NoData{}), k))
	}
	g.server(encoded(ready))
	if sent != n || g.closed || len(g.asks) < n/maxHeld {
		t.Errorf("%d of %d messages in %d actions, %s", sent, n, len(g.asks), g.reason)
	}
}

// TestDeclaredLengths declares lengths near the protocol's limit: nothing of such messages is kept.
func TestDeclaredLengths(t *testing.T) {
	for _, typ := range []byte("QPBF") {
		g := opened(t, wordsPlugin(nil), nil, allowAll)
		head := binary.BigEndian.AppendUint32([]byte{typ}, proto.MaxLarge)
		g.agent(head)
		chunk := make([]byte, 1<<20)
		for range 20 {
			g.agent(chunk)
		}
		if g.check(t); g.closed || g.sides[abi.Agent].owed != 1+proto.MaxLarge-5-20<<20 || len(g.sides[abi.Agent].held) > 0 {
			t.Errorf("%c: closed %v, %d bytes owed, %d held", typ, g.closed, g.sides[abi.Agent].owed, len(g.sides[abi.Agent].held))
		}
	}
	// A row of that length passes as it comes.
	g := opened(t, wordsPlugin(nil), nil, allowAll)
	g.agent(encoded(query("select")))
	g.server(binary.BigEndian.AppendUint32([]byte{'D'}, 1<<24))
	g.server(make([]byte, 1<<20))
	if g.check(t); g.closed || len(g.taken(abi.Agent)) != 5+1<<20 {
		t.Errorf("%s", g.reason)
	}
	// The agent breaks the protocol in the middle of it: nothing is written into the row.
	g.agent([]byte("?\x00\x00\x00\x04"))
	if g.check(t); g.closed || len(g.taken(abi.Agent)) != 0 {
		t.Errorf("closed %v", g.closed)
	}
	for range 1<<4 - 2 {
		g.server(make([]byte, 1<<20))
		g.taken(abi.Agent)
		g.sides[abi.Agent].all = nil
	}
	g.server(make([]byte, 1<<20-4), encoded(complete("SELECT 1"), ready))
	if g.check(t); !g.failed || !bytes.Contains(g.taken(abi.Agent), []byte("invalid frontend message type 63")) {
		t.Errorf("failed %v", g.failed)
	}
}
