package session

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func rows(n int) []byte { return bytes.Repeat(encoded(row), n) }

func data(n int) []byte {
	return bytes.Repeat(encoded(&pgproto3.CopyData{Data: []byte("1\tone\n")}), n)
}

// opening is a session that is ready for queries.
var opening = []said{fromAgent(greeting(0, "user", "u")), fromServer(welcome)}

func after(says ...said) []said { return append(append([]said(nil), opening...), says...) }

// TestScan has results and COPY data that pass by themselves, and what comes in between.
func TestScan(t *testing.T) {
	notice := encoded(&pgproto3.NoticeResponse{Message: "x"})
	tag := func(s string) []byte { return encoded(complete(s)) }
	end := encoded(ready)
	selects := fromAgent(encoded(query("select")))
	ran := fromAgent(encoded(parse("", "select"), bind("", ""), execute(""), sync1))
	bound := encoded(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{})
	out, in := encoded(&pgproto3.CopyOutResponse{}), encoded(&pgproto3.CopyInResponse{})
	done := encoded(&pgproto3.CopyDone{})
	for _, c := range []struct {
		name     string
		says     []said
		upstream uint64 // messages that pass natively, of the server
		agent    uint64
	}{
		{"few rows are read", []said{selects, fromServer(rows(rowsBeforeScan), tag("SELECT 16"), end)}, 0, 0},
		{"many are not", []said{selects, fromServer(rows(1000), tag("SELECT 1000"), end)}, 1000 - rowsBeforeScan, 0},
		{"with a notice", []said{selects, fromServer(rows(100), notice, rows(100), tag("SELECT 200"), end)}, 200 - rowsBeforeScan, 0},
		{"by Execute", []said{ran, fromServer(bound, rows(100), tag("SELECT 100"), end)}, 100 - rowsBeforeScan, 0},
		{"suspended", []said{ran, fromServer(bound, rows(100), encoded(&pgproto3.PortalSuspended{}), end)}, 100 - rowsBeforeScan, 0},
		{"failing", []said{selects, fromServer(rows(100), encoded(failure("ERROR")), end)}, 100 - rowsBeforeScan, 0},
		{"two results", []said{fromAgent(encoded(query("select;select"))), fromServer(rows(20), tag("SELECT 20"), rows(30), tag("SELECT 30"), end)}, 50 - 2*rowsBeforeScan, 0},
		{"copy out", []said{fromAgent(encoded(query("copyout"))), fromServer(out, data(50), done, tag("COPY 50"), end)}, 50, 0},
		{"copy in", []said{fromAgent(encoded(query("copyin"))), fromServer(in), fromAgent(data(50), done), fromServer(tag("COPY 50"), end)}, 0, 50},
		{"copy in, all at once", []said{fromAgent(encoded(query("copyin")), data(50), done), fromServer(in), fromServer(tag("COPY 50"), end)}, 0, 50},
		{"copy in that fails", []said{fromAgent(encoded(query("copyin"))), fromServer(in), fromAgent(data(5)), fromServer(encoded(failure("ERROR")), end), fromAgent(data(5), done)}, 0, 10},
		{"copy in, by Execute", []said{fromAgent(encoded(parse("", "copyin"), bind("", ""), execute(""))), fromServer(bound, in), fromAgent(data(5), done, encoded(sync1)), fromServer(tag("COPY 5"), end)}, 0, 5},
		{"two copies", []said{fromAgent(encoded(query("copyin;copyin"))), fromServer(in), fromAgent(data(5), done), fromServer(tag("COPY 5"), in), fromAgent(data(6), done), fromServer(tag("COPY 6"), end)}, 0, 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := scene{says: after(c.says...)}.play(t)
			g.check(t)
			if g.closed {
				t.Fatalf("closed: %s", g.reason)
			}
			var from [2][]byte
			for _, s := range after(c.says...) {
				from[s.side] = append(from[s.side], s.p...)
			}
			g.wantSide(t, abi.Agent, from[abi.Upstream])
			if !strings.Contains(c.name, "fails") { // there the server is given data that it ignores, or not
				g.wantSide(t, abi.Upstream, from[abi.Agent])
			}
			if n := g.native[abi.Upstream] / uint64(len(rows(1))); !strings.HasPrefix(c.name, "copy out") && n != c.upstream {
				t.Errorf("%d rows pass by themselves, not %d", n, c.upstream)
			}
			if n := g.native[abi.Agent] / uint64(len(data(1))); n != c.agent {
				t.Errorf("%d pieces of data pass by themselves, not %d", n, c.agent)
			}
			g.wantReady(t)
		})
	}
}

// TestScanAttacks hides something among what passes by itself.
func TestScanAttacks(t *testing.T) {
	in := encoded(&pgproto3.CopyInResponse{})
	copying := after(fromAgent(encoded(query("copyin"))), fromServer(in), fromAgent(data(3)))
	play := func(says []said, more ...said) *gate {
		return scene{policy: noDeletes, says: append(append([]said(nil), says...), more...)}.play(t)
	}
	upstream := func(g *gate) string { return string(g.sides[abi.Upstream].all) }

	g := play(copying, fromAgent(encoded(query("delete")))) // a statement in the data
	if !g.failed || strings.Contains(upstream(g), "delete") {
		t.Errorf("failed %v, to the server %q", g.failed, upstream(g))
	}
	// A statement in a piece of data is data.
	g = play(copying, fromAgent(encoded(&pgproto3.CopyData{Data: encoded(query("delete"))}, &pgproto3.CopyDone{})), fromServer(encoded(complete("COPY 4"), ready)))
	if !strings.Contains(upstream(g), "delete") {
		t.Errorf("to the server %q", upstream(g))
	}
	g.wantReady(t)
	// The COPY failed while its data came: what stands behind the data is decided as ever.
	for _, leftover := range [][]byte{nil, encoded(&pgproto3.CopyDone{}), encoded(&pgproto3.CopyFail{Message: "x"})} {
		g = play(copying, fromServer(encoded(failure("ERROR"), ready)), fromAgent(data(2), leftover, encoded(query("delete"))), fromServer(encoded(failure("ERROR"), ready)))
		if g.closed || strings.Contains(upstream(g), "delete") || !strings.Contains(string(g.sides[abi.Agent].all), "no delete") {
			t.Errorf("closed %v, to the server %q", g.closed, upstream(g))
		}
		g.wantReady(t)
	}
	// A length that means nothing, among the data and among rows.
	g = play(copying, fromAgent([]byte("d\x00\x00\x00\x03")))
	g.wantEnd(t, true, "unexpected EOF", "synchronization was lost")
	selecting := after(fromAgent(encoded(query("select"))), fromServer(rows(100)))
	g = play(selecting, fromServer([]byte("D\xff\xff\xff\xff")))
	g.wantEnd(t, true, "impossible length", "")
	// The server ends in the middle of a row.
	g = play(selecting, said{side: abi.Upstream, p: rows(1)[:7], end: true})
	if g.check(t); !g.closed || g.failed {
		t.Errorf("closed %v, failed %v: %s", g.closed, g.failed, g.reason)
	}
	// The agent breaks the protocol while rows pass: nothing is written among them.
	g = play(selecting, fromAgent([]byte("?\x00\x00\x00\x04")), fromServer(rows(5), encoded(complete("SELECT 105"), ready)))
	g.wantEnd(t, true, "invalid frontend message type", "invalid frontend message type")
	if !bytes.HasPrefix(g.sides[abi.Agent].all, append(append([]byte(nil), welcome...), append(rows(105), encoded(complete("SELECT 105"), ready)...)...)) {
		t.Error("the result is cut")
	}
	// The agent ends while its data comes, and in the middle of it.
	for _, p := range [][]byte{nil, data(1)[:3], data(1)[:8]} {
		g = play(copying, said{p: p, end: true})
		if g.check(t); g.closed || !g.sides[abi.Upstream].shut {
			t.Errorf("%q: closed %v, shut %v", p, g.closed, g.sides[abi.Upstream].shut)
		}
	}
}

// TestReconcile has servers that say that they did something else than what was allowed.
func TestReconcile(t *testing.T) {
	for _, c := range []struct {
		name, text string
		answer     []byte
		mismatch   string // empty: it is what was allowed
	}{
		{"rows", "select", append(rows(3), encoded(complete("SELECT 3"), ready)...), ""},
		{"no rows", "select", encoded(complete("SELECT 0"), ready), ""},
		{"a tag without a count", "select", append(rows(3), encoded(complete("SELECT"), ready)...), ""},
		{"two results", "select;select", append(append(append(rows(1), encoded(complete("SELECT 1"))...), rows(2)...), encoded(complete("SELECT 2"), ready)...), ""},
		{"an error between", "select;select", append(append(rows(1), encoded(complete("SELECT 1"))...), encoded(failure("ERROR"), ready)...), ""},
		{"what cannot be read", "???", append(rows(2), encoded(complete("SELECT 9"), complete("DELETE 4"), ready)...), ""},

		{"too few rows", "select", append(rows(2), encoded(complete("SELECT 3"), ready)...), "sent 2 rows"},
		{"too many rows", "select", append(rows(100), encoded(complete("SELECT 99"), ready)...), "sent 100 rows"},
		{"rows of the result before", "select;select", append(rows(3), encoded(complete("SELECT 1"))...), "sent 3 rows"},
		{"a count that is none", "select", encoded(complete("SELECT 18446744073709551616"), ready), ""},
		{"too few results", "select;select", append(rows(1), encoded(complete("SELECT 1"), ready)...), "1 of 2 statements"},
		{"no result", "select", encoded(ready), "0 of 1 statements"},
		{"too many results", "select", encoded(complete("SELECT 0"), complete("SELECT 0")), "not what was allowed"},
		{"another statement", "select", encoded(complete("DELETE 1"), ready), "not what was allowed"},
	} {
		g := scene{says: after(fromAgent(encoded(query(c.text))), fromServer(c.answer))}.play(t)
		notes := strings.Join(g.notes, "\n")
		if c.mismatch == "" {
			if strings.Contains(notes, "mismatch") {
				t.Errorf("%s: %s", c.name, notes)
			}
			g.wantReady(t)
			continue
		}
		g.wantEnd(t, true, c.mismatch, "")
		if !strings.Contains(notes, "mismatch") || !strings.Contains(notes, c.mismatch) {
			t.Errorf("%s: the notes are %s", c.name, notes)
		}
	}
	// Something nobody asked for, in the middle of an action.
	g := scene{says: after(fromAgent(encoded(query("select"))), fromServer(encoded(&pgproto3.CopyInResponse{})))}.play(t)
	g.wantEnd(t, true, "unexpected message", "")
	if !strings.Contains(strings.Join(g.notes, "\n"), "mismatch") {
		t.Errorf("the notes are %q", g.notes)
	}
	// Rows of one Execute each.
	g = scene{says: after(fromAgent(encoded(parse("", "select"), bind("p", ""), execute("p"), execute("p"), sync1)),
		fromServer(encoded(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}), rows(20), encoded(&pgproto3.PortalSuspended{}), rows(5), encoded(complete("SELECT 5"), ready)))}.play(t)
	g.wantReady(t)
}

// TestLarge has messages that are not read: denied with a receipt, and passed where a rule allows what is opaque.
func TestLarge(t *testing.T) {
	long := "select " + strings.Repeat("x", DefaultMaxMessage)
	bindLong := encoded(&pgproto3.Bind{DestinationPortal: "p", PreparedStatement: "s", Parameters: [][]byte{[]byte(long)}})
	call := encoded(&pgproto3.FunctionCall{Function: 7, Arguments: [][]byte{[]byte(long)}})
	for _, c := range []struct {
		name   string
		sent   []byte
		answer []byte
	}{
		{"Query", encoded(query(long)), encoded(complete("SELECT 0"), ready)},
		{"FunctionCall", call, encoded(&pgproto3.FunctionCallResponse{}, ready)},
		{"Parse", append(encoded(parse("s", long)), encoded(sync1)...), encoded(&pgproto3.ParseComplete{}, ready)},
		{"Bind", append(bindLong, encoded(sync1)...), encoded(&pgproto3.BindComplete{}, ready)},
	} {
		for _, whole := range []bool{true, false} {
			says := after(fromAgent(c.sent))
			if !whole {
				says = after(fromAgent(c.sent[:100]), fromAgent(c.sent[100:]))
			}
			g := newGate(t, nil, wordsPlugin(nil), nil, allowAll)
			for _, s := range append(says, fromServer(c.answer)) {
				g.feed(s.side, s.p)
			}
			g.check(t)
			g.wantSide(t, abi.Upstream, greeting(0, "user", "u"), c.sent)
			if a := g.asks[len(g.asks)-1]; a.Class != abi.ClassOpaque || a.value("verbs").Known || a.value("text").Known || !a.value("executes").Known {
				t.Errorf("%s: %+v", c.name, a)
			}
			g.wantReady(t)

			g = newGate(t, nil, wordsPlugin(nil), nil, noDeletes)
			for _, s := range says {
				g.feed(s.side, s.p)
			}
			g.server(encoded(failure("ERROR"), ready))
			g.check(t)
			told := string(g.sides[abi.Agent].all)
			for _, want := range []string{"54000", "no opaque", `rule "test rule", receipt r2`, "max_message"} {
				if !strings.Contains(told, want) {
					t.Errorf("%s: the agent is told %q, without %s", c.name, told, want)
				}
			}
			if bytes.Contains(g.sides[abi.Upstream].all, []byte("xxx")) {
				t.Errorf("%s reaches the server", c.name)
			}
			g.wantReady(t)
		}
	}
	head := proto.Append(nil, proto.Parse, bytes.Repeat([]byte("n"), DefaultMaxMessage+10)...)
	g := newGate(t, nil, wordsPlugin(nil), nil, allowAll)
	for _, s := range after(fromAgent(head)) {
		g.feed(s.side, s.p)
	}
	g.check(t)
	g.wantEnd(t, true, "a name in a message", "a name in a message")
}
